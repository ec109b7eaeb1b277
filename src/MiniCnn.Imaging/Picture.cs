using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>A picture in memory: 8 bits a channel, grey or RGB, row by row from the top, channels side by side.</summary>
public sealed class Picture
{
    /// <summary>Pixels of the largest picture that is read from a file, for the whole program: a small file can be a large picture.</summary>
    /// <remarks>Reading takes 3 to 15 bytes of memory for each pixel, and four times the file's size.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public static int MaxFilePixels
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 100_000_000;

    /// <summary>
    /// Pixels that the whole program decodes at once. A call that would pass them waits for those before it, in order; a picture that passes them by
    /// itself is decoded alone. At first half of the memory that .NET may take (of a container's three quarters), at 16 bytes a pixel: 9 million in a
    /// container of 384 MB, 268 million where there are 8 GiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public static long MaxPixelsAtOnce
    {
        get => budget.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            budget.Limit = value;
        }
    }

    static readonly PixelBudget budget = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 / 16);

    const int MaxFileBytes = 1 << 30;

    /// <summary>A black picture.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1: grey; 3: red, green, blue.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is not positive, channels are neither 1 nor 3, or the pixels, of 1 byte in grey and 4 in colour, would not fit an array.
    /// </exception>
    public Picture(int width, int height, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        int bytes = channels == 1 ? 1 : 4;    // of a pixel, as Skia has them
        if ((Int128)width * height * bytes > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(width), $"a picture of {width}×{height} pixels of {bytes} bytes does not fit an array");
        (Width, Height, Channels) = (width, height, channels);
        Pixels = new byte[width * height * channels];
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>1: grey; 3: red, green, blue.</summary>
    public int Channels { get; }

    /// <summary>The pixels themselves: channel c of column x in row y is at (y · Width + x) · Channels + c.</summary>
    public byte[] Pixels { get; }

    /// <summary>Reads a JPEG, PNG, WebP, GIF or BMP file, told by its content; of an animation the first frame.</summary>
    /// <remarks>
    /// The pixels are PIL's, to the bit, but for a BMP of 16 bits a pixel (off by up to 1) and what a GIF's first frame leaves uncovered (white).
    /// What is transparent is blended over white; of 16 bits a channel the upper 8 count; colour profiles change nothing; a JPEG, PNG or WebP
    /// stands upright as its EXIF says. A JPEG or PNG that is grey, with alpha or without, has one channel, everything else three.
    /// A JPEG may lack its end marker, but no pixel, and its Huffman tables where it means the standard's, as webcams do; it may have 500 scans.
    /// </remarks>
    /// <exception cref="PictureFormatException">The file is not such a picture, damaged, or larger than <see cref="MaxFilePixels"/>.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static Picture Load(string path) => Open(path, Load);

    /// <summary>Reads a picture from a stream, up to the stream's end; see <see cref="Load(string)"/>.</summary>
    /// <exception cref="PictureFormatException">The stream holds no picture that can be read.</exception>
    public static Picture Load(Stream stream) => Load(stream, picture => picture);

    /// <summary>Reads a picture from a stream, up to the stream's end, and decodes it on a thread of the pool; see <see cref="Load(string)"/>.</summary>
    /// <param name="stream">A stream of the file's bytes.</param>
    /// <param name="cancellationToken">Ends the reading, and the waiting for <see cref="MaxPixelsAtOnce"/>, for which no thread is taken.</param>
    /// <exception cref="PictureFormatException">The stream holds no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the decoding began.</exception>
    public static Task<Picture> LoadAsync(Stream stream, CancellationToken cancellationToken = default) =>
        LoadAsync(stream, picture => picture, cancellationToken);

    /// <summary>What is made of a picture, to whose pixels others give way until it is made.</summary>
    internal static T Load<T>(Stream stream, Func<Picture, T> make)
    {
        using PictureFile file = new(Read(stream, mask: false));
        return budget.Run(file.Pixels, () => make(file.Decode()));
    }

    /// <summary>The same, where no thread waits.</summary>
    internal static async Task<T> LoadAsync<T>(Stream stream, Func<Picture, T> make, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArraySegment<byte> bytes = await Read(
            buffer => stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken), mask: false).ConfigureAwait(false);
        using PictureFile file = new(bytes);
        return await budget.RunAsync(file.Pixels, () => make(file.Decode()), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a mask: a PNG whose pixels are class indices, with a palette or in grey, of 1, 2, 4 or 8 bits a pixel.</summary>
    /// <remarks>
    /// Each pixel is the number in the file: the index, whatever colour and alpha the palette gives it, or the grey sample, not scaled to 0 to 255.
    /// So <c>picture.Save("mask.png")</c> of a grey picture is read back as it was. A mask stands upright as its own EXIF says, if it has any; the
    /// photo's does not turn it.
    /// </remarks>
    /// <returns>A grey picture of indices, 0 to 255.</returns>
    /// <exception cref="PictureFormatException">The file is not such a PNG, damaged, or larger than <see cref="MaxFilePixels"/>.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static Picture LoadMask(string path) => Open(path, LoadMask);

    /// <summary>Reads a mask from a stream, up to the stream's end; see <see cref="LoadMask(string)"/>.</summary>
    /// <exception cref="PictureFormatException">The stream holds no mask that can be read.</exception>
    public static Picture LoadMask(Stream stream)
    {
        using PictureFile file = PictureFile.OfMask(Read(stream, mask: true));
        return budget.Run(file.Pixels, file.Decode);
    }

    static Picture Open(string path, Func<Stream, Picture> load)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            return load(file);
        }
        catch (PictureFormatException e)
        {
            throw new PictureFormatException($"{path}: {e.Message}", e);
        }
    }

    static ArraySegment<byte> Read(Stream stream, bool mask)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Read(buffer => new(stream.ReadAtLeast(buffer.Span, buffer.Length, throwOnEndOfStream: false)), mask).GetAwaiter().GetResult();
    }

    static async Task<ArraySegment<byte>> Read(Func<Memory<byte>, ValueTask<int>> fill, bool mask)
    {
        byte[] file = new byte[4096];
        int length = await fill(file).ConfigureAwait(false);
        PictureFile.FormatOf(file.AsSpan(0, length), mask);    // before gigabytes of something else are read
        while (length == file.Length)
        {
            if (length >= MaxFileBytes) throw new PictureFormatException($"a picture of more than {MaxFileBytes >> 20} MiB is not read");
            Array.Resize(ref file, 2 * length);
            length += await fill(file.AsMemory(length)).ConfigureAwait(false);
        }
        return new(file, 0, length);
    }

    /// <summary>
    /// Writes <paramref name="path"/>, whole or not at all, as its extension says: .png or .webp, without loss, or .jpg or .jpeg, of quality 90.
    /// The same picture gives the same bytes.
    /// </summary>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using SKData file = PictureFile.Encode(this, path);
        AtomicFile.Write(path, file.SaveTo);
    }

    /// <summary>Writes a picture to a stream as an extension says; see <see cref="Save(string)"/>.</summary>
    /// <exception cref="ArgumentException">The extension is another.</exception>
    public void Save(Stream stream, string extension)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(extension);
        using SKData file = PictureFile.Encode(this, extension);
        file.SaveTo(stream);
    }

    /// <summary>A copy in grey: 0.299 R + 0.587 G + 0.114 B (ITU-R Rec. 601), to the bit as PIL's <c>convert('L')</c>.</summary>
    public Picture ToGrey()
    {
        if (Channels == 1) return Crop(0, 0, Width, Height);
        Picture grey = new(Width, Height, channels: 1);
        Span<Rgb> colors = Colors;
        for (int i = 0; i < colors.Length; i++)    // shares of 2¹⁶
            grey.Pixels[i] = (byte)((19595 * colors[i].Red + 38470 * colors[i].Green + 7471 * colors[i].Blue + 0x8000) >> 16);
        return grey;
    }

    /// <summary>A copy of three channels; of a grey picture they are equal.</summary>
    public Picture ToRgb()
    {
        if (Channels == 3) return Crop(0, 0, Width, Height);
        Picture rgb = new(Width, Height);
        for (int i = 0; i < Pixels.Length; i++) rgb.Colors[i] = new(Pixels[i], Pixels[i], Pixels[i]);
        return rgb;
    }

    /// <summary>
    /// A copy of another size, without aliasing, to the bit as PIL's <c>resize(size, Resampling.BILINEAR)</c>, or as its <c>ImageOps.pad</c> or
    /// <c>ImageOps.fit</c> by that.
    /// </summary>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="fit">What becomes of other proportions.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive or too large for an array.</exception>
    public Picture Resize(int width, int height, Fit fit = Fit.Stretch) => Resampling.Resize(this, width, height, fit);

    /// <summary>A copy of the rectangle from (left, top) on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is empty or reaches out of the picture.</exception>
    public Picture Crop(int left, int top, int width, int height)
    {
        if (left < 0 || top < 0 || width < 1 || height < 1 || width > Width - left || height > Height - top)
            throw new ArgumentOutOfRangeException(nameof(width), $"{width}×{height} from ({left}, {top}) on is not within {Width}×{Height}");
        Picture cut = new(width, height, Channels);
        int row = width * Channels;
        for (int y = 0; y < height; y++)
            Pixels.AsSpan(((top + y) * Width + left) * Channels, row).CopyTo(cut.Pixels.AsSpan(y * row));
        return cut;
    }

    /// <summary>The picture as a batch of one image, [1, C, H, W], from 0 to 1: x/255 in float, as torchvision's <c>ToTensor</c>.</summary>
    public Tensor<float> ToTensor()
    {
        float[] values = new float[Pixels.Length];
        int plane = Width * Height;
        for (int c = 0; c < Channels; c++)
            for (int i = 0; i < plane; i++) values[c * plane + i] = Pixels[i * Channels + c] / 255f;
        return Tensor.Create(values, [1, Channels, Height, Width]);
    }

    /// <summary>The picture of an image: 255·x, rounded, what is below 0 or above 1 cut off, NaN black.</summary>
    /// <param name="image">[1, C, H, W], grey (C = 1) or red, green and blue (C = 3).</param>
    /// <exception cref="ArgumentException">The tensor has another shape.</exception>
    public static Picture FromTensor(Tensor<float> image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Rank != 4 || image.Lengths[0] != 1 || image.Lengths[1] is not (1 or 3) || image.FlattenedLength == 0)
            throw new ArgumentException($"expected [1, 1 or 3, H, W], got [{string.Join(", ", image.Lengths.ToArray())}]", nameof(image));
        Picture picture = new((int)image.Lengths[3], (int)image.Lengths[2], (int)image.Lengths[1]);
        float[] values = new float[picture.Pixels.Length];
        image.FlattenTo(values);
        int plane = picture.Width * picture.Height;
        for (int c = 0; c < picture.Channels; c++)
            for (int i = 0; i < plane; i++)
                picture.Pixels[i * picture.Channels + c] = (byte)float.ClampNative(MathF.Round(255 * values[c * plane + i]), 0, 255);
        return picture;
    }

    // The pixels of an RGB picture.
    internal Span<Rgb> Colors => MemoryMarshal.Cast<byte, Rgb>(Pixels.AsSpan());

    // Fills a rectangle of an RGB picture.
    internal void Fill(int left, int top, int width, int height, Rgb color)
    {
        for (int y = top; y < top + height; y++) Colors.Slice(y * Width + left, width).Fill(color);
    }
}
