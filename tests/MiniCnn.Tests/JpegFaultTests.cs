using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Files with a fault, made by hand: each is refused in one line that says what is wrong, before memory is taken for it.</summary>
public sealed class JpegFaultTests
{
    // Ones for quantization; the code 0 is a difference of no bits, or the end of a block; 10, 110 and 1110 what the tests need.
    static readonly byte[] quantization = Segment(0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]);
    static readonly byte[] dc = Huffman(0x00, [1, 1], [0, 4]), ac = Huffman(0x10, [1, 1, 1, 1], [0x00, 0xF1, 0x02, 0x10]);
    static readonly byte[] tables = [.. quantization, .. dc, .. ac];
    static readonly byte[] grey = Frame(0xC0, 8, 8, [1, 0x11, 0]);

    [Fact]
    public void The_smallest_file_is_one_grey_block()
    {
        Picture picture = Jpeg.Decode(File(tables, grey, Scan([1], 0b00_111111)));
        Assert.Equal((8, 8, 1), (picture.Width, picture.Height, picture.Channels));
        Assert.All(picture.Pixels, pixel => Assert.Equal(128, pixel));
    }

    // A mean of 8 is a level; progressive, 8·2³ is 8 levels, and 4 more are half a level, rounded up.
    [Fact]
    public void A_difference_of_four_bits_makes_the_block_lighter()
    {
        Assert.All(Jpeg.Decode(File(tables, grey, Scan([1], 0b10_1000_0_1))).Pixels, pixel => Assert.Equal(129, pixel));
        Assert.All(Jpeg.Decode(File(tables, grey, Scan([1], 0b10_1100_0_1))).Pixels, pixel => Assert.Equal(130, pixel));     // 12/8 = 1.5
        byte[] first = Scan([1], [0, 0, 0x03], 0b10_1000_11), second = Scan([1], [0, 0, 0x32], 0b1_0000000), frame = Frame(0xC2, 8, 8, [1, 0x11, 0]);
        Assert.All(Jpeg.Decode(File(tables, frame, first)).Pixels, pixel => Assert.Equal(128 + 8, pixel));
        Assert.Equal(128 + 9, Jpeg.Decode(File(tables, frame, first, second)).Pixels[0]);     // 68/8 = 8.5
    }

    // The first block says that two more have no coefficients; the second one, after the restart, has one all the same.
    [Fact]
    public void A_restart_ends_a_run_of_blocks()
    {
        byte[] frame = Frame(0xC2, 16, 8, [1, 0x11, 0]), mean = Scan([1], [0, 0, 0], 0b00_111111, 0xFF, 0xD0, 0b00_111111);
        byte[] others = Scan([1], [1, 5, 0x05], 0b1110_1_111, 0xFF, 0xD0, 0b110_11_0_11);
        Picture picture = Jpeg.Decode(File(tables, Segment(0xDD, [0, 1]), frame, mean, others));
        Assert.Equal((128, 145), (picture.Pixels[7], picture.Pixels[8]));    // 3·2⁵·cos(π/16)·√2/8 = 16.6
    }

    [Fact]
    public void What_is_no_JPEG_or_of_another_kind_is_refused()
    {
        Refused("begins with the bytes FF D8", []);
        Refused("begins with the bytes FF D8", [0xFF]);
        Refused("begins with the bytes FF D8", "\x89PNG\r\n"u8.ToArray());
        foreach ((int marker, string kind) in new[]
        {
            (0xC3, "lossless"), (0xC5, "hierarchical"), (0xC6, "hierarchical"), (0xC7, "hierarchical"), (0xDE, "hierarchical"),
            (0xC9, "arithmetically coded"), (0xCA, "arithmetically coded"), (0xCB, "arithmetically coded"), (0xF7, "JPEG-LS"),
        })
            Refused("of a kind that is not read here: " + kind, File(tables, Frame(marker, 8, 8, [1, 0x11, 0])));
        byte[] twelve = Frame(0xC1, 8, 8, [1, 0x11, 0]);
        twelve[4] = 12;
        Refused("of 12 bits a sample", File(tables, twelve));
    }

    [Fact]
    public void Frames_that_make_no_sense_are_refused()
    {
        Refused("before its frame header", File());
        Refused("before its frame header", File(tables, Scan([1], 0)));
        Refused("two frame headers", File(tables, grey, grey));
        Refused("second start-of-image", File(tables, Segment(0xD8, []), grey));
        Refused("gives its height after", File(tables, Frame(0xC0, 8, 0, [1, 0x11, 0])));
        Refused("0×8 pixels", File(tables, Frame(0xC0, 0, 8, [1, 0x11, 0])));
        Refused("65535×65535 pixels; up to 100000000", File(tables, Frame(0xC0, 65535, 65535, [1, 0x11, 0])));
        Refused("2 components", File(tables, Frame(0xC0, 8, 8, [1, 0x11, 0], [2, 0x11, 0])));
        Refused("0 components", File(tables, Frame(0xC0, 8, 8)));
        Refused("factors 0×1, not", File(tables, Frame(0xC0, 8, 8, [1, 0x01, 0])));
        Refused("factors 1×0, not", File(tables, Frame(0xC0, 8, 8, [1, 0x10, 0])));
        Refused("factors 5×1, not", File(tables, Frame(0xC0, 8, 8, [1, 0x51, 0])));
        Refused("factors 2×1 that do not divide 3×1", File(tables, Frame(0xC0, 8, 8, [1, 0x31, 0], [2, 0x21, 0], [3, 0x11, 0])));
        Refused("factors 1×3 that do not divide 1×4", File(tables, Frame(0xC0, 8, 8, [1, 0x14, 0], [2, 0x13, 0], [3, 0x11, 0])));
        Refused("quantization table 4", File(tables, Frame(0xC0, 8, 8, [1, 0x11, 4])));
        Refused("two components 7", File(tables, Frame(0xC0, 8, 8, [1, 0x11, 0], [7, 0x11, 0], [7, 0x11, 0])));
        Refused("frame header has a wrong length", File(tables, Segment(0xC0, [8, 0, 8, 0])));
        Refused("frame header has a wrong length", File(tables, Segment(0xC0, [.. grey[4..], 0])));
        Refused("frame header has a wrong length", File(tables, Segment(0xC0, grey[4..^1])));
    }

    [Fact]
    public void Tables_that_make_no_sense_are_refused()
    {
        Refused("quantization table of the unknown kind 32", File(Segment(0xDB, [0x20, .. new byte[192]])));
        Refused("quantization table of the unknown kind 4", File(Segment(0xDB, [0x04, .. new byte[64]])));
        Refused("quantization table that is cut off", File(Segment(0xDB, new byte[64])));
        Refused("quantization table that is cut off", File(Segment(0xDB, [0x10, .. new byte[127]])));
        Refused("Huffman table of the unknown kind 32", File(Huffman(0x20, [1], [0])));
        Refused("Huffman table of the unknown kind 4", File(Huffman(0x04, [1], [0])));
        Refused("Huffman table that is cut off", File(Segment(0xC4, new byte[16])));
        Refused("of 2 values that is cut off", File(Huffman(0x00, [1, 1], [0])));
        Refused("of 257 values that is cut off", File(Huffman(0x10, [0, 0, 0, 0, 0, 0, 0, 2, 255], new byte[257])));
        Refused("more codes than 1 bits can tell", File(Huffman(0x10, [3], new byte[3])));
        Refused("more codes than 3 bits can tell", File(Huffman(0x10, [1, 1, 3], new byte[5])));
        Refused("more codes than 12 bits can tell", File(Huffman(0x10, [1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1], new byte[5])));
        Refused("difference of more than 15 bits", File(Huffman(0x00, [1], [16])));
        Refused("restart interval has 3 bytes", File(Segment(0xDD, new byte[3])));
        Refused("without the quantization table 0", File(dc, ac, grey, Scan([1], 0)));
        Refused("without the Huffman table", File(quantization, ac, grey, Scan([1], 0)));
        Refused("without the Huffman table", File(quantization, dc, grey, Scan([1], 0)));
    }

    [Fact]
    public void Scans_that_make_no_sense_are_refused()
    {
        byte[] color = Frame(0xC0, 8, 8, [1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]);
        byte[] large = Frame(0xC0, 8, 8, [1, 0x44, 0], [2, 0x11, 0], [3, 0x11, 0]);
        Refused("a component 9 that it has not", File(tables, grey, Scan([9], 0)));
        Refused("names its component 2 twice", File(tables, color, Scan([1, 2, 2], 0)));
        Refused("two scans of its component 1", File(tables, color, Scan([1], 0), Scan([1, 2], 0)));
        Refused("without a scan for its component 3", File(tables, color, Scan([1, 2], 0)));
        Refused("18 blocks in turn", File(tables, large, Scan([1, 2, 3], new byte[100])));
        Refused("Huffman table beyond 3", File(tables, grey, Segment(0xDA, [1, 1, 0x40, 0, 63, 0])));
        Refused("Huffman table beyond 3", File(tables, grey, Segment(0xDA, [1, 1, 0x04, 0, 63, 0])));
        Refused("scan header has a wrong length", File(tables, grey, Segment(0xDA, [])));
        Refused("scan header has a wrong length", File(tables, grey, Segment(0xDA, [0, 0, 63, 0])));
        Refused("scan header has a wrong length", File(tables, grey, Segment(0xDA, [1, 1, 0, 0, 63])));
        Refused("scan header has a wrong length", File(tables, color, Segment(0xDA, [5, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0, 63, 0])));
    }

    [Fact]
    public void Progressive_scans_out_of_order_are_refused()
    {
        byte[] frame = Frame(0xC2, 8, 8, [1, 0x11, 0]), color = Frame(0xC2, 8, 8, [1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]);
        byte[] mean = Scan([1], [0, 0, 0x01], 0);
        foreach (byte[] band in new byte[][] { [0, 5, 0], [5, 4, 0], [1, 64, 0], [1, 5, 0x0E], [1, 5, 0x20], [1, 5, 0x12] })
            Refused("which there is not", File(tables, frame, mean, Scan([1], band, 0)));
        Refused("does not begin with its first coefficient", File(tables, frame, Scan([1], [1, 5, 0], 0)));
        Refused("other coefficients than the first", File(tables, color, Scan([1, 2, 3], [0, 0, 0], 0), Scan([1, 2], [1, 5, 0], 0)));
        foreach (byte[][] scans in new byte[][][]
        {
            [mean, mean], [mean, Scan([1], [0, 0, 0x21], 0)], [Scan([1], [0, 0, 0x10], 0)], [mean, Scan([1], [1, 5, 0x10], 0)],
            [mean, Scan([1], [1, 5, 1], 0), Scan([1], [5, 9, 1], 0)], [mean, Scan([1], [1, 5, 1], 0), Scan([1], [5, 9, 0x10], 0)],
        })
            Refused("are out of order", File([tables, frame, .. scans]));

        List<byte[]> all = [tables, frame, mean];
        for (byte k = 1; k < 64; k++)
            foreach (byte bits in new byte[] { 0x03, 0x32, 0x21, 0x10 })
                if (all.Count < 2 + JpegScan.Most)
                    all.Add(Scan([1], [k, k, bits], 0));
        Jpeg.Decode(File([.. all]));
        Refused("more than 200 scans", File([.. all, Scan([1], [63, 63, 0], 0)]));
    }

    [Fact]
    public void Bits_that_make_no_sense_are_refused()
    {
        Refused("bits that are no code", File(tables, grey, Scan([1], 0b11111110, 0)));
        Refused("bits that are no code", File(tables, grey, Scan([1], 0b0_1111111, 0)));
        Refused("ends before its last block", File(tables, grey, Scan([1], 0xFF, 0x01)));
        Refused("more than 64 coefficients", File(tables, grey, Scan([1], 0b0_10_1_10_1_1, 0b0_1_10_1_10_0)));
        Refused("ends before its last block", File(tables, Frame(0xC0, 16, 8, [1, 0x11, 0]), Scan([1], 0b0_110_10_0_1)));    // its marker follows
        byte[] progressive = Frame(0xC2, 8, 8, [1, 0x11, 0]), mean = Scan([1], [0, 0, 0], 0), begun = Scan([1], [1, 5, 1], 0b0_1111111);
        Refused("past the end of its band", File(tables, progressive, mean, Scan([1], [1, 5, 0], 0b10_1_10_1_00)));
        Refused("past the end of its band", File(tables, progressive, mean, begun, Scan([1], [1, 5, 0x10], 0b10_1_10_1_00)));
        Refused("more than one bit in a scan that refines", File(tables, progressive, mean, begun, Scan([1], [1, 5, 0x10], 0b110_00000)));

        byte[] restarts = File(tables, Segment(0xDD, [0, 1]), Frame(0xC0, 24, 8, [1, 0x11, 0]), Scan([1], 0b00111111, 0xFF, 0xD0, 0b00111111, 0xFF, 0xD1, 0b00111111));
        Jpeg.Decode(restarts);
        restarts[^4] = 0xD2;
        Refused("marker D2 where the restart marker D1", restarts);
        Refused("marker D9 where the restart marker D1", [.. restarts[..^5], 0xFF, 0xD9]);
        Refused("marker 00 where the restart marker D1", restarts[..^5]);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        foreach (string name in new[] { "4:2:0, 16×16", "4:2:0, 37×23, progressive", "4:2:2, restarts 1B", "CMYK", "orientation 6, big endian" })
        {
            byte[] whole = JpegTests.File(name);
            for (int length = 0; length < whole.Length; length++) Refused("", whole[..length]);
        }
    }

    [Fact]
    public void Memory_follows_what_is_there_not_what_is_declared()
    {
        byte[] large = Frame(0xC0, 10000, 10000, [1, 0x11, 0]), progressive = Frame(0xC2, 10000, 10000, [1, 0x11, 0]);
        Refused("that ends too early: 10002 bytes are left", File(tables, large, Scan([1], new byte[10_000])), mostBytes: 20_000);
        Refused("that ends too early: 10002 bytes are left", File(tables, progressive, Scan([1], [0, 0, 0], new byte[10_000])), mostBytes: 20_000);
        Refused("within a segment: 2 of 65535 bytes", File([0xFF, 0xDB, 0xFF, 0xFF])[..^2], mostBytes: 10_000);
        Refused("a segment of 1 bytes", File([0xFF, 0xDB, 0, 1]));
        Refused("no end-of-image marker", File()[..^1]);
    }

    [Fact]
    public void An_orientation_that_makes_no_sense_is_none()
    {
        Assert.Equal(1, ExifOrientation.Read([]));
        byte[] tiff = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0];
        Assert.Equal(6, ExifOrientation.Read(tiff));
        for (int length = 0; length < tiff.Length; length++) Assert.Equal(1, ExifOrientation.Read(tiff.AsSpan(0, length)));
        for (int at = 0; at < 18; at++)    // but the count of entries and of values, which say nothing more
            foreach (byte wrong in new byte[] { 0x7F, 0xFF })
            {
                byte[] bytes = [.. tiff];
                bytes[at] = wrong;
                Assert.Equal(at is 8 or 9 or >= 14 ? 6 : 1, ExifOrientation.Read(bytes));
            }
    }

    static void Refused(string fault, byte[] file, long mostBytes = long.MaxValue)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        PictureFormatException e = Assert.Throws<PictureFormatException>(() => Jpeg.Decode(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, mostBytes);
        Assert.StartsWith("a JPEG ", e.Message, StringComparison.Ordinal);
        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(e.Message, char.IsControl);
    }

    static byte[] File(params byte[][] segments) => [0xFF, 0xD8, .. segments.SelectMany(s => s), 0xFF, 0xD9];

    static byte[] Segment(int marker, byte[] content) =>
        [0xFF, (byte)marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    static byte[] Huffman(byte kind, byte[] codes, byte[] values) => Segment(0xC4, [kind, .. codes, .. new byte[16 - codes.Length], .. values]);

    static byte[] Frame(int marker, int width, int height, params byte[][] components) => Segment(marker,
        [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, (byte)components.Length, .. components.SelectMany(c => c)]);

    static byte[] Scan(byte[] components, params byte[] data) => Scan(components, [0, 63, 0], data);

    static byte[] Scan(byte[] components, byte[] band, params byte[] data) =>
        [.. Segment(0xDA, [(byte)components.Length, .. components.SelectMany(id => new byte[] { id, 0 }), .. band]), .. data];
}
