using System.Buffers.Binary;
using System.IO.Compression;

namespace MiniCnn.Tests;

public sealed class IdxTests : FolderTests
{
    static readonly byte[] twelve = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Images_come_as_they_were_written(bool zipped)
    {
        string path = Write("any name", Idx.Bytes(twelve, 0x803, 2, 3, 2), zipped);
        var (pixels, count, rows, columns) = IdxFile.ReadImages(path);
        Assert.Equal(twelve, pixels);
        Assert.Equal((2, 3, 2), (count, rows, columns));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Labels_come_as_they_were_written(bool zipped) =>
        Assert.Equal(twelve, IdxFile.ReadLabels(Write("labels.gz", Idx.Bytes(twelve, 0x801, 12), zipped)));

    // Black images pack at nearly deflate's limit, 1032 : 1; memory has to grow to the declared size.
    [Fact]
    public void Images_that_pack_well_are_read_whole()
    {
        byte[] black = new byte[5_000_000];
        black[^1] = 7;
        Assert.Equal(black, IdxFile.ReadImages(Write("black", Idx.Bytes(black, 0x803, 50, 250, 400), zipped: true)).Pixels);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_not_exactly_IDX_images_is_refused(bool zipped)
    {
        Refused("0x00000801, not with 0x00000803", Idx.Bytes(twelve, 0x801, 12, 1, 1));
        Refused("0x00000903, not with 0x00000803", Idx.Bytes(twelve, 0x903, 12, 1, 1));
        Refused("0x3C21444F, not with 0x00000803", "<!DOCTYPE html><html></html>"u8.ToArray());
        Refused("declares 0×28×28 bytes, no data at all", Idx.Bytes([], 0x803, 0, 28, 28));
        Refused("declares 12×0×1 bytes, no data at all", Idx.Bytes(twelve, 0x803, 12, 0, 1));
        Refused("declares 12×1×0 bytes, no data at all", Idx.Bytes(twelve, 0x803, 12, 1, 0));
        Refused("declares 3×2×2 bytes", Idx.Bytes(twelve[..^1], 0x803, 3, 2, 2));
        Refused("declares 3×2×2 bytes", Idx.Bytes([], 0x803, 3, 2, 2));
        Refused("has more data after the 3×2×2 bytes", Idx.Bytes([.. twelve, 0], 0x803, 3, 2, 2));
        Refused("ends after 15 bytes, within the header of 16", Idx.Bytes([], 0x803, 3, 2, 2)[..15]);
        Refused("ends after 3 bytes, within the header of 16", [0, 0, 8]);
        if (!zipped)
            Refused("ends after 0 bytes, within the header of 16", []);
        Refused("declares 4000000000×28×28 bytes, more than", Idx.Bytes(twelve, 0x803, 4_000_000_000, 28, 28));
        Refused("declares 65536×65536×1 bytes, more than", Idx.Bytes(twelve, 0x803, 65536, 65536, 1));      // 2³², 0 in 32 bits
        Refused("declares 2147483648×2147483648×4 bytes, more", Idx.Bytes(twelve, 0x803, 1u << 31, 1u << 31, 4));     // 2⁶⁴, 0 in 64 bits

        void Refused(string fault, byte[] content) => AssertRefused(fault, Write("hostile", content, zipped));
    }

    [Fact]
    public void Labels_that_are_images_are_refused()
    {
        string path = Write("images", Idx.Bytes(twelve, 0x803, 2, 3, 2));
        var e = Assert.Throws<InvalidDataException>(() => IdxFile.ReadLabels(path));
        Assert.Equal($"{path}: expected IDX labels; it begins with 0x00000803, not with 0x00000801", e.Message);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        foreach (string path in new[] { PathOf("none"), Path.Combine(folder, "no", "folder"), folder })
        {
            var e = Assert.Throws<FileNotFoundException>(() => IdxFile.ReadImages(path));
            Assert.Equal($"{path}: there is no such file; expected IDX images", e.Message);
        }
    }

    [Fact]
    public void A_gzip_file_cut_anywhere_is_refused()
    {
        byte[] whole = Idx.Gzip(Idx.Bytes(twelve, 0x803, 2, 3, 2));
        for (int length = 0; length < whole.Length; length++)
            AssertRefused("", Write("cut", whole[..length]));
        AssertRefused("followed by other data", Write("followed", [.. whole, 1, 2, 3, 4]));
    }

    // A flipped bit is found by zlib or its checksum, or lies in the header's time, flags and system, which say nothing.
    [Fact]
    public void A_gzip_file_with_a_flipped_bit_is_refused_or_read_right()
    {
        byte[] whole = Idx.Gzip(Idx.Bytes(twelve, 0x803, 2, 3, 2));
        for (int bit = 0; bit < 8 * whole.Length; bit++)
        {
            byte[] flipped = [.. whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            string path = Write("flipped", flipped);
            if (bit / 8 is >= 3 and < 10)
                try
                {
                    Assert.Equal(twelve, IdxFile.ReadImages(path).Pixels);
                }
                catch (InvalidDataException)
                {
                }
            else
                AssertRefused("", path);
        }
    }

    [Fact]
    public void Memory_follows_what_is_there_not_what_is_declared()
    {
        byte[] noise = new byte[1_000_000];
        new Random(1).NextBytes(noise);
        string plain = Write("plain", Idx.Bytes(noise, 0x803, 2000, 1000, 1000));
        string zipped = Write("zipped", Idx.Bytes(noise, 0x803, 500, 1000, 1000), zipped: true);
        string bomb = Write("bomb", Idx.Bytes(new byte[50_000_000], 0x803, 3, 2, 2), zipped: true);
        AssertRefused("more than a file of 1000016 bytes holds", plain, mostBytes: 100_000);
        AssertRefused("declares 500×1000×1000 bytes, but it ends after 1000000", zipped, mostBytes: 9_000_000);
        AssertRefused("has more data after the 3×2×2 bytes", bomb, mostBytes: 500_000);
    }

    static void AssertRefused(string fault, string path, long mostBytes = long.MaxValue)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<InvalidDataException>(() => IdxFile.ReadImages(path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, mostBytes);
        Assert.StartsWith($"{path}: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    string Write(string name, byte[] content, bool zipped = false)
    {
        string path = PathOf(name);
        File.WriteAllBytes(path, zipped ? Idx.Gzip(content) : content);
        return path;
    }
}

/// <summary>Creates IDX files with any header.</summary>
static class Idx
{
    public static byte[] Bytes(byte[] data, uint magic, params uint[] sizes)
    {
        var bytes = new byte[4 + 4 * sizes.Length + data.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, magic);
        for (int axis = 0; axis < sizes.Length; axis++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + 4 * axis), sizes[axis]);
        data.CopyTo(bytes, 4 + 4 * sizes.Length);
        return bytes;
    }

    public static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
            gzip.Write(content);
        return stream.ToArray();
    }
}
