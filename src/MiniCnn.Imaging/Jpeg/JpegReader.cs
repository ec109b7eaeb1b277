using System.Buffers.Binary;

namespace MiniCnn.Imaging;

/// <summary>How a JPEG's components make a colour.</summary>
enum JpegSpace { Grey, YCbCr, Rgb, Cmyk, Ycck }

/// <summary>The segments of a file in turn: marker, length, content (T.81 clause B.1.1), and what they declare.</summary>
ref struct JpegReader(ReadOnlySpan<byte> file)
{
    readonly ReadOnlySpan<byte> file = file;
    int at;
    int scans;
    bool jfif;
    int adobeTransform = -1;
    bool exif;

    // A number for each of the 64 coefficients, in natural order; four tables may be there at a time (B.2.4.1).
    public readonly int[]?[] Quantization = new int[]?[4];
    public readonly JpegHuffman?[] Dc = new JpegHuffman?[4], Ac = new JpegHuffman?[4];
    public int RestartInterval;

    /// <summary>Sizes and components, once their segment was read.</summary>
    public JpegFrame? Frame { get; private set; }

    /// <summary>EXIF's orientation, 1 (upright) when the file has none.</summary>
    public int Orientation { get; private set; } = 1;

    /// <summary>Reads the whole file, up to the marker of its end.</summary>
    public void Read()
    {
        if (!file.StartsWith<byte>([0xFF, 0xD8])) throw Jpeg.Fault("begins with the bytes FF D8; this file does not");
        at = 2;
        for (int marker = Marker(); marker != 0xD9; marker = Marker())    // EOI
            if (marker is not (0x01 or >= 0xD0 and <= 0xD7))              // TEM and RSTm stand without a segment
                Take(marker, Segment());
        if (Frame == null) throw Jpeg.Fault("that ends before its frame header (SOF)");
        foreach (JpegComponent component in Frame.Components)
            if (!component.Begun) throw Jpeg.Fault($"that ends without a scan for its component {component.Id}");
        if (Frame.Progressive)
            foreach (JpegComponent component in Frame.Components) component.Transform();
    }

    // FF and a byte that is neither 0 nor FF. Fill bytes FF may precede it; what else stands between segments is passed over.
    int Marker()
    {
        for (; at + 1 < file.Length; at++)
            if (file[at] == 0xFF && file[at + 1] is not (0x00 or 0xFF))
            {
                at += 2;
                return file[at - 1];
            }
        throw Jpeg.Fault("that ends too early: there is no end-of-image marker");
    }

    ReadOnlySpan<byte> Segment()
    {
        int length = at + 2 <= file.Length ? BinaryPrimitives.ReadUInt16BigEndian(file[at..]) : 2;
        if (length < 2) throw Jpeg.Fault($"with a segment of {length} bytes, less than its length field");
        if (length > file.Length - at) throw Jpeg.Fault($"that ends within a segment: {file.Length - at} of {length} bytes are there");
        ReadOnlySpan<byte> content = file.Slice(at + 2, length - 2);
        at += length;
        return content;
    }

    void Take(int marker, ReadOnlySpan<byte> content)
    {
        switch (marker)
        {
            case 0xC0 or 0xC1 or 0xC2:
                if (Frame != null) throw Jpeg.Fault("with two frame headers");
                Frame = JpegFrame.Read(content, progressive: marker == 0xC2);
                break;
            case 0xC4: ReadHuffman(content); break;
            case 0xDB: ReadQuantization(content); break;
            case 0xDD:
                if (content.Length != 2) throw Jpeg.Fault($"whose restart interval has {content.Length} bytes instead of 2");
                RestartInterval = BinaryPrimitives.ReadUInt16BigEndian(content);
                break;
            case 0xDA:
                if (++scans > JpegScan.Most) throw Jpeg.Fault($"with more than {JpegScan.Most} scans");
                at += new JpegScan(this, content, file[at..]).Read();
                break;
            case 0xE0: jfif |= content.StartsWith("JFIF\0"u8); break;
            case 0xE1 when !exif && content.StartsWith("Exif\0"u8):
                exif = true;
                Orientation = ExifOrientation.Read(content[Math.Min(6, content.Length)..]);
                break;
            case 0xEE when content.Length >= 12 && content.StartsWith("Adobe"u8): adobeTransform = content[11]; break;
            case 0xD8: throw Jpeg.Fault("with a second start-of-image marker");
            case 0xC3: throw Refused("lossless");
            case 0xC5 or 0xC6 or 0xC7 or 0xDE: throw Refused("hierarchical");
            case 0xC9 or 0xCA or 0xCB or 0xCC or 0xCD or 0xCE or 0xCF: throw Refused("arithmetically coded");
            case 0xF7: throw Refused("JPEG-LS");
        }
    }

    static PictureFormatException Refused(string kind) => Jpeg.Fault($"of a kind that is not read here: {kind}; baseline and progressive ones are");

    // DQT, B.2.4.1: precision and number of the table, then 64 numbers of 1 or 2 bytes in zigzag order.
    readonly void ReadQuantization(ReadOnlySpan<byte> content)
    {
        while (content.Length > 0)
        {
            int bytes = 1 + (content[0] >> 4), number = content[0] & 15;
            if (bytes > 2 || number > 3) throw Jpeg.Fault($"with a quantization table of the unknown kind {content[0]}");
            if (content.Length < 1 + 64 * bytes) throw Jpeg.Fault("with a quantization table that is cut off");
            int[] table = new int[64];
            for (int k = 0; k < 64; k++)
                table[JpegBlock.ZigZag[k]] = bytes == 1 ? content[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(content[(1 + 2 * k)..]);
            Quantization[number] = table;
            content = content[(1 + 64 * bytes)..];
        }
    }

    // DHT, B.2.4.2: class and number of the table, how many codes there are of 1 to 16 bits, and their values.
    readonly void ReadHuffman(ReadOnlySpan<byte> content)
    {
        while (content.Length > 0)
        {
            int kind = content[0] >> 4, number = content[0] & 15, values = 0;
            if (kind > 1 || number > 3) throw Jpeg.Fault($"with a Huffman table of the unknown kind {content[0]}");
            if (content.Length < 17) throw Jpeg.Fault("with a Huffman table that is cut off");
            foreach (byte codes in content[1..17]) values += codes;
            if (values > 256 || content.Length < 17 + values) throw Jpeg.Fault($"with a Huffman table of {values} values that is cut off");
            (kind == 0 ? Dc : Ac)[number] = new JpegHuffman(content[1..17], content.Slice(17, values), isDc: kind == 0);
            content = content[(17 + values)..];
        }
    }

    // JFIF is YCbCr; Adobe's segment (Technical Note 5116) says it in a byte; else names of components may tell. So does libjpeg.
    public readonly JpegSpace Space()
    {
        JpegComponent[] components = Frame!.Components;
        if (components.Length == 1) return JpegSpace.Grey;
        if (components.Length == 4) return adobeTransform is -1 or 0 ? JpegSpace.Cmyk : JpegSpace.Ycck;
        bool named = components[0].Id == 'R' && components[1].Id == 'G' && components[2].Id == 'B';
        return !jfif && (adobeTransform == 0 || (adobeTransform == -1 && named)) ? JpegSpace.Rgb : JpegSpace.YCbCr;
    }
}
