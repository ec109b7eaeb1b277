using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>An opened picture file that is not decoded yet: its size is known. Decodes and encodes with the codecs of Skia.</summary>
sealed class PictureFile : IDisposable
{
    const int MaxSide = 65_535, RowsAtOnce = 64;
    const int MostScans = 500;                      // of a progressive JPEG: the limit of libjpeg-turbo's own tests; encoders write about ten

    // Formats by their first bytes: those that Skia decodes, and those that errors name. Other formats of Skia are not used: they differ between systems.
    static readonly (int At, string Bytes, string Name, SKEncodedImageFormat? Format)[] formats =
    [
        (0, "\xFF\xD8\xFF", "a JPEG", SKEncodedImageFormat.Jpeg), (0, "\x89PNG\r\n\x1A\n", "a PNG", SKEncodedImageFormat.Png),
        (8, "WEBP", "a WebP", SKEncodedImageFormat.Webp), (0, "BM", "a BMP", SKEncodedImageFormat.Bmp),
        (0, "GIF87a", "a GIF", SKEncodedImageFormat.Gif), (0, "GIF89a", "a GIF", SKEncodedImageFormat.Gif),
        (4, "ftypavif", "an AVIF", null), (4, "ftypavis", "an AVIF", null), (4, "ftyphe", "a HEIC", null), (4, "ftypmif1", "a HEIC or AVIF", null),
        (4, "ftypmsf1", "a HEIC or AVIF", null), (4, "ftypcrx", "a camera RAW file", null), (4, "ftyp", "a video", null),
        (0, "II*\0", "a TIFF or a camera RAW file", null), (0, "MM\0*", "a TIFF or a camera RAW file", null), (0, "IIRO", "a camera RAW file", null),
        (0, "IIU\0", "a camera RAW file", null), (0, "FUJIFILM", "a camera RAW file", null), (0, "8BPS", "a Photoshop PSD", null),
        (0, "\0\0\x1\0", "an ICO", null), (4, "JXL ", "a JPEG XL", null), (0, "\xFF\x0A", "a JPEG XL", null), (4, "jP  ", "a JPEG 2000", null),
        (0, "\xFF\x4F\xFF\x51", "a JPEG 2000", null), (0, "%PDF", "a PDF", null), (0, "<", "a web page or an SVG", null),
        (0, "--", "a multipart form; send only the bytes of the picture", null),
        .. Enumerable.Range(1, 7).Select(i => (0, $"P{i}", $"a Netpbm P{i}", (SKEncodedImageFormat?)null)),
    ];

    readonly SKCodec codec;
    readonly string what;
    readonly bool grey;
    readonly int orientation;
    readonly ArraySegment<byte> endless;    // the bytes of a JPEG without an end marker

    /// <summary>Reads the header of a file.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="grey">Whether to decode only the first channel, whatever the colors of the file.</param>
    /// <param name="orientation">The EXIF orientation. The default is that of the file.</param>
    public PictureFile(ArraySegment<byte> file, bool grey = false, int? orientation = null)
    {
        (SKEncodedImageFormat format, what) = FormatOf(file);
        this.orientation = orientation ?? Exif.Orientation(file, format);
        if (format == SKEncodedImageFormat.Jpeg && JpegFile.Segments(file).Count(segment => segment.Marker == JpegFile.Scan) > MostScans)
            throw new PictureFormatException($"{what} of more than {MostScans} scans, each of which takes as long to decode as a whole picture");
        if (format == SKEncodedImageFormat.Jpeg && !JpegFile.HasEnd(file))
        {
            endless = file;
            if (!JpegFile.HasScans(file) || !JpegFile.HasEnd(file = JpegFile.Ended(file, way: 0))) throw Fault(what, SKCodecResult.IncompleteInput);
        }
        GCHandle pin = GCHandle.Alloc(file.Array, GCHandleType.Pinned);
        using SKData data = SKData.Create(pin.AddrOfPinnedObject() + file.Offset, file.Count, (_, _) => pin.Free());
        codec = SKCodec.Create(new SKMemoryStream(data), out SKCodecResult result);
        if (codec?.EncodedFormat == format && codec.Info is { Width: <= MaxSide, Height: <= MaxSide } && Pixels <= Most)
            this.grey = grey || codec.Info.ColorType == SKColorType.Gray8
                || (format == SKEncodedImageFormat.Png && file[25] is 0 or 4);                  // its color type
        else
            using (codec)
            {
                throw codec?.EncodedFormat != format ? Fault(what, result) : new PictureFormatException(
                    $"expected at most {Most} pixels, and {MaxSide} in a row or column, found {what} of {codec.Info.Width}×{codec.Info.Height} pixels");
            }
    }

    static int Most => Math.Min(Picture.MaxFilePixels, Array.MaxLength / 4);

    /// <summary>Number of pixels.</summary>
    public long Pixels => (long)codec.Info.Width * codec.Info.Height;

