using System.Buffers.Binary;

namespace MiniCnn.Imaging;

/// <summary>What the frame header says (SOF, T.81 B.2.2): the picture's size, and its components with their sampling.</summary>
sealed class JpegFrame
{
    JpegFrame(int width, int height, bool progressive, JpegComponent[] components)
    {
        (Width, Height, Progressive, Components) = (width, height, progressive, components);
        MaxH = components.Max(c => c.H);
        MaxV = components.Max(c => c.V);
        McusWide = Ceiling(width, 8 * MaxH);
        McusHigh = Ceiling(height, 8 * MaxV);
    }

    public int Width { get; }

    public int Height { get; }

    public bool Progressive { get; }

    public JpegComponent[] Components { get; }

    /// <summary>The largest sampling factors: the component that has them has a sample for every pixel.</summary>
    public int MaxH { get; }

    public int MaxV { get; }

    /// <summary>Minimum coded units, each H·V blocks of every component (A.2.3), side by side and one below the other.</summary>
    public int McusWide { get; }

    public int McusHigh { get; }

    public static JpegFrame Read(ReadOnlySpan<byte> content, bool progressive)
    {
        if (content.Length < 6 || content.Length != 6 + 3 * content[5]) throw Jpeg.Fault("whose frame header has a wrong length");
        int bits = content[0], height = BinaryPrimitives.ReadUInt16BigEndian(content[1..]);
        int width = BinaryPrimitives.ReadUInt16BigEndian(content[3..]), count = content[5];
        if (bits != 8) throw Jpeg.Fault($"of {bits} bits a sample; only 8 are read here");
        if (height == 0) throw Jpeg.Fault("that gives its height after the first scan (DNL), which is not read here");
        Picture.CheckFileSize("a JPEG", width, height);
        if (count is not (1 or 3 or 4)) throw Jpeg.Fault($"of {count} components; 1, 3 or 4 are read here");

        JpegComponent[] components = new JpegComponent[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> c = content.Slice(6 + 3 * i, 3);
            components[i] = new(c[0], h: c[1] >> 4, v: c[1] & 15, c[2]);
            if (components[i].H is < 1 or > 4 || components[i].V is < 1 or > 4)
                throw Jpeg.Fault($"with sampling factors {components[i].H}×{components[i].V}, not from 1 to 4");
            if (c[2] > 3) throw Jpeg.Fault($"that names the quantization table {c[2]}, not one from 0 to 3");
            if (components.Take(i).Any(other => other.Id == components[i].Id)) throw Jpeg.Fault($"with two components {c[0]}");
        }
        JpegFrame frame = new(width, height, progressive, components);
        foreach (JpegComponent c in components)
        {
            if (frame.MaxH % c.H != 0 || frame.MaxV % c.V != 0)
                throw Jpeg.Fault($"with sampling factors {c.H}×{c.V} that do not divide {frame.MaxH}×{frame.MaxV}");
            c.Lay(frame);
        }
        return frame;
    }

    public static int Ceiling(int count, int group) => (count + group - 1) / group;
}

/// <summary>One component: brightness, a colour difference, an ink.</summary>
sealed class JpegComponent(int id, int h, int v, int table)
{
    public int Id => id;

    /// <summary>Sampling factors (T.81 A.1.1): the component has H/MaxH of the picture's columns and V/MaxV of its rows.</summary>
    public int H => h;

    public int V => v;

    /// <summary>The number of its quantization table.</summary>
    public int Table => table;

    /// <summary>Samples that belong to the picture.</summary>
    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Blocks of 8×8 that hold them.</summary>
    public int BlocksWide { get; private set; }

    public int BlocksHigh { get; private set; }

    /// <summary>Samples from a row to the next; rows and columns are filled up to whole MCUs.</summary>
    public int Stride { get; private set; }

    int rows;

    /// <summary>The samples, once the first scan has begun.</summary>
    public byte[] Samples { get; private set; } = [];

    /// <summary>Progressive only: the coefficients as far as they are known, 64 for each block, in natural order.</summary>
    public short[] Coefficients { get; private set; } = [];

    /// <summary>Progressive only: the lowest bit known of each coefficient, 14 before the first.</summary>
    public byte[] KnownDownTo { get; } = [.. Enumerable.Repeat((byte)14, 64)];

    /// <summary>The table that held when the first scan began.</summary>
    public int[] Quantization { get; private set; } = [];

    // While a scan is read
    public JpegHuffman? Dc, Ac;
    public int Predictor;

    public bool Begun => Samples.Length > 0;

    public void Lay(JpegFrame frame)
    {
        Width = JpegFrame.Ceiling(frame.Width * H, frame.MaxH);
        Height = JpegFrame.Ceiling(frame.Height * V, frame.MaxV);
        (BlocksWide, BlocksHigh) = (JpegFrame.Ceiling(Width, 8), JpegFrame.Ceiling(Height, 8));
        (Stride, rows) = (8 * H * frame.McusWide, 8 * V * frame.McusHigh);
    }

    /// <summary>Takes memory; the file was seen to be long enough for so many blocks.</summary>
    public void Begin(int[] quantization, bool progressive)
    {
        Quantization = quantization;
        Samples = new byte[Stride * rows + JpegColor.Slack];
        if (progressive) Coefficients = new short[Stride * rows];
    }

    /// <summary>Where the coefficients of a block begin.</summary>
    public int Block(int x, int y) => 64 * (y * (Stride / 8) + x);

    /// <summary>Coefficients become samples.</summary>
    public void Transform()
    {
        for (int y = 0; y < BlocksHigh; y++)
            for (int x = 0; x < BlocksWide; x++)
                JpegIdct.Run(Coefficients.AsSpan(Block(x, y), 64), Quantization, Samples.AsSpan(8 * (y * Stride + x)), Stride);
        Coefficients = [];
    }
}
