using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>
/// Draws a matrix of numbers as colors. If a number is negative, the colors run from blue (negative) over white (zero) to red (positive);
/// otherwise from dark (smallest) to bright (largest).
/// </summary>
public static class HeatMap
{
    /// <summary>Draws only the map, one square of one color for each number, without title and scale. For contact sheets.</summary>
    /// <param name="map">[rows, columns].</param>
    /// <param name="cell">Side of a square in pixels.</param>
    /// <param name="range">
    /// The numbers at the ends of the color scale, to draw several maps on one scale. The default is the range of the finite numbers of the map.
    /// </param>
    /// <exception cref="ArgumentException">The map is empty, or the picture does not fit into an array.</exception>
    public static Picture Tile(float[,] map, int cell = 1, (float Low, float High)? range = null)
    {
        Check(map);
        ArgumentOutOfRangeException.ThrowIfLessThan(cell, 1);
        float[] numbers = [.. map.Cast<float>()];
        return Tile(numbers, map.GetLength(1), cell, line: 0, Colors(range ?? Range(map)));
    }

    // The same for numbers in row-major order, with lines of `line` pixels between the squares.
    internal static Picture Tile(ReadOnlySpan<float> numbers, int columns, int cell, int line, Func<float, Rgb> color)
    {
        Picture tile = new(columns * cell - line, numbers.Length / columns * cell - line);
        tile.Fill(0, 0, tile.Width, tile.Height, new(216, 216, 216));
        for (int i = 0; i < numbers.Length; i++) tile.Fill(i % columns * cell, i / columns * cell, cell - line, cell - line, color(numbers[i]));
        return tile;
    }

    /// <summary>Draws a map with a title and a color scale.</summary>
    /// <param name="map">[rows, columns].</param>
    /// <param name="title">Title above the map; may be empty.</param>
    /// <param name="cell">Side of a square in pixels.</param>
    /// <exception cref="ArgumentException">The map is empty, or the picture does not fit into an array.</exception>
    public static Picture Draw(float[,] map, string title = "", int cell = 8)
    {
        Picture tile = Tile(map, cell);
        (float low, float high) = Range(map);
        Func<float, Rgb> color = Colors((low, high));
        Axis axis = new(low < 0 ? [-Math.Max(-low, high), Math.Max(-low, high)] : [low, high]);    // symmetric, as the colors
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
    /// Draws a map over a photo, enlarged to the size of the photo. Large values are bright; the smallest value leaves the photo unchanged.
    /// For class activation maps.
    /// </summary>
    /// <param name="photo">
    /// Grey or RGB, at least as large as the map. If the model letterboxes or crops, pass the picture that the model saw:
    /// <c>photo.Resize(width, height, model.Fit)</c>.
    /// </param>
    /// <param name="map">[rows, columns]; the numbers must be finite.</param>
    /// <exception cref="ArgumentException">The map is empty.</exception>
    public static Picture Over(Picture photo, float[,] map)
    {
        ArgumentNullException.ThrowIfNull(photo);
        Check(map);
        (float low, float high) = Range(map);
        float[] shares = [.. map.Cast<float>().Select(value => (value - low) / Math.Max(high - low, float.Epsilon))];
        Picture glow = Picture.FromTensor(Tensor.Create(shares, [1, 1, map.GetLength(0), map.GetLength(1)])), over = photo.ToRgb();
        // Bilinear interpolation between the numbers, smoothed by a blur about as wide as one cell of the map.
        glow = ImageFilters.BoxBlur5.Apply(glow.Resize(4 * glow.Width, 4 * glow.Height), paddingMode: PaddingMode.Replicate);
        glow = glow.Resize(photo.Width, photo.Height);
        float most = Math.Max(glow.Pixels.Max(), (byte)1);
        for (int i = 0; i < glow.Pixels.Length; i++)
        {
            float share = glow.Pixels[i] / most;
            over.Colors[i] = over.Colors[i].Towards(Rgb.Inferno(share), 0.7f * share);
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
        float[] numbers = [.. map.Cast<float>().Where(float.IsFinite).DefaultIfEmpty()];
        return (numbers.Min(), numbers.Max());
    }

    static void Check(float[,] map)
    {
        ArgumentNullException.ThrowIfNull(map);
        if (map.Length == 0) throw new ArgumentException("expected a heat map with at least one number, got an empty one");
    }
}
