using System.Buffers.Binary;
using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Masks as files, and over their photos. Those of PIL are in <see cref="RecordedPictureTests"/>.</summary>
public sealed class MaskTests : PhotoFolderTests
{
    static Picture Mask(int width, params byte[] indices)
    {
        Picture mask = new(width, indices.Length / width, channels: 1);
        indices.CopyTo(mask.Pixels, 0);
        return mask;
    }

    [Fact]
    public void What_is_saved_in_grey_is_read_as_the_same_indices()
    {
        Picture mask = Mask(32, [.. Enumerable.Range(0, 256).Select(i => (byte)i)]);
        mask.Save(At("mask.png"));
        Picture again = Picture.LoadMask(At("mask.png"));
        Assert.Equal((32, 8, 1), (again.Width, again.Height, again.Channels));
        Assert.Equal(mask.Pixels, again.Pixels);
    }

    [Theory]
    [InlineData("png/type 2, 8 bits", "a PNG in RGB")]
    [InlineData("png/type 2, 16 bits", "a PNG in RGB")]
    [InlineData("png/type 0, 16 bits", "a PNG of 16 bits")]
    [InlineData("png/type 4, 8 bits", "a PNG in grey with alpha")]
    [InlineData("png/type 6, 8 bits, interlaced", "a PNG in RGB with alpha")]
    [InlineData("jpeg/grey, 37×23", "a JPEG")]
    [InlineData("gif/64 colours", "a GIF")]
    [InlineData("bmp/8 bits, 13×9", "a BMP")]
    [InlineData("MM\0*....", "a TIFF or a camera RAW file")]
    [InlineData("", "an empty file")]
    public void What_holds_no_indices_is_refused_by_name(string content, string found)
    {
        File.WriteAllBytes(At("mask.png"), content.Contains('/') ? RecordedPictureTests.File(content) : Encoding.Latin1.GetBytes(content));
        string fault = Assert.Throws<PictureFormatException>(() => Picture.LoadMask(At("mask.png"))).Message;
        Assert.Equal(
            $"{At("mask.png")}: expected a PNG of class indices, with a palette or grey, at most 8 bits, found {found}; "
            + "save the class index of each pixel, not its color", fault);
    }

    // The header is written anew, so its check sum must have been right before.
    [Fact]
    public void A_damaged_header_is_not_mended()
    {
        byte[] file = RecordedPictureTests.File("mask/type 3, 4 bits");
        for (int bit = 8 * 8; bit < 33 * 8; bit++)
        {
            byte[] other = [.. file];
            other[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Contains("damaged", Fault(other), StringComparison.Ordinal);
        }
        file[25] = 1;                                                         // a colour type that there is not
        MutatedPictureTests.RepairPng(file);
        Assert.Contains("damaged", Fault(file), StringComparison.Ordinal);
    }

    [Fact]
    public void A_chunk_that_reaches_beyond_the_file_ends_it()
    {
        byte[] file = RecordedPictureTests.File("mask/type 3, 4 bits");
        foreach (uint length in (uint[])[(uint)file.Length, int.MaxValue, uint.MaxValue - 11, uint.MaxValue])
        {
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(33), length);     // the palette's
            Assert.Equal("a PNG that ends too early", Fault(file));
        }
    }

    static string Fault(byte[] file) => Assert.Throws<PictureFormatException>(() => Picture.LoadMask(new MemoryStream(file))).Message;

    // The first classes, the last and some between, as VOC's documents have them.
    [Fact]
    public void Colours_are_those_of_PASCAL_VOC()
    {
        (int Index, Rgb Color)[] colors =
        [
            (0, new(0, 0, 0)), (1, new(128, 0, 0)), (2, new(0, 128, 0)), (3, new(128, 128, 0)), (4, new(0, 0, 128)), (7, new(128, 128, 128)),
            (8, new(64, 0, 0)), (15, new(192, 128, 128)), (20, new(0, 64, 128)), (64, new(32, 0, 0)), (128, new(0, 32, 0)), (255, new(255, 255, 255)),
        ];
        Assert.All(colors, known => Assert.Equal(known.Color, MaskOverlay.ColorOf(known.Index)));
        Assert.Equal(256, Enumerable.Range(0, 256).Select(MaskOverlay.ColorOf).Distinct().Count());
        Assert.Throws<ArgumentOutOfRangeException>(() => MaskOverlay.ColorOf(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MaskOverlay.ColorOf(256));
    }

    [Fact]
    public void An_overlay_is_half_photo_and_half_class()
    {
        Picture photo = new(3, 2), mask = Mask(3, 0, 1, 20, 255, 0, 2);
        photo.Fill(0, 0, 3, 2, new(100, 50, 20));
        Picture over = MaskOverlay.Draw(photo, mask);
        Rgb plain = new(100, 50, 20);
        Assert.Equal([plain, new(114, 25, 10), new(50, 57, 74), new(178, 152, 138), plain, new(50, 89, 10)], over.Colors.ToArray());
        Assert.All(photo.Colors.ToArray(), color => Assert.Equal(plain, color));                        // the photo itself stays
        Assert.Equal([new(10, 10, 10), new(69, 5, 5)], MaskOverlay.Draw(Mask(2, 10, 10), Mask(2, 0, 1)).Colors.ToArray());     // over grey
    }

    [Fact]
    public void A_mask_of_another_size_or_in_colour_is_not_drawn()
    {
        string size = Assert.Throws<ArgumentException>(() => MaskOverlay.Draw(new(4, 6), Mask(6, new byte[24]))).Message;
        Assert.StartsWith("expected a mask of the size of the photo, 4×6, got 6×4", size, StringComparison.Ordinal);
        string colour = Assert.Throws<ArgumentException>(() => MaskOverlay.Draw(new(4, 6), new(4, 6))).Message;
        Assert.StartsWith("expected a mask, a grey picture of class indices, got an RGB picture", colour, StringComparison.Ordinal);
    }
}
