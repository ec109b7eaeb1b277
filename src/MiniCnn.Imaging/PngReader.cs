using System.Buffers.Binary;
using System.IO.Compression;

namespace MiniCnn.Imaging;

// What a PNG's chunks hold, and the pixels in it.
sealed class PngReader
{
    // Where a pass begins and how far apart its pixels are.
    static readonly (int X, int Y, int StepX, int StepY)[] Whole = [(0, 0, 1, 1)],
        Adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    readonly int width, height, depth, samples;     // depth: bits a sample; samples of a pixel
    readonly bool hasPalette;
    readonly (int X, int Y, int StepX, int StepY)[] passes;

    // IHDR
    public PngReader(ReadOnlySpan<byte> header)
    {
        if (header.Length != 13) throw new PictureFormatException($"a PNG with a header of {header.Length} bytes, not 13");
        (uint declaredWidth, uint declaredHeight) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        Picture.CheckFileSize("a PNG", declaredWidth, declaredHeight);
        (width, height, depth) = ((int)declaredWidth, (int)declaredHeight, header[8]);
        int type = header[9];
        bool known = type switch
        {
            0 => depth is 1 or 2 or 4 or 8 or 16,
            3 => depth is 1 or 2 or 4 or 8,
            2 or 4 or 6 => depth is 8 or 16,
            _ => false,
        };
        if (!known || header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw new PictureFormatException(
                $"a PNG of color type {type}, {depth} bits, compression {header[10]}, filter {header[11]}, interlace {header[12]}, which there is not");
        samples = type switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        hasPalette = type == 3;
        passes = header[12] == 1 ? Adam7 : Whole;
    }

    // PLTE, tRNS and the IDATs
    public byte[] Palette { get; set; } = [];

    public byte[] Transparent { get; set; } = [];

    public MemoryStream Compressed { get; } = new();

    // Of 16 bits the higher 8 count, as for PIL and libpng's png_set_strip_16. What is transparent is blended over white.
    public Picture Read()
    {
        // Deflate makes at most 1032 bytes of one.
        long bytes = passes.Sum(p => Count(width, p.X, p.StepX) is > 0 and int columns ? Count(height, p.Y, p.StepY) * (1 + RowLength(columns)) : 0);
        if (bytes > 1032 * Compressed.Length)
            throw new PictureFormatException($"a PNG of {width}×{height} pixels, {bytes} bytes, which its {Compressed.Length} compressed bytes cannot hold");
        Compressed.Position = 0;
        using ZLibStream zlib = new(Compressed, CompressionMode.Decompress);
        Picture picture = new(width, height, hasPalette || samples > 2 ? 3 : 1);
        byte[] table = samples == 1 && depth <= 8 ? Table() : [], key = Key();
        foreach ((int left, int top, int stepX, int stepY) in passes)
        {
            int columns = Count(width, left, stepX);
            if (columns == 0) continue;
            byte[] row = new byte[1 + RowLength(columns)], above = new byte[row.Length];    // the filter, then samples
            for (int y = top; y < height; y += stepY)
            {
                Fill(zlib, row);
                Unfilter(row[0], row.AsSpan(1), above.AsSpan(1), Math.Max(samples * depth / 8, 1));
                Span<byte> output = picture.Pixels.AsSpan(y * width * picture.Channels, width * picture.Channels);
                if (table.Length > 0) Look(row.AsSpan(1), table, output, picture.Channels, left, stepX);
                else Blend(row.AsSpan(1), key, output, picture.Channels, left, stepX);
                (row, above) = (above, row);
            }
        }
        return picture;
    }

    static int Count(int size, int first, int step) => (size - first + step - 1) / step;

    long RowLength(int columns) => ((long)columns * samples * depth + 7) / 8;

    static void Fill(ZLibStream zlib, byte[] row)
    {
        int length;
        try
        {
            length = zlib.ReadAtLeast(row, row.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new PictureFormatException("a damaged PNG, its pixels cannot be decompressed", e);
        }
        if (length < row.Length) throw new PictureFormatException("a PNG that ends early, before its last pixel");
    }

    // Each byte was written as its difference from what its neighbours a pixel to the left, above, and above on the left let expect.
    static void Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int pixel)
    {
        switch (filter)
        {
            case 0: break;
            case 1:
                for (int i = pixel; i < row.Length; i++) row[i] += row[i - pixel];
                break;
            case 2:
                for (int i = 0; i < row.Length; i++) row[i] += above[i];
                break;
            case 3:
                for (int i = 0; i < row.Length; i++) row[i] += (byte)(((i < pixel ? 0 : row[i - pixel]) + above[i]) / 2);
                break;
            case 4:
                for (int i = 0; i < pixel; i++) row[i] += above[i];
                for (int i = pixel; i < row.Length; i++) row[i] += Paeth(row[i - pixel], above[i], above[i - pixel]);
                break;
            default: throw new PictureFormatException($"a damaged PNG, a row has filter {filter}");
        }
    }

    // That of a, b, c which is nearest to a + b − c.
    static byte Paeth(byte a, byte b, byte c)
    {
        int toA = Math.Abs(b - c), toB = Math.Abs(a - c), toC = Math.Abs(a + b - 2 * c);
        return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    }

    // The colors of all values of a sample: a shade of grey, or three bytes from the palette.
    byte[] Table()
    {
        int values = 1 << depth;
        if (!hasPalette)
        {
            byte[] shades = [.. Enumerable.Range(0, values).Select(v => (byte)(v * 255 / (values - 1)))];
            if (Transparent is [byte high, byte low] && (high << 8 | low) < values) shades[high << 8 | low] = 255;
            return shades;
        }
        if (Palette.Length == 0 || Palette.Length % 3 != 0) throw new PictureFormatException($"a PNG with a palette of {Palette.Length} bytes");
        byte[] colors = Palette[..Math.Min(Palette.Length, 3 * values)];
        for (int i = 0; i < colors.Length; i++)
            if (i / 3 < Transparent.Length) colors[i] = OverWhite(colors[i], Transparent[i / 3]);
        return colors;
    }

    // Pixels of one sample of up to 8 bits.
    void Look(ReadOnlySpan<byte> row, byte[] table, Span<byte> output, int channels, int left, int step)
    {
        int mask = (1 << depth) - 1;
        for (int x = left, bit = 0; x < width; x += step, bit += depth)
        {
            int value = row[bit >> 3] >> (8 - depth - (bit & 7)) & mask;
            if (channels == 1) output[x] = table[value];
            else if (3 * value < table.Length) table.AsSpan(3 * value, 3).CopyTo(output[(3 * x)..]);
            else throw new PictureFormatException($"a damaged PNG, a pixel has color {value} of a palette of {table.Length / 3}");
        }
    }

    // Pixels of 8 or 16 bits a sample.
    void Blend(ReadOnlySpan<byte> row, byte[] key, Span<byte> output, int channels, int left, int step)
    {
        if (depth == 8 && samples == channels && step == 1 && key.Length == 0)
        {
            row.CopyTo(output);
            return;
        }
        int sample = depth / 8, pixel = samples * sample;
        for (int x = left; x < width; x += step)
        {
            byte alpha = samples > channels ? row[channels * sample] : row[..pixel].SequenceEqual(key) ? (byte)0 : (byte)255;
            for (int c = 0; c < channels; c++) output[x * channels + c] = OverWhite(row[c * sample], alpha);
            row = row[pixel..];
        }
    }

    // The bytes of the transparent color, if there is one: tRNS has 16 bits for a sample of 8, too.
    byte[] Key() =>
        samples % 2 == 0 || Transparent.Length != 2 * samples ? []
        : depth == 16 ? Transparent
        : [.. Transparent.Where((_, i) => i % 2 == 1)];

    static byte OverWhite(byte color, byte alpha) => (byte)(255 - ((255 - color) * alpha + 127) / 255);
}
