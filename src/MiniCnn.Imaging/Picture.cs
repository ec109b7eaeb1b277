namespace MiniCnn.Imaging;

/// <summary>A picture in memory: 8 bits a channel, grey or RGB, row by row from the top, channels side by side.</summary>
public sealed class Picture
{
    /// <summary>A black picture.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1: grey; 3: red, green, blue.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is not positive, channels are neither 1 nor 3, or the pixels would not fit an array.
    /// </exception>
    public Picture(int width, int height, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is not (1 or 3)) throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        if ((Int128)width * height * channels > Array.MaxLength)
            throw new ArgumentOutOfRangeException(nameof(width), $"a picture of {width}×{height}×{channels} bytes does not fit an array");
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

    // Fills a rectangle of an RGB picture, cut off at the borders.
    internal void Fill(int left, int top, int width, int height, Rgb color)
    {
        int right = Math.Min(left + width, Width), bottom = Math.Min(top + height, Height);
        for (int y = Math.Max(top, 0); y < bottom; y++)
            for (int x = Math.Max(left, 0); x < right; x++)
                (Pixels[(y * Width + x) * 3], Pixels[(y * Width + x) * 3 + 1], Pixels[(y * Width + x) * 3 + 2]) = color;
    }
}
