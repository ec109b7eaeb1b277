namespace MiniCnn.Imaging;

/// <summary>
/// Numbers as colours. Where some are negative, blue is negative, white zero and red positive; else dark is little and bright is much.
/// </summary>
public static class HeatMap
{
    /// <summary>A square of one colour for each number, and nothing else: for contact sheets.</summary>
    /// <param name="map">[rows, columns].</param>
    /// <param name="cell">Pixels of a square's side.</param>
    /// <param name="range">The numbers at the ends of the colours, to draw several maps on one scale; if not given, the map's own.</param>
    /// <exception cref="ArgumentException">The map is empty, or the picture would not fit an array.</exception>
    public static Picture Tile(float[,] map, int cell = 1, (float Low, float High)? range = null)
    {
        Check(map);
        ArgumentOutOfRangeException.ThrowIfLessThan(cell, 1);
        Func<float, Rgb> color = Colors(range ?? Range(map));
        (int rows, int columns) = (map.GetLength(0), map.GetLength(1));
        Picture tile = new(columns * cell, rows * cell);
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < columns; x++)
                tile.Fill(x * cell, y * cell, cell, cell, color(map[y, x]));
        return tile;
    }

    /// <summary>A map with a title, and a scale that says what its colours mean.</summary>
    /// <param name="map">[rows, columns].</param>
    /// <param name="title">What stands above it.</param>
    /// <param name="cell">Pixels of a square's side.</param>
    /// <exception cref="ArgumentException">The map is empty, or the picture would not fit an array.</exception>
    public static Picture Draw(float[,] map, string title = "", int cell = 8)
    {
        Picture tile = Tile(map, cell);
        (float low, float high) = Range(map);
        Func<float, Rgb> color = Colors((low, high));
        Axis axis = new(low < 0 ? [-Math.Max(-low, high), Math.Max(-low, high)] : [low, high]);    // as the colours are
        int bar = Drawing.Margin + tile.Width + Drawing.Gap, right = bar + Drawing.ColorBarWidth(axis), height = Math.Max(tile.Height, 96);
        List<string> titles = Drawing.Wrap(title, Math.Max(right - Drawing.Margin, 240));
        int top = Drawing.Margin + Drawing.TitleHeight(titles);
        right = titles.Select(line => Drawing.Margin + Drawing.Width(line, Drawing.Title)).Append(right).Max();
        Picture sheet = Drawing.Sheet(right + Drawing.Margin, top + height + Drawing.Margin, canvas =>
        {
            canvas.WriteTitle(titles, Drawing.Margin, Drawing.Margin);
            canvas.ColorBar(bar, top, height, axis, color);
        });
        sheet.Paste(tile, Drawing.Margin, top);
        return sheet;
    }

    /// <summary>
    /// A photo with a map over it, enlarged to its size: what is largest in the map glows, what is smallest leaves the photo as it is.
    /// For class activation maps.
    /// </summary>
    /// <param name="photo">Grey or RGB, at least as large as the map.</param>
    /// <param name="map">[rows, columns], finite.</param>
    /// <exception cref="ArgumentException">The map is empty.</exception>
    public static Picture Over(Picture photo, float[,] map)
    {
        ArgumentNullException.ThrowIfNull(photo);
        Check(map);
        (float low, float high) = Range(map);
        Picture glow = new(map.GetLength(1), map.GetLength(0), channels: 1), over = photo.ToRgb();
        for (int i = 0; i < glow.Pixels.Length; i++)
            glow.Pixels[i] = (byte)MathF.Round(255 * (map[i / glow.Width, i % glow.Width] - low) / Math.Max(high - low, float.Epsilon));
        // Straight slopes from number to number, rounded by a blur about as wide as one of them.
        glow = ImageFilters.BoxBlur5.Apply(glow.Resize(4 * glow.Width, 4 * glow.Height), paddingMode: PaddingMode.Replicate).Resize(photo.Width, photo.Height);
        float most = Math.Max(glow.Pixels.Max(), (byte)1);
        for (int y = 0; y < photo.Height; y++)
            for (int x = 0; x < photo.Width; x++)
            {
                float share = glow.Pixels[y * photo.Width + x] / most;
                Span<byte> pixel = over.Pixels.AsSpan((y * photo.Width + x) * 3, 3);
                (byte red, byte green, byte blue) = Rgb.Inferno(share);
                (pixel[0], pixel[1], pixel[2]) = (Mix(pixel[0], red, share), Mix(pixel[1], green, share), Mix(pixel[2], blue, share));
            }
        return over;

        static byte Mix(byte under, byte over, float share) => (byte)MathF.Round(under + (over - under) * 0.7f * share);
    }

    static Func<float, Rgb> Colors((float Low, float High) range)
    {
        (float low, float high) = range;
        float most = Math.Max(-low, high), span = high - low;
        return low < 0 ? value => Rgb.BlueWhiteRed(value / most) : value => Rgb.Inferno(span > 0 ? (value - low) / span : value - low);
    }

    static (float Low, float High) Range(float[,] map)
    {
        float[] numbers = [.. map.Cast<float>().Where(float.IsFinite)];
        return numbers.Length == 0 ? (0, 0) : (numbers.Min(), numbers.Max());
    }

    static void Check(float[,] map)
    {
        ArgumentNullException.ThrowIfNull(map);
        if (map.Length == 0) throw new ArgumentException("a heat map needs at least one number");
    }
}
