using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Files that end too early or declare too much: a line that says so, never part of a picture, never much memory.</summary>
public sealed class DamagedPictureTests
{
    // Only what stands behind the last pixel may be missing. libjpeg makes up what else is missing, and of a progressive JPEG a picture of its first scan.
    [Theory]
    [InlineData("jpeg/4:2:0, 16×16")]
    [InlineData("jpeg/4:2:0, 37×23, progressive")]
    [InlineData("jpeg/4:2:2, restarts 1B")]
    [InlineData("jpeg/grey, restarts 1B")]
    [InlineData("jpeg/4:2:0, restarts 1, progressive")]
    [InlineData("jpeg/4:4:4, optimised")]
    [InlineData("jpeg/4:2:0, scans apart")]
    [InlineData("jpeg/4:4:4, scans fine")]
    [InlineData("jpeg/grey, 160×90, runs")]
    [InlineData("jpeg/noise")]
    [InlineData("jpeg/black and white")]
    [InlineData("jpeg/bytes after the end")]
    [InlineData("jpeg/orientation 6, grey")]
    [InlineData("jpeg/without tables, 4:2:2, restarts")]
    [InlineData("jpeg/CMYK")]
    [InlineData("png/type 6, 8 bits")]
    [InlineData("png/type 2, 16 bits, interlaced")]
    [InlineData("png/type 3, 4 bits, transparent")]
    [InlineData("webp/alpha, quality 90")]
    [InlineData("webp/lossless")]
    [InlineData("gif/64 colours")]
    [InlineData("gif/interlaced")]
    [InlineData("bmp/24 bits")]
    [InlineData("bmp/8 bits, runs")]
    [InlineData("mask/type 3, 2 bits, transparent")]
    [InlineData("mask/type 0, 8 bits, interlaced")]
    public void A_file_that_is_cut_anywhere_is_refused_or_whole(string name)
    {
        byte[] file = RecordedPictureTests.File(name), pixels = RecordedPictureTests.Load(name, file).Pixels;
        for (int length = 0; length < file.Length; length++)
        {
            if (Fault(file[..length], name) is string fault)
                Assert.Matches("a file that begins with|an empty file|too early|is damaged", fault);
            else
                Assert.Equal(pixels, RecordedPictureTests.Load(name, file[..length]).Pixels);
        }
        Assert.Contains("too early", Fault(file[..^40], name), StringComparison.Ordinal);
    }

    [Fact]
    public void A_JPEG_may_lack_its_end_wherever_another_end_stands()
    {
        byte[] file = RecordedPictureTests.File("jpeg/odd segments"), pixels = Load(file).Pixels;      // a comment holds FF D9
        byte[] thumbnail = [0xFF, 0xE1, (byte)((file.Length + 2) >> 8), (byte)(file.Length + 2), .. file];
        byte[] pictured = [.. file[..2], .. thumbnail, .. file[2..]];
        Assert.Equal(pixels, Load([.. file[..^2], 0xFF, 0xFF, 0xFF, 0xD9]).Pixels);
        foreach (string end in (string[])["", "FF", "FFFF", "FFFE", "FFFEFF", "FFFEFFFF", "FFFE0004FFD9", "FFD9FFD807", "00000000"])
        {
            Assert.Equal(pixels, Load([.. file[..^2], .. Convert.FromHexString(end)]).Pixels);
            Assert.Equal(pixels, Load([.. pictured[..^2], .. Convert.FromHexString(end)]).Pixels);
        }
        for (int length = pictured.Length - 30; length < pictured.Length - 10; length++)
            Assert.Equal("a JPEG that ends too early", Fault(pictured[..length]));
        int scan = file.AsSpan().LastIndexOf([(byte)0xFF, JpegFile.Scan]);
        Assert.Equal("a JPEG that ends too early", Fault([.. file[..(scan + 2)], 0xFF, 0xF0, .. file[(scan + 4)..^2]]));       // its header's length
    }

    // Each but the last scan is whole, and the tables before the next.
    [Theory]
    [InlineData("jpeg/4:2:0, 37×23, progressive")]
    [InlineData("jpeg/4:2:0, scans apart")]
    [InlineData("jpeg/4:4:4, scans fine")]
    public void A_JPEG_without_its_last_scan_is_refused(string name)
    {
        byte[] file = RecordedPictureTests.File(name);
        int last = file.AsSpan().LastIndexOf([(byte)0xFF, JpegFile.Scan]);
        Assert.Null(Fault(file[..^2]));
        for (int length = last - 60; length < last + 8; length++)
            Assert.Matches("too early|is damaged", Fault(file[..length]));
    }

    // A scan takes as long as the picture, however few bytes it has.
    [Fact]
    public void A_JPEG_of_thousands_of_scans_is_refused()
    {
        byte[] file = RecordedPictureTests.File("jpeg/4:2:0, 37×23, progressive");
        int last = file.AsSpan().LastIndexOf([(byte)0xFF, JpegFile.Scan]);
        Assert.StartsWith(
            "a JPEG of more than 500 scans", Fault([.. file[..last], .. Enumerable.Repeat(file[last..^2], 500).SelectMany(scan => scan), .. file[^2..]]),
            StringComparison.Ordinal);
    }

    // A WBMP but for its name, which Skia would read.
    [Fact]
    public void Skia_reads_nothing_but_what_the_first_bytes_say() =>
        Assert.Contains("a WebP that is damaged", Fault([0, 0, 16, 16, 0, 0, 0, 0, .. "WEBP"u8, .. new byte[40]]), StringComparison.Ordinal);

    // The size of a valid file becomes a large one: before memory is taken, and before the rest is looked at.
    [Theory]
    [InlineData("jpeg/grey, 37×23", "a JPEG")]
    [InlineData("png/type 2, 8 bits", "a PNG")]
    [InlineData("webp/lossless", "a WebP")]
    [InlineData("gif/64 colours", "a GIF")]
    [InlineData("bmp/24 bits", "a BMP")]
    public void A_picture_of_too_many_pixels_is_refused_before_memory_is_taken(string name, string what)
    {
        byte[] file = RecordedPictureTests.File(name);
        long before = GC.GetAllocatedBytesForCurrentThread();
        (int at, string size) = what switch
        {
            "a JPEG" => (file.AsSpan().IndexOf([(byte)0xFF, (byte)0xC0]) + 5, "FFDCFFDC"),    // the most that libjpeg takes
            "a PNG" => (16, "0000FFFF0000FFFF"),
            "a WebP" => (21, "FFFFFF0F"),              // 14 bits each
            "a GIF" => (6, "FFFFFFFF"),
            _ => (18, "FFFF0000FFFF0000"),
        };
        Convert.FromHexString(size).CopyTo(file, at);
        if (what == "a PNG") MutatedPictureTests.RepairPng(file);
        int side = what switch { "a JPEG" => 65_500, "a WebP" => 16_384, _ => 65_535 };
        Assert.Equal($"expected at most 100000000 pixels, and 65535 in a row or column, found {what} of {side}×{side} pixels", Fault(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    static Picture Load(byte[] file) => Picture.Load(new MemoryStream(file));

    /// <summary>What is said of a file that is refused.</summary>
    static string? Fault(byte[] file, string format = "")
    {
        try
        {
            RecordedPictureTests.Load(format, file);
            return null;
        }
        catch (PictureFormatException refused)
        {
            return refused.Message;
        }
    }
}
