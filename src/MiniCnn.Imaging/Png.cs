using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MiniCnn.Imaging;

/// <summary>Pictures as PNG files. See https://www.w3.org/TR/png-3.</summary>
public static class Png
{
    internal static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    static readonly uint[] CrcTable = [.. Enumerable.Range(0, 256).Select(n =>
    {
        uint c = (uint)n;
        for (int bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
        return c;
    })];

    /// <summary>Writes <paramref name="path"/>, whole or not at all; the same picture gives the same bytes.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        AtomicFile.Write(path, stream => Write(stream, picture));
    }

    /// <summary>Writes a picture to a stream: 8 bits a channel, grey or RGB, not interlaced.</summary>
    public static void Write(Stream stream, Picture picture)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(picture);
        stream.Write(Signature);

        Span<byte> header = stackalloc byte[13];    // ends in compression 0, filter 0, interlace 0
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], picture.Height);
        header[8] = 8;                                          // bits a channel
        header[9] = (byte)(picture.Channels == 1 ? 0 : 2);      // grey or RGB
        WriteChunk(stream, "IHDR"u8, header);
        WriteChunk(stream, "IDAT"u8, Compress(picture));
        WriteChunk(stream, "IEND"u8, []);
    }

    // Each row as its difference from the row above (filter 2, "Up"), the first from zeros; then zlib.
    static byte[] Compress(Picture picture)
    {
        using MemoryStream compressed = new();
        using (ZLibStream zlib = new(compressed, CompressionLevel.Optimal))
        {
            int length = picture.Width * picture.Channels;
            ReadOnlySpan<byte> above = new byte[length];
            var filtered = new byte[1 + length];
            filtered[0] = 2;
            for (int y = 0; y < picture.Height; y++)
            {
                Span<byte> row = picture.Pixels.AsSpan(y * length, length);
                for (int i = 0; i < length; i++) filtered[1 + i] = (byte)(row[i] - above[i]);
                zlib.Write(filtered);
                above = row;
            }
        }
        return compressed.ToArray();
    }

    // Length, name, data, and the CRC-32 of name and data.
    static void WriteChunk(Stream stream, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(name);
        stream.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(Crc(uint.MaxValue, name), data));
        stream.Write(number);
    }

    // All that PNG can hold: grey, colour or palette, alpha or a transparent colour, 1 to 16 bits, interlaced or not; of an animation the first.
    internal static Picture Decode(ReadOnlySpan<byte> file)
    {
        if (!file.StartsWith(Signature)) throw new PictureFormatException("expected a PNG's signature");
        PngReader? reader = null;
        for (int at = Signature.Length; ;)
        {
            if (file.Length - at < 12) throw new PictureFormatException("a PNG that ends early, before IEND");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > file.Length - at - 12) throw new PictureFormatException($"a PNG that ends early, {length} bytes were due at {at + 8}");
            ReadOnlySpan<byte> name = file.Slice(at + 4, 4), data = file.Slice(at + 8, (int)length);
            at += 12 + (int)length;
            string chunk = Encoding.Latin1.GetString(name);
            if (!chunk.All(char.IsAsciiLetter)) throw new PictureFormatException($"a damaged PNG, {Convert.ToHexString(name)} is not a chunk's name");
            bool optional = char.IsAsciiLetterLower(chunk[0]);
            if (optional && chunk != "tRNS") continue;
            if (BinaryPrimitives.ReadUInt32BigEndian(file[(at - 4)..]) != ~Crc(Crc(uint.MaxValue, name), data))
                throw new PictureFormatException($"a damaged PNG, the check sum of its {chunk} is wrong");

            if (chunk == "IHDR" != reader is null) throw new PictureFormatException($"a PNG with {(reader is null ? "no" : "a second")} IHDR before {chunk}");
            switch (chunk)
            {
                case "IHDR": reader = new(data); break;
                case "PLTE": reader!.Palette = data.ToArray(); break;
                case "tRNS": reader!.Transparent = data.ToArray(); break;
                case "IDAT": reader!.Compressed.Write(data); break;
                case "IEND": return reader!.Read();
                default: throw new PictureFormatException($"a PNG with {chunk}, which is not known and not optional");
            }
        }
    }

    static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data) crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }
}
