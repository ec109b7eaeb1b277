using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class NetpbmTests
{
    static Picture Decode(string file) => Netpbm.Decode(Encoding.Latin1.GetBytes(file));

    [Theory]
    [InlineData("P2 3 1 9 0 4 9")]
    [InlineData("P2\r\n3\t1\v9\f0 4\n\n9\n")]
    [InlineData("P2#a\n#b\r# 7 7\n3 1#c\n9#\n0#d\n4 9#")]
    [InlineData("P2 3 1 9 0 4 9 and more")]
    [InlineData("P5 3 1 255\n\0q\u00FF")]
    [InlineData("P5 3 1 255#c\n\0q\u00FF")]
    [InlineData("P5 3 1 255 \0q\u00FFmore")]
    public void Blanks_and_comments_may_stand_anywhere(string file)
    {
        Picture picture = Decode(file);
        Assert.Equal((3, 1, 1), (picture.Width, picture.Height, picture.Channels));
        Assert.Equal([0, 113, 255], picture.Pixels);
    }

    // Just one blank is between the header and bytes.
    [Fact]
    public void A_pixel_may_look_like_a_blank() => Assert.Equal([10, (byte)'#', 32], Decode("P6\n1 1\n255\n\n# ").Pixels);

    [Theory]
    [InlineData("P5", "expected P2, P3, P5 or P6 and a blank")]
    [InlineData("P55 1 255 abcde", "expected P2, P3, P5 or P6 and a blank")]
    [InlineData("P5 ", "a P5's width: expected a number, got the end of the file at 3")]
    [InlineData("P5 3 x", "a P5's height: expected a number, got byte 78 at 5")]
    [InlineData("P5 3 1x", "a P5's height: expected a number, got byte 78 at 6")]
    [InlineData("P5 3 -1 255 abc", "a P5's height: expected a number, got byte 2D at 5")]
    [InlineData("P5 3 # 1 255 abc", "a P5's height: expected a number, got the end of the file at 16")]
    [InlineData("P5 0 1 255 abc", "a P5 of 0×1 pixels")]
    [InlineData("P5 3 1 0 abc", "a P5 with maxval 0, not 1 to 65535")]
    [InlineData("P5 3 1 65536 abcdef", "a P5 with maxval 65536, not 1 to 65535")]
    [InlineData("P5 3 1 255 ab", "a P5 of 3×1 pixels needs 3 bytes after its header, got 2")]
    [InlineData("P5 3 1 256 abcde", "a P5 of 3×1 pixels needs 6 bytes after its header, got 5")]
    [InlineData("P6 3 1 255", "a P6 of 3×1 pixels needs 9 bytes after its header, got 0")]
    [InlineData("P5 3 1 98 abc", "a P5 with a sample of 99, above its maxval 98")]
    [InlineData("P2 3 1 9 0 4", "a P2 of 3×1 pixels needs 5 bytes after its header, got 3")]
    [InlineData("P2 3 1 99 10 12", "a sample of a P2: expected a number, got the end of the file at 15")]
    [InlineData("P2 3 1 9 0 4 10", "a P2 with a sample of 10, above its maxval 9")]
    [InlineData("P2 3 1 9 0 4 99999999999999999999", "a P2 with a sample of 100000000, above its maxval 9")]
    [InlineData("P5 4294967297 1 255 a", "a P5 of 100000000×1 pixels; up to 100000000 are read, 65535 in a row or column")]
    [InlineData("P5 10001 10000 255 a", "a P5 of 10001×10000 pixels; up to 100000000 are read, 65535 in a row or column")]
    public void What_is_wrong_is_told(string file, string message)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(message, Assert.Throws<PictureFormatException>(() => Decode(file)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Mutated_files_give_a_picture_or_are_refused() =>
        MutatedFiles.Decode(RecordedPictureTests.Files("netpbm"), file => Netpbm.Decode(file), memoryPerByte: 50);
}
