using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class PngTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 1, 3)]
    [InlineData(1, 9, 3)]
    [InlineData(9, 1, 1)]
    [InlineData(28, 27, 1)]
    [InlineData(31, 64, 3)]
    [InlineData(400, 300, 3)]
    public void What_is_written_is_decoded_by_an_independent_reader(int width, int height, int channels)
    {
        var picture = new Picture(width, height, channels);
        new Random(width).NextBytes(picture.Pixels);
        using var stream = new MemoryStream();
        Png.Write(stream, picture);

        var (w, h, c, pixels) = Decode(stream.ToArray());
        Assert.Equal((width, height, channels), (w, h, c));
        Assert.Equal(picture.Pixels, pixels);
    }

    [Fact]
    public void A_flat_picture_is_small()
    {
        using var stream = new MemoryStream();
        Png.Write(stream, new Picture(1000, 1000));
        Assert.InRange(stream.Length, 0, 10_000);
    }

    [Fact]
    public void A_file_holds_the_same_bytes_each_time_and_stands_alone()
    {
        var folder = Directory.CreateTempSubdirectory("minicnn-");
        try
        {
            var picture = new Picture(20, 10);
            new Random(1).NextBytes(picture.Pixels);
            string path = Path.Combine(folder.FullName, "a.png");
            File.WriteAllBytes(path, new byte[10_000]);
            Png.Write(path, picture);
            byte[] first = File.ReadAllBytes(path);
            Png.Write(path, picture);
            Assert.Equal(first, File.ReadAllBytes(path));
            Assert.Equal(picture.Pixels, Decode(first).Pixels);
            Assert.Equal([path], Directory.GetFileSystemEntries(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(0, 1, 3)]
    [InlineData(1, -1, 3)]
    [InlineData(1, 1, 2)]
    [InlineData(int.MaxValue, int.MaxValue, 3)]
    [InlineData(65536, 65536, 1)]
    public void A_picture_without_pixels_or_with_too_many_is_refused(int width, int height, int channels) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Picture(width, height, channels));

    // Written from the standard: signature, chunks with their CRC, zlib, all five filters.
    static (int Width, int Height, int Channels, byte[] Pixels) Decode(byte[] png)
    {
        Assert.Equal([137, 80, 78, 71, 13, 10, 26, 10], png[..8]);
        var chunks = new List<(string Name, byte[] Data)>();
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            byte[] content = png[(at + 4)..(at + 8 + length)];
            Assert.Equal(Crc(content), BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at + 8 + length)));
            chunks.Add((Encoding.ASCII.GetString(content, 0, 4), content[4..]));
            at += 12 + length;
        }
        Assert.Equal(["IHDR", "IDAT", "IEND"], chunks.Select(c => c.Name));
        byte[] header = chunks[0].Data;
        int width = BinaryPrimitives.ReadInt32BigEndian(header), height = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4));
        int channels = header[9] switch { 0 => 1, 2 => 3, _ => throw new InvalidDataException() };
        Assert.Equal([8, header[9], 0, 0, 0], header[8..]);
        Assert.Empty(chunks[2].Data);

        using var zlib = new ZLibStream(new MemoryStream(chunks[1].Data), CompressionMode.Decompress);
        using var raw = new MemoryStream();
        zlib.CopyTo(raw);
        byte[] bytes = raw.ToArray(), pixels = new byte[width * height * channels];
        int row = width * channels;
        Assert.Equal(height * (row + 1), bytes.Length);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < row; x++)
            {
                int a = x < channels ? 0 : pixels[y * row + x - channels];
                int b = y == 0 ? 0 : pixels[(y - 1) * row + x];
                int c = x < channels || y == 0 ? 0 : pixels[(y - 1) * row + x - channels];
                int p = a + b - c, pa = Math.Abs(p - a), pb = Math.Abs(p - b), pc = Math.Abs(p - c);
                int prediction = bytes[y * (row + 1)] switch
                {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => (a + b) / 2,
                    4 => pa <= pb && pa <= pc ? a : pb <= pc ? b : c,
                    _ => throw new InvalidDataException(),
                };
                pixels[y * row + x] = (byte)(bytes[y * (row + 1) + 1 + x] + prediction);
            }
        return (width, height, channels, pixels);
    }

    internal static uint Crc(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (((crc ^ (uint)(b >> bit)) & 1) * 0xEDB88320);
        return ~crc;
    }
}