    public void Dispose() => codec.Dispose();

    /// <summary>Detects the format from the first bytes of a file.</summary>
    /// <exception cref="PictureFormatException">The format is not supported, or not for masks. The message names the format.</exception>
    public static (SKEncodedImageFormat Format, string Name) FormatOf(ReadOnlySpan<byte> start, bool mask = false)
    {
        string text = Encoding.Latin1.GetString(start[..Math.Min(start.Length, 16)]);
        (_, _, string? name, SKEncodedImageFormat? format) =
            formats.FirstOrDefault(known => text.AsSpan(Math.Min(known.At, text.Length)).StartsWith(known.Bytes));
        if (format is not null && (!mask || format == SKEncodedImageFormat.Png)) return (format.Value, name);
        name ??= text == "" ? "an empty file" : $"a file that begins with {Convert.ToHexString(start[..Math.Min(start.Length, 4)])}";
        throw mask ? NoMask(name) : new PictureFormatException($"expected JPEG, PNG, WebP, GIF or BMP, found {name}");
    }

    static PictureFormatException NoMask(string found) => new(
        $"expected a PNG of class indices, with a palette or grey, at most 8 bits, found {found}; save the class index of each pixel, not its color");

    /// <summary>Opens a PNG of class indices; see <see cref="Picture.LoadMask(string)"/>.</summary>
    /// <remarks>
    /// Skia returns colors, never indices. The file is therefore rewritten with a palette in which index i has the color (i, i, i), and without the other
    /// chunks before the pixels, which could change it. Grey samples are stored as indices of the same number of bits are.
    /// </remarks>
    public static PictureFile OfMask(ArraySegment<byte> png)
    {
        const int HeaderAt = 8, ChunksAt = 33;                          // after the signature, and after the header of 25 bytes
        if (png.Count < ChunksAt) throw Fault("a PNG", SKCodecResult.IncompleteInput);
        ReadOnlySpan<byte> header = png[(HeaderAt + 8)..(ChunksAt - 4)];
        (byte depth, byte kind) = (header[8], header[9]);               // PNG specification, 11.2.1: bits per sample, color type
        if (!png[HeaderAt..ChunksAt].AsSpan().SequenceEqual(Chunk("IHDR"u8, header))) throw Fault("a PNG", SKCodecResult.ErrorInInput);
        if ((kind, depth) is not (0 or 3, 1 or 2 or 4 or 8))
            throw (kind, depth) switch
            {
                (0, 16) => NoMask("a PNG of 16 bits"),
                (2, _) => NoMask("a PNG in RGB"),
                (4, _) => NoMask("a PNG in grey with alpha"),
                (6, _) => NoMask("a PNG in RGB with alpha"),
                _ => Fault("a PNG", SKCodecResult.ErrorInInput),
            };

        long at = ChunksAt;                                             // offset of the first chunk of pixels
        while (png.Count - at >= 12 && !png.AsSpan((int)at + 4, 4).SequenceEqual("IDAT"u8))
            at += 12L + BinaryPrimitives.ReadUInt32BigEndian(png[(int)at..]);
        if (png.Count - at < 12) throw Fault("a PNG", SKCodecResult.IncompleteInput);
        byte[] palette = new byte[3 << depth];
        for (int i = 0; i < palette.Length; i++) palette[i] = (byte)(i / 3);
        byte[] indexed = [.. header[..9], 3, .. header[10..]];
        byte[] file = [.. png[..HeaderAt], .. Chunk("IHDR"u8, indexed), .. Chunk("PLTE"u8, palette), .. png[(int)at..]];
        return new(file, grey: true, Exif.Orientation(png, SKEncodedImageFormat.Png));
    }

