using SkiaSharp;

namespace MiniCnn.Imaging;

/// <summary>A line of a <see cref="LineChart"/>. The line is interrupted at values that are not finite.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Y">Values on the vertical axis.</param>
public sealed record LineSeries(string Name, params double[] Y)
{
    /// <summary>Values on the horizontal axis, one for each <see cref="Y"/>. The default is 1, 2, 3, …</summary>
    public double[]? X { get; init; }

    internal IEnumerable<(double X, double Y)> Points => (X ?? Enumerable.Range(1, Y.Length).Select(i => (double)i)).Zip(Y);
}

/// <summary>Draws series of numbers as lines, with axes and a legend; for example the loss of each epoch.</summary>
public static class LineChart
{
    const int SampleWidth = 32, FewPoints = 40, LeastPlot = 30;    // pixels, points, pixels; LeastPlot: the height of three axis labels

    // Colors that color-blind people can distinguish: M. Okabe, K. Ito, Color Universal Design (2008). Dashes help where lines cross and in grey prints.
    static readonly Rgb[] colors = [new(0, 114, 178), new(213, 94, 0), new(0, 158, 115), new(204, 121, 167), new(230, 159, 0), new(86, 180, 233)];
    static readonly float[][] dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [16, 4], [10, 3, 2, 3, 2, 3], [4, 2]];

    /// <summary>Draws all series in one chart with common axes.</summary>
    /// <param name="title">Title above the chart.</param>
    /// <param name="xTitle">Title of the horizontal axis; may be empty.</param>
    /// <param name="yTitle">Title of the vertical axis; may be empty.</param>
    /// <param name="series">The lines, in the order of the legend.</param>
    /// <param name="width">Width in pixels, at least 240.</param>
    /// <param name="height">Height in pixels, at least 180.</param>
    /// <exception cref="ArgumentException">There are no series, a series has different numbers of X and Y, or the chart is too small.</exception>
    public static Picture Draw(string title, string xTitle, string yTitle, IReadOnlyList<LineSeries> series, int width = 640, int height = 400)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 240);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 180);
        if (series.Count == 0) throw new ArgumentException("expected at least one series for the chart, got none");
        if (series.FirstOrDefault(s => s.X is not null && s.X.Length != s.Y.Length) is LineSeries uneven)
            throw new ArgumentException($"expected as many X as Y in the series {uneven.Name}, got {uneven.X!.Length} X and {uneven.Y.Length} Y");

        (double X, double Y)[] points = [.. series.SelectMany(s => s.Points).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))];

        // From top to bottom: title, legend, title of the vertical axis, plot, labels, title of the horizontal axis.
        List<string> titles = Drawing.Wrap(title, width - 2 * Drawing.Margin);
        (int X, int Y)[] names = PlaceNames(series, Drawing.Margin + Drawing.TitleHeight(titles) + 3, width);
        int yTitleTop = names[^1].Y + 26, xTitleTop = height - Drawing.Margin - Drawing.Label;
        int top = yTitleTop + (yTitle == "" ? 0 : 20) + Drawing.Label / 2;
        int numbers = xTitle == "" ? xTitleTop : xTitleTop - 20, bottom = numbers - 12;
        if (bottom - top < LeastPlot)
            throw new ArgumentException(
                $"titles and legend leave {bottom - top} of {height} pixels for the plot, expected at least {LeastPlot}; use a larger height");
        Axis up = Axis.Fit(points.Select(p => p.Y), outwards: true, axis => (axis.Labels.Count - 1) * 1.5 * Drawing.Label <= bottom - top);
        int left = Drawing.Margin + up.Labels.Max(label => Width(label.Text)) + 10, right = width - Drawing.Margin - 8;
        Axis across = Axis.Fit(points.Select(p => p.X), outwards: false, axis => axis.Labels.Sum(label => Width(label.Text) + 24) < right - left);

        return Drawing.Sheet(width, height, canvas =>
        {
            canvas.WriteTitle(titles, Drawing.Margin, Drawing.Margin);
            Write(yTitle, Drawing.Margin, yTitleTop);
            Write(xTitle, (left + right - Width(xTitle)) / 2, xTitleTop);
            foreach ((double value, string text) in up.Labels)
            {
                int y = (int)Math.Floor(ToY(value));
                canvas.Fill(left, y, right - left + 1, 1, value == up.Low ? Drawing.Border : Drawing.Grid);
                Write(text, left - 10 - Width(text), y - Drawing.Label / 2);
            }
            foreach ((double value, string text) in across.Labels)
            {
                int x = (int)Math.Floor(ToX(value));
                canvas.Fill(x, bottom, 1, 5, Drawing.Border);
                Write(text, Math.Min(x - Width(text) / 2, width - 4 - Width(text)), numbers);
            }
            for (int i = series.Count - 1; i >= 0; i--)    // the first series is drawn last, on top
            {
                float middle = names[i].Y + Drawing.Label / 2f;
                Write(series[i].Name, names[i].X + SampleWidth + 8, names[i].Y);
                DrawLine(canvas, i, [new(names[i].X, middle), new(names[i].X + SampleWidth, middle)], dots: false);
                SKPoint[] line = [.. series[i].Points.Select(p => new SKPoint((float)ToX(p.X), (float)ToY(p.Y)))];
                DrawLine(canvas, i, line, dots: line.Length <= FewPoints);
            }

            void Write(string text, float x, float y) => canvas.Write(text, x, y, Drawing.Label, Drawing.Ink);
        });

        double ToX(double x) => left + (right - left) * across.Share(x) + 0.5;    // the center of a pixel
        double ToY(double y) => bottom + (top - bottom) * up.Share(y) + 0.5;
    }

    static int Width(string text) => Drawing.Width(text, Drawing.Label);

    // Places the samples and names of the legend, in as many lines as needed.
    static (int X, int Y)[] PlaceNames(IReadOnlyList<LineSeries> series, int top, int width)
    {
        int left = Drawing.Margin;
        return [.. series.Select(s =>
        {
            int wide = SampleWidth + 8 + Width(s.Name);
            if (left > Drawing.Margin && left + wide > width - Drawing.Margin) (left, top) = (Drawing.Margin, top + 20);
            left += wide + 24;
            return (left - wide - 24, top);
        })];
    }

    // A line through points, with a dot at every point or only at points without a finite neighbor.
    static void DrawLine(SKCanvas canvas, int index, SKPoint[] points, bool dots)
    {
        using SKPathBuilder line = new();
        using SKPaint stroke = Drawing.Paint(colors[index % colors.Length], strokeWidth: 2), fill = Drawing.Paint(colors[index % colors.Length]);
        for (int i = 0; i < points.Length; i++)
        {
            if (!Finite(i)) continue;
            if (Finite(i - 1)) line.LineTo(points[i]);
            else line.MoveTo(points[i]);
            if (dots || (!Finite(i - 1) && !Finite(i + 1))) canvas.DrawCircle(points[i], 3.5f, fill);
        }
        float[] dash = dashes[index % dashes.Length];
        using SKPathEffect? effect = dash is [] ? null : SKPathEffect.CreateDash(dash, 0);
        stroke.PathEffect = effect;
        using SKPath path = line.Detach();
        canvas.DrawPath(path, stroke);

        bool Finite(int i) => i >= 0 && i < points.Length && float.IsFinite(points[i].X + points[i].Y);
    }
}
