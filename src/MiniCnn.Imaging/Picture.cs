using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>A picture in memory, grey or RGB, with 8 bits per channel. Pixels are in rows from the top, channels are interleaved.</summary>
public sealed class Picture
{
    /// <summary>Maximum number of pixels of a picture file: a small file can be a huge picture. For the whole program; the default is 100 million.</summary>
    /// <remarks>Reading takes 3 to 15 bytes of memory per pixel, plus four times the file size.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
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
    /// Maximum number of pixels that the whole program decodes at once. Calls that would exceed it wait for earlier calls, in order; a picture that exceeds it
    /// on its own is decoded alone. The default is half of the memory available to .NET (three quarters of the memory of a container), at 16 bytes per pixel:
    /// 9 million pixels in a container of 384 MB, 268 million with 8 GiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
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

    /// <summary>Creates a black picture.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="channels">1 for grey, 3 for RGB.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is below 1, channels are not 1 or 3, or the pixels, with 1 byte for grey and 4 bytes for RGB, do not fit into an array.
    /// </exception>
    public Picture(int width, int height, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        int bytes = channels == 1 ? 1 : 4;    // per pixel, as in Skia
        if ((Int128)width * height * bytes > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(width), $"a picture of {width}×{height} pixels of {bytes} bytes does not fit into an array");
        (Width, Height, Channels) = (width, height, channels);
        Pixels = new byte[width * height * channels];
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Number of channels: 1 for grey, 3 for red, green and blue.</summary>
    public int Channels { get; }

    /// <summary>The pixels, not copied. Channel c in row y and column x has the index (y · Width + x) · Channels + c.</summary>
    public byte[] Pixels { get; }

    /// <summary>Reads a JPEG, PNG, WebP, GIF or BMP file; the content determines the format. Of an animation, the first frame is read.</summary>
    /// <remarks>
    /// The pixels are bit-identical to PIL's, except in a BMP of 16 bits per pixel (differences up to 1) and where the first frame of a GIF is empty (white).
    /// Transparent pixels are blended over white. Channels of 16 bits are truncated to the upper 8 bits. Color profiles are ignored. The EXIF orientation of a
    /// JPEG, PNG or WebP is applied. A grey JPEG or PNG, with or without alpha, has one channel; all other pictures have three.
    /// A JPEG may lack the end marker if it has all pixels, and Huffman tables if it uses the standard ones, as from webcams. It may have at most 500 scans.
    /// </remarks>
    /// <exception cref="PictureFormatException">The file has another format, is damaged, or has more than <see cref="MaxFilePixels"/> pixels.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied, or the path is a folder.</exception>
    public static Picture Load(string path) => Open(path, Load);

    /// <summary>Reads a picture from a stream, up to the end of the stream; see <see cref="Load(string)"/>.</summary>
    /// <exception cref="PictureFormatException">The stream has no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static Picture Load(Stream stream) => Load(stream, picture => picture);

    /// <summary>Reads a picture from a stream, up to the end of the stream, and decodes it on the thread pool; see <see cref="Load(string)"/>.</summary>
    /// <param name="stream">A stream of the bytes of a picture file.</param>
    /// <param name="cancellationToken">Cancels the reading and the waiting for <see cref="MaxPixelsAtOnce"/>, which does not block a thread.</param>
    /// <exception cref="PictureFormatException">The stream has no picture that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before the decoding began.</exception>
    public static Task<Picture> LoadAsync(Stream stream, CancellationToken cancellationToken = default) =>
        LoadAsync(stream, picture => picture, cancellationToken);

    /// <summary>Decodes a picture and calls <paramref name="make"/>. Until both are done, its pixels count towards <see cref="MaxPixelsAtOnce"/>.</summary>
    internal static T Load<T>(Stream stream, Func<Picture, T> make)
    {
        using PictureFile file = new(Read(stream, mask: false));
        return budget.Run(file.Pixels, () => make(file.Decode()));
    }

    /// <summary>The same; waiting blocks no thread.</summary>
    internal static async Task<T> LoadAsync<T>(Stream stream, Func<Picture, T> make, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArraySegment<byte> bytes = await Read(
            buffer => stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken), mask: false).ConfigureAwait(false);
        using PictureFile file = new(bytes);
        return await budget.RunAsync(file.Pixels, () => make(file.Decode()), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a mask, a PNG of class indices with a palette or in grey, with 1, 2, 4 or 8 bits per pixel.</summary>
    /// <remarks>
    /// Each pixel is the number in the file: the palette index, independent of its color and alpha, or the grey sample, not scaled to 0 to 255.
    /// A grey picture that is written by <c>picture.Save("mask.png")</c> is read back unchanged. The EXIF orientation of the mask file itself is
    /// applied, if there is one; that of the photo is not.
    /// </remarks>
    /// <returns>A grey picture of indices, 0 to 255.</returns>
    /// <exception cref="PictureFormatException">The file is not such a PNG, is damaged, or has more than <see cref="MaxFilePixels"/> pixels.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied, or the path is a folder.</exception>
    public static Picture LoadMask(string path) => Open(path, LoadMask);

    /// <summary>Reads a mask from a stream, up to the end of the stream; see <see cref="LoadMask(string)"/>.</summary>
    /// <exception cref="PictureFormatException">The stream has no mask that can be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
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
        PictureFile.FormatOf(file.AsSpan(0, length), mask);    // checks the format before gigabytes of another format are read
        while (length == file.Length)
        {
            if (length >= MaxFileBytes) throw new PictureFormatException($"expected a picture file of less than {MaxFileBytes >> 20} MiB, found a larger one");
            Array.Resize(ref file, 2 * length);
            length += await fill(file.AsMemory(length)).ConfigureAwait(false);
        }
        return new(file, 0, length);
    }

    /// <summary>
    /// Writes the picture to a file, atomically. The extension of <paramref name="path"/> selects the format: .png or .webp (lossless), .jpg or .jpeg
    /// (quality 90). Equal pictures give equal bytes.
    /// </summary>
    /// <exception cref="ArgumentException">The extension is not supported.</exception>
    /// <exception cref="IOException">The file cannot be written, or the picture is too large for the format.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using SKData file = PictureFile.Encode(this, path);
        AtomicFile.Write(path, file.SaveTo);
    }

