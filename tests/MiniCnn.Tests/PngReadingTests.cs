using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>What PNG files may have that RecordedPictureTests' do not, and what they may not.</summary>
public sealed class PngReadingTests
{
    static readonly (string, byte[]) end = ("IEND", []);

    static byte[] File(params (string Name, byte[] Data)[] chunks)
    {
        byte[] file = [.. Png.Signature, .. chunks.SelectMany(c => (byte[])[0, 0, 0, 0, .. Encoding.Latin1.GetBytes(c.Name), .. c.Data, 0, 0, 0, 0])];
        int at = 8;
        foreach ((string _, byte[] data) in chunks)
        {
            BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(at), data.Length);
            at += 12 + data.Length;
        }
        Repair(file);
        return file;
    }

    // Makes all check sums right.
    static void Repair(byte[] file)
    {
        for (int at = 8; file.Length - at >= 12;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12) return;
            at += 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(at), PngTests.Crc(file[(at - 4 - (int)length)..at]));
            at += 4;
        }
    }

    // Makes the signature, lengths and check sums right where the chunks' names are still there.
    static void Mend(byte[] file)
    {
        Png.Signature[..Math.Min(8, file.Length)].CopyTo(file);
        string text = Encoding.Latin1.GetString(file);
        int[] chunks = [.. Regex.Matches(text, "IHDR|PLTE|tRNS|IDAT|IEND|tEXt").Select(m => m.Index), file.Length + 4];
        for (int i = 0; i + 1 < chunks.Length; i++)
            if (chunks[i] >= 12 && chunks[i + 1] - chunks[i] >= 12)
                BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(chunks[i] - 4), chunks[i + 1] - chunks[i] - 12);
        Repair(file);
    }

    static (string, byte[]) Header(uint width, uint height, byte depth = 8, byte type = 0, byte compression = 0, byte filter = 0, byte interlace = 0) =>
        ("IHDR", [.. Bytes(width), .. Bytes(height), depth, type, compression, filter, interlace]);

    static byte[] Bytes(uint number) => [(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];

    static (string, byte[]) Data(params byte[] rows)
    {
        MemoryStream packed = new();
        using (ZLibStream zlib = new(packed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(rows);
        return ("IDAT", packed.ToArray());
    }

    static byte[] Damage(byte[] file, string chunk)
    {
        file[file.AsSpan().IndexOf(Encoding.Latin1.GetBytes(chunk)) + 4] ^= 1;
        return file;
    }

    [Fact]
    public void What_need_not_be_known_is_passed_over()
    {
        byte[] file = File(Header(2, 1), ("zzZz", [1, 2, 3]), ("PLTE", [1, 2, 3]), Data(0, 7, 8), ("tEXt", [65, 0, 66]), end);
        Assert.Equal([7, 8], Png.Decode(file).Pixels);
        Assert.Equal([7, 8], Png.Decode(Damage(file, "tEXt")).Pixels);
        Assert.Equal([7, 8], Png.Decode([.. file, 1, 2, 3]).Pixels);
        Assert.Equal([7, 8], Png.Decode(File(Header(2, 1), Data(0, 7, 8, 0, 9, 9), end)).Pixels);    // more rows than the header has
    }

    [Fact]
    public void A_palette_may_have_fewer_alphas_or_more_colors_than_needed()
    {
        byte[] colors = [10, 20, 30, 40, 50, 60, 70, 80, 90];
        Assert.Equal([255, 255, 255, 40, 50, 60], Png.Decode(File(Header(2, 1, 1, 3), ("PLTE", colors), ("tRNS", [0]), Data(0, 0b0100_0000), end)).Pixels);
        Assert.Equal([10, 20, 30], Png.Decode(File(Header(1, 1, 8, 3), ("PLTE", colors), ("tRNS", [255, 0, 0, 0, 0]), Data(0, 0), end)).Pixels);
    }

    [Fact]
    public void What_is_wrong_is_told()
    {
        (string, byte[]) one = Data(0, 7), palette = ("PLTE", [1, 2, 3]);
        Refused("a PNG that ends early, before IEND", File());
        Refused("a PNG that ends early, before IEND", File(Header(1, 1), one));
        Refused("a PNG that ends early, 13 bytes were due at 16", File(Header(1, 1))[..30]);
        Refused("a PNG with no IHDR before IDAT", File(one, end));
        Refused("a PNG with no IHDR before IEND", File(end));
        Refused("a PNG with a second IHDR before IHDR", File(Header(1, 1), Header(1, 1), one, end));
        Refused("a PNG with a header of 12 bytes, not 13", File(("IHDR", Header(1, 1).Item2[..12]), one, end));
        Refused("a damaged PNG, the check sum of its IHDR is wrong", Damage(File(Header(1, 1), one, end), "IHDR"));
        Refused("a damaged PNG, the check sum of its IDAT is wrong", Damage(File(Header(1, 1), one, end), "IDAT"));
        Refused("a damaged PNG, the check sum of its tRNS is wrong", Damage(File(Header(1, 1), ("tRNS", [0, 0]), one, end), "tRNS"));
        Refused("a damaged PNG, 49444120 is not a chunk's name", File(Header(1, 1), ("IDA ", []), end));
        Refused("a PNG with CgBI, which is not known and not optional", File(Header(1, 1), ("CgBI", []), one, end));
        foreach ((byte depth, byte type) in ((byte, byte)[])[(0, 0), (3, 0), (32, 0), (4, 2), (16, 3), (4, 4), (2, 6), (8, 1), (8, 5), (8, 7)])
            Refused($"a PNG of color type {type}, {depth} bits, compression 0, filter 0, interlace 0, ", File(Header(1, 1, depth, type), palette, one, end));
        Refused("a PNG of color type 0, 8 bits, compression 1, filter 0, interlace 0, which there is not", File(Header(1, 1, compression: 1), one, end));
        Refused("a PNG of color type 0, 8 bits, compression 0, filter 1, interlace 0, which there is not", File(Header(1, 1, filter: 1), one, end));
        Refused("a PNG of color type 0, 8 bits, compression 0, filter 0, interlace 2, which there is not", File(Header(1, 1, interlace: 2), one, end));
        Refused("a PNG of 0×1 pixels", File(Header(0, 1), one, end));
        Refused("a PNG of 1×0 pixels", File(Header(1, 0), one, end));
        Refused("a PNG of 10001×10000 pixels; up to 100000000 are read, 65535 in a row or column", File(Header(10001, 10000), one, end));
        Refused("a PNG of 65536×1 pixels; up to 100000000 are read, 65535 in a row or column", File(Header(65536, 1), one, end));
        Refused("a PNG of 4294967295×4294967295 pixels; up to", File(Header(uint.MaxValue, uint.MaxValue), one, end));
        Refused("a PNG of 10000×10000 pixels, 100010000 bytes, which its 10 compressed bytes cannot hold", File(Header(10000, 10000), Data(0, 7), end));
        Refused("a PNG of 1×1 pixels, 2 bytes, which its 0 compressed bytes cannot hold", File(Header(1, 1), end));
        Refused("a damaged PNG, its pixels cannot be decompressed", File(Header(1, 1), ("IDAT", [0x78, 0x9C, 0xFF, 0xFF]), end));
        Refused("a damaged PNG, its pixels cannot be decompressed", File(Header(1, 1), ("IDAT", [0x78, 0xBB, 1, 2, 3, 4, 5]), end));    // a dictionary
        Refused("a PNG that ends early, before its last pixel", File(Header(1, 2), one, end));
        Refused("a PNG that ends early, before its last pixel", File(Header(2, 1), one, end));
        Refused("a damaged PNG, a row has filter 5", File(Header(1, 1), Data(5, 7), end));
        Refused("a PNG with a palette of 0 bytes", File(Header(1, 1, 8, 3), one, end));
        Refused("a PNG with a palette of 4 bytes", File(Header(1, 1, 8, 3), ("PLTE", [1, 2, 3, 4]), one, end));
        Refused("a damaged PNG, a pixel has color 1 of a palette of 1", File(Header(2, 1, 1, 3), palette, Data(0, 0b0100_0000), end));

        static void Refused(string message, byte[] file)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.StartsWith(message, Assert.Throws<PictureFormatException>(() => Png.Decode(file)).Message, StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    [Fact]
    public void A_file_that_is_cut_anywhere_is_refused()
    {
        byte[] file = RecordedPictureTests.Files("png")[0];
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<PictureFormatException>(() => Png.Decode(file.AsSpan(0, length)));
    }

    // 100 MB of zeros where two bytes are declared.
    [Fact]
    public void No_more_is_decompressed_than_the_header_declares()
    {
        byte[] file = File(Header(1, 1), Data(new byte[100_000_000]), end);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal([0], Png.Decode(file).Pixels);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Mutated_files_give_a_picture_or_are_refused() =>
        MutatedFiles.Decode([.. RecordedPictureTests.Files("png").Where(f => f.Length < 5000)], file => Png.Decode(file), Mend, memoryPerByte: 1032 * 24 + 10);
}
