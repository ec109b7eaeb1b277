using System.Buffers.Binary;
using System.IO.Compression;

namespace MiniCnn.Imaging;

/// <summary>Pictures as PNG files. See https://www.w3.org/TR/png-3.</summary>
public static class Png
{
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
        stream.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);

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

    static uint Crc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data) crc = CrcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }
}