    /// <summary>Writes the picture to a stream, in the format of an extension such as “.png”; see <see cref="Save(string)"/>.</summary>
    /// <exception cref="ArgumentException">The extension is not supported.</exception>
    /// <exception cref="IOException">The stream cannot be written, or the picture is too large for the format.</exception>
    public void Save(Stream stream, string extension)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(extension);
        using SKData file = PictureFile.Encode(this, extension);
        file.SaveTo(stream);
    }

    /// <summary>A grey copy: 0.299 R + 0.587 G + 0.114 B (ITU-R Rec. 601), bit-identical to PIL's <c>convert('L')</c>.</summary>
    public Picture ToGrey()
    {
        if (Channels == 1) return Crop(0, 0, Width, Height);
        Picture grey = new(Width, Height, channels: 1);
        Span<Rgb> colors = Colors;
        for (int i = 0; i < colors.Length; i++)    // the weights, times 2¹⁶
            grey.Pixels[i] = (byte)((19595 * colors[i].Red + 38470 * colors[i].Green + 7471 * colors[i].Blue + 0x8000) >> 16);
        return grey;
    }

    /// <summary>An RGB copy. The three channels of a grey picture are equal.</summary>
    public Picture ToRgb()
    {
        if (Channels == 3) return Crop(0, 0, Width, Height);
        Picture rgb = new(Width, Height);
        for (int i = 0; i < Pixels.Length; i++) rgb.Colors[i] = new(Pixels[i], Pixels[i], Pixels[i]);
        return rgb;
    }

    /// <summary>
    /// A resized copy, bilinear with antialiasing. Bit-identical to PIL's <c>resize(size, Resampling.BILINEAR)</c> for <see cref="Fit.Stretch"/>,
    /// <c>ImageOps.pad</c> for <see cref="Fit.Letterbox"/> and <c>ImageOps.fit</c> for <see cref="Fit.CenterCrop"/>, with the same resampling.
    /// </summary>
    /// <param name="width">Width of the copy in pixels.</param>
    /// <param name="height">Height of the copy in pixels.</param>
    /// <param name="fit">How the picture is fitted to another aspect ratio.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or the copy does not fit into an array.</exception>
    public Picture Resize(int width, int height, Fit fit = Fit.Stretch) => Resampling.Resize(this, width, height, fit);

    /// <summary>A copy of the rectangle of width × height with the upper left corner (left, top), all in pixels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is empty or not inside the picture.</exception>
    public Picture Crop(int left, int top, int width, int height)
    {
        if (left < 0 || top < 0 || width < 1 || height < 1 || width > Width - left || height > Height - top)
            throw new ArgumentOutOfRangeException(nameof(width), $"expected a rectangle inside {Width}×{Height}, got {width}×{height} at ({left}, {top})");
        Picture cut = new(width, height, Channels);
        int row = width * Channels;
        for (int y = 0; y < height; y++)
            Pixels.AsSpan(((top + y) * Width + left) * Channels, row).CopyTo(cut.Pixels.AsSpan(y * row));
        return cut;
    }

    /// <summary>Converts the picture to a batch of one image, [1, C, H, W], with values x/255 from 0 to 1, as torchvision's <c>ToTensor</c>.</summary>
    public Tensor<float> ToTensor()
    {
        float[] values = new float[Pixels.Length];
        int plane = Width * Height;
        for (int c = 0; c < Channels; c++)
            for (int i = 0; i < plane; i++) values[c * plane + i] = Pixels[i * Channels + c] / 255f;
        return Tensor.Create(values, [1, Channels, Height, Width]);
    }

    /// <summary>Converts an image with values from 0 to 1 to a picture: 255·x, rounded and clamped to 0 to 255. NaN becomes 0.</summary>
    /// <param name="image">[1, C, H, W], with C = 1 for grey and C = 3 for RGB.</param>
    /// <exception cref="ArgumentException">The tensor has another shape.</exception>
    public static Picture FromTensor(Tensor<float> image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Rank != 4 || image.Lengths[0] != 1 || image.Lengths[1] is not (1 or 3) || image.FlattenedLength == 0)
            throw new ArgumentException($"expected an image of shape [1, 1 or 3, H, W], got [{string.Join(", ", image.Lengths.ToArray())}]", nameof(image));
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
