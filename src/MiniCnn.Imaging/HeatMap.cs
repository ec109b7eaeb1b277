using System.Globalization;

namespace MiniCnn.Imaging;

/// <summary>
/// Numbers as colours. Where some are negative, blue is negative, white zero and red positive; else dark is little and bright is much.
/// </summary>
public static class HeatMap
{
    const int BarWidth = 16;

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
        if (low < 0) (low, high) = (-Math.Max(-low, high), Math.Max(-low, high));    // as the colours are

        int height = Math.Max(tile.Height, 64);
        string[] numbers = [high.ToString("G3", CultureInfo.InvariantCulture), low.ToString("G3", CultureInfo.InvariantCulture)];
        List<string> titles = Drawing.Wrap(title, Math.Max(tile.Width, 240));
        int top = Drawing.Margin + (titles.Count == 0 ? 0 : titles.Count * Drawing.LinePitch + 4), bar = Drawing.Margin + tile.Width + 16;
        int right = Math.Max(
            bar + BarWidth + 8 + numbers.Max(n => Font.Width(n, Drawing.Text)),
            Drawing.Margin + titles.Select(t => Font.Width(t, Drawing.Text)).DefaultIfEmpty().Max());
        Picture sheet = Drawing.NewSheet(right + Drawing.Margin, top + height + Drawing.Margin);
        for (int i = 0; i < titles.Count; i++)
            Font.Draw(sheet, Drawing.Margin, Drawing.Margin + i * Drawing.LinePitch, titles[i], Drawing.Text, Drawing.Ink);
        sheet.Paste(tile, Drawing.Margin, top);
        sheet.Frame(Drawing.Margin, top, tile.Width, tile.Height);
        for (int y = 0; y < height; y++)
            sheet.Fill(bar, top + y, BarWidth, 1, color(high + (low - high) * y / (height - 1)));
        sheet.Frame(bar, top, BarWidth, height);
        Font.Draw(sheet, bar + BarWidth + 8, top, numbers[0], Drawing.Text, Drawing.Ink);
        Font.Draw(sheet, bar + BarWidth + 8, top + height - Font.Height(Drawing.Text), numbers[1], Drawing.Text, Drawing.Ink);
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
                over.Blend(x, y, Rgb.Inferno(share), 0.7f * share);
            }
        return over;
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
