using System.Numerics.Tensors;
using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class PictureTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static Picture Noise(int width, int height, int channels)
    {
        Picture picture = new(width, height, channels);
        new Random(width).NextBytes(picture.Pixels);
        return picture;
    }

    [Theory]
    [InlineData("a.png", 1, 1)]
    [InlineData("a.PNG", 3, 3)]
    [InlineData("a.ppm", 3, 3)]
    [InlineData("a.pgm", 1, 1)]
    [InlineData("grey.ppm", 1, 3)]
    [InlineData("colour.pgm", 3, 1)]
    public void What_is_saved_is_loaded_again_by_its_content(string name, int channels, int loaded)
    {
        string path = Path.Combine(folder, name), other = Path.Combine(folder, "other.txt");
        Picture picture = Noise(23, 57, channels);
        picture.Save(path);
        byte[] first = File.ReadAllBytes(path);
        picture.Save(path);
        Assert.Equal(first, File.ReadAllBytes(path));
        File.Move(path, other);

        Picture again = Picture.Load(other);
        Assert.Equal((23, 57, loaded), (again.Width, again.Height, again.Channels));
        Assert.Equal((loaded == 3 ? picture.ToRgb() : picture.ToGrey()).Pixels, again.Pixels);
        Assert.Equal([other], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void An_unknown_extension_is_refused() =>
        Assert.Contains(".png, .ppm or .pgm", Assert.Throws<ArgumentException>(() => Noise(1, 1, 1).Save(Path.Combine(folder, "a.jpg"))).Message);

    [Theory]
    [InlineData("", "found an empty file")]
    [InlineData("P", "found a file that begins with 50")]
    [InlineData("hello", "found a file that begins with 68656C6C")]
    [InlineData("GIF89a", "found a GIF")]
    [InlineData("BM......", "found a BMP")]
    [InlineData("RIFF....WEBPVP8 ", "found a WebP")]
    [InlineData("MM\0*....", "found a TIFF")]
    [InlineData("P4\n1 1\n0", "found a Netpbm P4")]
    public void What_is_no_picture_is_named(string content, string found)
    {
        string path = Path.Combine(folder, "a.png");
        File.WriteAllText(path, content, Encoding.Latin1);
        var fault = Assert.Throws<PictureFormatException>(() => Picture.Load(path));
        Assert.Equal($"{path}: expected PNG, JPEG, PPM or PGM (P2, P3, P5, P6), {found}", fault.Message);
    }

    [Fact]
    public void A_file_without_end_is_refused_by_its_first_bytes() => Assert.Throws<PictureFormatException>(() => Picture.Load(new Zeros()));

    [Fact]
    public void A_missing_file_is_an_IOException() => Assert.Throws<FileNotFoundException>(() => Picture.Load(Path.Combine(folder, "none.png")));

    // A stream that gives a few bytes at a time.
    [Fact]
    public void Streams_are_read_to_their_end()
    {
        Picture picture = Noise(200, 130, 3);
        MemoryStream file = new();
        Png.Write(file, picture);
        Assert.InRange(file.Length, 3 * 4096, long.MaxValue);
        Assert.Equal(picture.Pixels, Picture.Load(new Trickle(file.ToArray())).Pixels);
    }

    [Fact]
    public void Grey_and_RGB_are_copies()
    {
        Picture rgb = new(2, 1), grey = new(2, 1, 1);
        new byte[] { 255, 0, 0, 0, 255, 9 }.CopyTo(rgb.Pixels, 0);
        new byte[] { 7, 200 }.CopyTo(grey.Pixels, 0);
        Assert.Equal([76, 151], rgb.ToGrey().Pixels);
        Assert.Equal([7, 7, 7, 200, 200, 200], grey.ToRgb().Pixels);
        foreach (Picture picture in (Picture[])[rgb, grey])
        {
            Picture same = picture.Channels == 1 ? picture.ToGrey() : picture.ToRgb();
            Assert.Equal(picture.Pixels, same.Pixels);
            Assert.NotSame(picture.Pixels, same.Pixels);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_crop_is_the_rectangle(int channels)
    {
        Picture picture = Noise(9, 7, channels), cut = picture.Crop(2, 3, 5, 4);
        Assert.Equal((5, 4, channels), (cut.Width, cut.Height, cut.Channels));
        for (int y = 0; y < 4; y++)
            Assert.Equal(picture.Pixels.AsSpan(((y + 3) * 9 + 2) * channels, 5 * channels), cut.Pixels.AsSpan(y * 5 * channels, 5 * channels));
        Assert.Equal(picture.Pixels, picture.Crop(0, 0, 9, 7).Pixels);
    }

    [Theory]
    [InlineData(-1, 0, 1, 1)]
    [InlineData(0, -1, 1, 1)]
    [InlineData(0, 0, 0, 1)]
    [InlineData(0, 0, 1, 0)]
    [InlineData(5, 0, 5, 1)]
    [InlineData(0, 4, 1, 4)]
    [InlineData(int.MaxValue, 0, int.MaxValue, 1)]
    public void A_crop_that_reaches_out_is_refused(int left, int top, int width, int height)
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => Noise(9, 7, 1).Crop(left, top, width, height));
        Assert.StartsWith($"{width}×{height} from ({left}, {top}) on is not within 9×7", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise(2, 2, 1).Resize(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise(2, 2, 1).Resize(2, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise(2, 2, 1).Resize(int.MaxValue, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise(1, 70_000, 3).Resize(70_000, 1));    // between its two passes
    }

    [Fact]
    public void A_tensor_has_planes_from_0_to_1_and_comes_back()
    {
        Picture picture = new(16, 16);
        for (int i = 0; i < picture.Pixels.Length; i++) picture.Pixels[i] = (byte)(i / 3 + i % 3);     // all bytes in each channel
        Tensor<float> tensor = picture.ToTensor();
        Assert.Equal([1, 3, 16, 16], tensor.Lengths);
        Assert.Equal((byte)(5 * 16 + 7 + 2) / 255f, tensor[0, 2, 5, 7]);
        Assert.Equal(picture.Pixels, Picture.FromTensor(tensor).Pixels);

        Picture grey = Noise(5, 3, 1);
        Assert.Equal([1, 1, 3, 5], grey.ToTensor().Lengths);
        Assert.Equal(grey.Pixels, Picture.FromTensor(grey.ToTensor()).Pixels);
    }

    [Fact]
    public void A_picture_of_a_tensor_is_rounded_and_cut_off()
    {
        float[] values = [-1, -0.001f, 0.499f / 255, 0.501f / 255, 254.49f / 255, 2, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        Picture picture = Picture.FromTensor(Tensor.Create(values, [1, 1, 3, 3]));
        Assert.Equal((3, 3, 1), (picture.Width, picture.Height, picture.Channels));
        Assert.Equal([0, 0, 0, 1, 254, 255, 255, 0, 0], picture.Pixels);
    }

    [Theory]
    [InlineData(2, 1, 3, 3)]
    [InlineData(1, 2, 3, 3)]
    [InlineData(1, 1, 0, 3)]
    [InlineData(3, 4, 4)]
    public void Tensors_of_another_shape_are_refused(params int[] shape)
    {
        var tensor = Tensor.CreateFromShape<float>([.. shape.Select(n => (nint)n)]);
        var fault = Assert.Throws<ArgumentException>(() => Picture.FromTensor(tensor));
        Assert.StartsWith($"expected [1, 1 or 3, H, W], got [{string.Join(", ", shape)}]", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Zeros without end.</summary>
    sealed class Zeros : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }
    }

    /// <summary>At most 100 bytes at a time.</summary>
    sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 100)]);
    }
}