    // Length, name, content and checksum: PNG specification, 5.3.
    static byte[] Chunk(ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        byte[] chunk = [0, 0, 0, 0, .. name, .. content, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        uint crc = uint.MaxValue;                                       // PNG specification, annex D
        foreach (byte b in chunk.AsSpan(4..^4))
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), ~crc);
        return chunk;
    }

    /// <summary>Decodes the pixels; see <see cref="Picture.Load(string)"/>. Call it only once.</summary>
    public Picture Decode()
    {
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque, byRows = codec.EncodedFormat == SKEncodedImageFormat.Jpeg;     // other codecs cannot
        SKAlphaType alpha = opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        SKImageInfo wanted = new(width, height, SKColorType.Rgba8888, alpha);      // without color space: the samples are not converted
        Picture picture = new(width, height, grey ? 1 : 3);
        int most = byRows ? Math.Min(height, RowsAtOnce) : height;
        using SKBitmap bitmap = new(wanted.WithSize(width, most));
        SKCodecResult result = byRows ? codec.StartScanlineDecode(wanted) : codec.GetPixels(wanted, bitmap.GetPixels());
        for (int y = 0; y < height; y += most)
        {
            int rows = Math.Min(most, height - y);
            if (byRows && result == SKCodecResult.Success && codec.GetScanlines(bitmap.GetPixels(), rows, bitmap.RowBytes) < rows)
                result = SKCodecResult.IncompleteInput;
            if (result != SKCodecResult.Success) throw Fault(what, result);
            Span<byte> pixels = picture.Pixels.AsSpan(y * width * picture.Channels, rows * width * picture.Channels);
            if (opaque) Pack(bitmap.GetPixelSpan(), pixels, picture.Channels);
            else OverWhite(bitmap.GetPixelSpan(), pixels, picture.Channels);
        }
        codec.Dispose();                                                           // also frees the coefficients of a progressive JPEG
        for (int way = 1; endless.Count > 0 && way < JpegFile.Ways; way++)
        {
            using PictureFile other = new(JpegFile.Ended(endless, way), grey: false, orientation: 1);
            if (!other.Decode().Pixels.AsSpan().SequenceEqual(picture.Pixels)) throw Fault(what, SKCodecResult.IncompleteInput);
        }
        return Upright(picture, orientation);
    }

    /// <summary>Copies the first <paramref name="channels"/> channels of RGBA pixels.</summary>
    public static void Pack(ReadOnlySpan<byte> rgba, Span<byte> pixels, int channels)
    {
        Vector128<byte> threeOfFour = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        int i = 0, to = 0;
        for (; channels == 3 && to + 16 <= pixels.Length; i += 16, to += 12)
            Vector128.Shuffle(Vector128.Create(rgba[i..]), threeOfFour).CopyTo(pixels[to..]);
        for (; to < pixels.Length; i += 4, to += channels)
            rgba.Slice(i, channels).CopyTo(pixels[to..]);
    }

    static void OverWhite(ReadOnlySpan<byte> rgba, Span<byte> pixels, int channels)
    {
        for (int i = 0, to = 0; to < pixels.Length; i += 4, to += channels)
            for (int c = 0; c < channels; c++)
                pixels[to + c] = (byte)(255 - ((255 - rgba[i + c]) * rgba[i + 3] + 127) / 255);
    }

    /// <summary>Encodes a picture in the format of the extension of a path.</summary>
    public static SKData Encode(Picture picture, string path)
    {
        Func<SKPixmap, SKData?> encode = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => pixmap => pixmap.Encode(SKPngEncoderOptions.Default),
            ".jpg" or ".jpeg" => pixmap => pixmap.Encode(new SKJpegEncoderOptions(90)),
            ".webp" => pixmap => pixmap.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 75)),     // 75: compression effort
            _ => throw new ArgumentException($"{path}: expected the extension .png, .jpg, .jpeg or .webp", nameof(path)),
        };
        SKColorType colors = picture.Channels == 1 ? SKColorType.Gray8 : SKColorType.Rgb888x;
        using SKBitmap bitmap = new(new SKImageInfo(picture.Width, picture.Height, colors, SKAlphaType.Opaque));
        Span<byte> pixels = bitmap.GetPixelSpan();
        if (picture.Channels == 1) picture.Pixels.CopyTo(pixels);
        else
            for (int i = 0, from = 0; i < pixels.Length; i += 4, from += 3)
                picture.Pixels.AsSpan(from, 3).CopyTo(pixels[i..]);
        using SKPixmap pixmap = bitmap.PeekPixels();
        return encode(pixmap) ?? throw new IOException($"{path}: the format does not support a picture of {picture.Width}×{picture.Height} pixels");
    }

    /// <summary>Rotates and mirrors a picture by its EXIF orientation (EXIF 2.3, 4.6.4 A, tag 112 hex): 1 to 8, 1 is upright.</summary>
    static Picture Upright(Picture picture, int orientation)
    {
        if (orientation == 1) return picture;
        bool sideways = orientation >= 5;                               // rows of the file are columns of the picture
        bool right = orientation is 2 or 3 or 7 or 8;                   // column 0 of the result is the last column of the file
        bool bottom = orientation is 3 or 4 or 6 or 7;                  // row 0 of the result is the last row of the file
        int width = picture.Width, height = picture.Height, channels = picture.Channels;
        Picture upright = sideways ? new(height, width, channels) : new(width, height, channels);
        for (int y = 0, to = 0; y < upright.Height; y++)
            for (int x = 0; x < upright.Width; x++, to += channels)
            {
                (int column, int row) = sideways ? (y, x) : (x, y);
                if (right) column = width - 1 - column;
                if (bottom) row = height - 1 - row;
                picture.Pixels.AsSpan((row * width + column) * channels, channels).CopyTo(upright.Pixels.AsSpan(to));
            }
        return upright;
    }

    static PictureFormatException Fault(string what, SKCodecResult result) => new(result switch
    {
        SKCodecResult.IncompleteInput => $"{what} that ends too early",
        SKCodecResult.Unimplemented => $"{what} of an unsupported kind",
        _ => $"{what} that is damaged or of an unsupported kind ({result})",
    });
}
