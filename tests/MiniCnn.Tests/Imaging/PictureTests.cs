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
    [InlineData("a.webp", 1, 3)]
    [InlineData("a.webp", 3, 3)]
    public void What_is_saved_without_loss_is_loaded_again_by_its_content(string name, int channels, int loaded)
    {
        string path = Path.Combine(folder, name), other = Path.Combine(folder, "other.txt");
        Picture picture = Noise(23, 57, channels);
        File.WriteAllBytes(path, new byte[10_000]);
        picture.Save(path);
        byte[] first = File.ReadAllBytes(path);
        picture.Save(path);
        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.Equal(first, Saved(picture, name));
        File.Move(path, other);

        Picture again = Picture.Load(other);
        Assert.Equal((23, 57, loaded), (again.Width, again.Height, again.Channels));
        Assert.Equal((loaded == 3 ? picture.ToRgb() : picture).Pixels, again.Pixels);
        Assert.Equal([other], Directory.GetFileSystemEntries(folder));
    }

    [Theory]
    [InlineData(".jpg", 1)]
    [InlineData(".JPEG", 3)]
    public void A_JPEG_is_near_to_what_was_saved(string extension, int channels)
    {
        Picture picture = new(64, 48, channels);
        for (int i = 0; i < picture.Pixels.Length; i++) picture.Pixels[i] = (byte)(2 * (i / channels % 64) + 40 * (i % channels));
        byte[] file = Saved(picture, extension);
        Assert.Equal([0xFF, 0xD8, 0xFF], file[..3]);
        Picture again = Picture.Load(new MemoryStream(file));
        Assert.Equal((64, 48, channels), (again.Width, again.Height, again.Channels));
        Assert.InRange(picture.Pixels.Zip(again.Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 4);
    }

    [Fact]
    public void A_PNG_holds_pixels_alone_and_is_small()
    {
        foreach (int channels in (int[])[1, 3])
        {
            byte[] file = Saved(new Picture(1000, 1000, channels), ".png");
            Assert.InRange(file.Length, 0, 10_000);
            Assert.Equal((8, channels == 1 ? 0 : 2, 0), (file[24], file[25], file[28]));                // bits a channel, grey or RGB, not interlaced
            Assert.DoesNotContain(["gAMA", "sRGB", "iCCP", "tIME", "tEXt"], name => file.AsSpan().IndexOf(Encoding.ASCII.GetBytes(name)) >= 0);
        }
    }

    [Theory]
    [InlineData("a.ppm")]
    [InlineData("a.gif")]
    [InlineData("a")]
    public void An_unknown_extension_is_refused(string name)
    {
        string path = Path.Combine(folder, name);
        string fault = Assert.Throws<ArgumentException>(() => Noise(1, 1, 1).Save(path)).Message;
        Assert.StartsWith($"{path}: expected the extension .png, .jpg, .jpeg or .webp", fault, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Noise(1, 1, 1).Save(new MemoryStream(), name));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void A_picture_that_is_too_long_for_a_format_leaves_no_file()
    {
        string path = Path.Combine(folder, "a.webp");
        string fault = Assert.Throws<IOException>(() => new Picture(16_384, 1).Save(path)).Message;
        Assert.Equal($"{path}: the format does not support a picture of 16384×1 pixels", fault);
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    static byte[] Saved(Picture picture, string extension)
    {
        using MemoryStream file = new();
        picture.Save(file, extension);
        return file.ToArray();
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("P", "a file that begins with 50")]
    [InlineData("hello", "a file that begins with 68656C6C")]
    [InlineData("\u00FF\u00D8", "a file that begins with FFD8")]
    [InlineData("MM\0*....", "a TIFF or a camera RAW file")]
    [InlineData("II*\0....", "a TIFF or a camera RAW file")]
    [InlineData("IIRO....", "a camera RAW file")]
    [InlineData("IIU\0....", "a camera RAW file")]
    [InlineData("FUJIFILMCCD-RAW", "a camera RAW file")]
    [InlineData("....ftypcrx ", "a camera RAW file")]
    [InlineData("....ftypheic", "a HEIC")]
    [InlineData("....ftyphevc", "a HEIC")]
    [InlineData("....ftypmif1", "a HEIC or AVIF")]
    [InlineData("....ftypmsf1", "a HEIC or AVIF")]
    [InlineData("....ftypavif", "an AVIF")]
    [InlineData("....ftypavis", "an AVIF")]
    [InlineData("....ftypisom", "a video")]
    [InlineData("8BPS....", "a Photoshop PSD")]
    [InlineData("\0\0\u0001\0....", "an ICO")]
    [InlineData("\u00FF\n....", "a JPEG XL")]
    [InlineData("\0\0\0\fJXL \r\n", "a JPEG XL")]
    [InlineData("\0\0\0\fjP  \r\n", "a JPEG 2000")]
    [InlineData("\u00FFO\u00FFQ....", "a JPEG 2000")]
    [InlineData("%PDF-1.7", "a PDF")]
    [InlineData("<!DOCTYPE html>", "a web page or an SVG")]
    [InlineData("----123\r\nContent-Disposition", "a multipart form; send only the bytes of the picture")]
    [InlineData("P1\n1 1\n0", "a Netpbm P1")]
    [InlineData("P6 1 1 255 ...", "a Netpbm P6")]
    [InlineData("P7\n", "a Netpbm P7")]
    public void What_is_not_read_is_named(string content, string found)
    {
        string path = Path.Combine(folder, "a.png");
        File.WriteAllText(path, content, Encoding.Latin1);
        var fault = Assert.Throws<PictureFormatException>(() => Picture.Load(path));
        Assert.Equal($"{path}: expected JPEG, PNG, WebP, GIF or BMP, found {found}", fault.Message);
    }

    [Theory]
    [InlineData(0, 1, 3)]
    [InlineData(1, -1, 3)]
    [InlineData(1, 1, 2)]
    [InlineData(int.MaxValue, int.MaxValue, 3)]
    [InlineData(65536, 65536, 1)]
    [InlineData(30_000, 20_000, 3)]    // three bytes a pixel would fit, the four that Skia has would not
    public void A_picture_without_pixels_or_with_too_many_is_refused(int width, int height, int channels) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Picture(width, height, channels));

    [Fact]
    public void A_file_without_end_is_refused_by_its_first_bytes() => Assert.Throws<PictureFormatException>(() => Picture.Load(new Zeros()));

    [Fact]
    public void A_missing_file_is_an_IOException() => Assert.Throws<FileNotFoundException>(() => Picture.Load(Path.Combine(folder, "none.png")));

    [Fact]
    public void A_folder_and_a_stream_that_breaks_are_told_in_a_line()
    {
        Exception folder = Assert.Throws<UnauthorizedAccessException>(() => Picture.Load(this.folder));
        Assert.Contains(this.folder, folder.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', folder.Message);
        Assert.Equal("broken", Assert.Throws<IOException>(() => Picture.Load(new Broken())).Message);
        Assert.Equal("broken", Assert.Throws<IOException>(() => Noise(9, 9, 3).Save(new Broken(), ".png")).Message);
    }

    // A stream that gives a few bytes at a time.
    [Fact]
    public void Streams_are_read_to_their_end()
    {
        Picture picture = Noise(200, 130, 3);
        MemoryStream file = new();
        picture.Save(file, ".png");
        Assert.InRange(file.Length, 3 * 4096, long.MaxValue);
        Assert.Equal(picture.Pixels, Picture.Load(new Trickle(file.ToArray())).Pixels);
    }

    // While one picture is worked on, others wait where all of them together may have a single pixel; so do the tests beside this one.
    [Fact]
    public async Task Pictures_at_once_wait_for_each_other()
    {
        long before = Picture.MaxPixelsAtOnce;
        byte[] file = Saved(Noise(23, 57, 3), ".png"), mask = Saved(Noise(23, 57, 1), ".png");
        Picture.MaxPixelsAtOnce = 1;
        try
        {
            TaskCompletionSource begun = new();
            using ManualResetEventSlim end = new();
            using CancellationTokenSource source = new();
            Task<int> held = Task.Run(() => Picture.Load(new MemoryStream(file), picture =>
            {
                begun.SetResult();
                end.Wait();
                return picture.Width;
            }));
            await begun.Task;
            Task<Picture> cancelled = Picture.LoadAsync(new MemoryStream(file), source.Token);
            Task<Picture>[] waiting = [
                Picture.LoadAsync(new MemoryStream(file)), Task.Run(() => Picture.Load(new MemoryStream(file))),
                Task.Run(() => Picture.LoadMask(new MemoryStream(mask))),
            ];
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
            Assert.DoesNotContain(waiting, task => task.IsCompleted);
            end.Set();
            Assert.Equal(23, await held);
            Picture[] pictures = await Task.WhenAll(waiting);
            Assert.Equal([Noise(23, 57, 3).Pixels, Noise(23, 57, 3).Pixels, Noise(23, 57, 1).Pixels], pictures.Select(picture => picture.Pixels));
        }
        finally
        {
            Picture.MaxPixelsAtOnce = before;
        }
        Assert.InRange(before, 1_000_000, long.MaxValue);
        Assert.Throws<ArgumentOutOfRangeException>(() => Picture.MaxPixelsAtOnce = 0);
    }

    [Fact]
    public async Task Pictures_read_at_once_are_those_read_alone()
    {
        byte[][] files = [.. Enumerable.Range(1, 40).Select(i => Saved(Noise(10 * i, 401 - 9 * i, i % 2 * 2 + 1), i % 3 == 0 ? ".png" : ".jpg"))];
        byte[][] alone = [.. files.Select(file => Picture.Load(new MemoryStream(file)).Pixels)];
        long before = Picture.MaxPixelsAtOnce;
        Picture.MaxPixelsAtOnce = 100_000;
        try
        {
            Picture[] pictures = await Task.WhenAll(files.Select((file, i) => i % 4 == 0
                ? Task.Run(() => Picture.Load(new MemoryStream(file))) : Picture.LoadAsync(new Trickle(file))));
            Assert.Equal(alone, pictures.Select(picture => picture.Pixels));
        }
        finally
        {
            Picture.MaxPixelsAtOnce = before;
        }
    }

    [Fact]
    public async Task What_cannot_be_read_is_refused_without_a_thread_too()
    {
        await Assert.ThrowsAsync<PictureFormatException>(() => Picture.LoadAsync(new Zeros()));
        Assert.Equal("broken", (await Assert.ThrowsAsync<IOException>(() => Picture.LoadAsync(new Broken()))).Message);
        byte[] file = Saved(Noise(23, 57, 3), ".png");
        await Assert.ThrowsAsync<PictureFormatException>(() => Picture.LoadAsync(new MemoryStream(file[..^60])));
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
        Assert.StartsWith($"expected a rectangle inside 9×7, got {width}×{height} at ({left}, {top})", fault.Message, StringComparison.Ordinal);
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
        Assert.StartsWith($"expected an image of shape [1, 1 or 3, H, W], got [{string.Join(", ", shape)}]", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Zeros without end.</summary>
    sealed class Zeros : MemoryStream
    {
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }
    }

    /// <summary>Begins as a BMP and breaks behind 5,000 bytes; breaks at once where it is written.</summary>
    sealed class Broken : MemoryStream
    {
        int left = 5000;

        public override int Read(Span<byte> buffer)
        {
            if (left == 0) throw new IOException("broken");
            int read = Math.Min(buffer.Length, left);
            for (int i = 0; i < read; i++) buffer[i] = "BM"u8[i % 2];
            left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("broken");

        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("broken");
    }

    /// <summary>At most 100 bytes at a time.</summary>
    sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        // which the others call
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 100));
    }
}
