using System.Globalization;

namespace MiniCnn.Imaging;

/// <summary>A line of a <see cref="LineChart"/>: its name and its values; where one is not finite the line is broken.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Y">The values.</param>
public sealed record LineSeries(string Name, params double[] Y)
{
    /// <summary>Where the values stand on the axis, from left to right; 1, 2, 3, … if not given.</summary>
    public double[]? X { get; init; }

    internal IEnumerable<(double X, double Y)> Points => (X ?? Enumerable.Range(1, Y.Length).Select(i => (double)i)).Zip(Y);
}

/// <summary>Series of numbers as lines, with axes and a legend; say, the loss of each epoch.</summary>
public static class LineChart
{
    const int MarkerWidth = 24, FewPoints = 40;
    const float LineRadius = 1.25f, DotRadius = 3.5f;

    // Told apart by the colour-blind too: M. Okabe, K. Ito, Color Universal Design (2008).
    static readonly Rgb[] colors = [new(0, 114, 178), new(213, 94, 0), new(0, 158, 115), new(204, 121, 167), new(230, 159, 0), new(86, 180, 233)];

    /// <summary>Draws lines over one pair of axes.</summary>
    /// <param name="title">What stands above the chart.</param>
    /// <param name="xTitle">What runs to the right.</param>
    /// <param name="yTitle">What runs upwards.</param>
    /// <param name="series">The lines, in the order of the legend.</param>
    /// <param name="width">Pixels across, at least 240.</param>
    /// <param name="height">Pixels down, at least 180.</param>
    /// <exception cref="ArgumentException">No series, a series with more or fewer X than Y, or a chart too small.</exception>
    public static Picture Draw(string title, string xTitle, string yTitle, IReadOnlyList<LineSeries> series, int width = 640, int height = 400)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 240);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 180);
        if (series.Count == 0) throw new ArgumentException("a chart needs at least one series");
        if (series.FirstOrDefault(s => s.X is not null && s.X.Length != s.Y.Length) is LineSeries uneven)
            throw new ArgumentException($"the series {uneven.Name} has {uneven.X!.Length} X for {uneven.Y.Length} Y");

        (double X, double Y)[] points = [.. series.SelectMany(s => s.Points).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))];
        Axis up = new(points.Select(p => p.Y), intervals: 5, outwards: true);

        // From the top: title, legend, the vertical axis' title, plot, numbers, the horizontal axis' title.
        Picture sheet = Drawing.NewSheet(width, height);
        int top = Drawing.Margin;
        foreach (string line in Drawing.Wrap(title, width - 2 * Drawing.Margin))
        {
            Write(Drawing.Margin, top, line);
            top += Drawing.LinePitch;
        }
        top = DrawLegend(sheet, top + 4, series);
        int left = Drawing.Margin + up.Labels.Max(label => Font.Width(label.Text, Drawing.Text)) + 10;
        Write(Drawing.Margin, top, yTitle);
        top += (yTitle == "" ? 0 : Drawing.LinePitch + 6) + Font.Height(Drawing.Text) / 2;
        int right = width - Drawing.Margin - 8, bottom = height - Drawing.Margin - 14 - Font.Height(Drawing.Text) - (xTitle == "" ? 0 : Drawing.LinePitch + 4);
        Axis across = Enumerable.Range(0, 5).Select(fewer => new Axis(points.Select(p => p.X), intervals: 5 - fewer, outwards: false))
            .First(axis => axis.Labels.Count < 3 || axis.Labels.Sum(label => Font.Width(label.Text, Drawing.Text) + 24) < right - left);
        Write(right - Font.Width(xTitle, Drawing.Text), height - Drawing.Margin - Font.Height(Drawing.Text), xTitle);

        foreach ((double value, string text) in up.Labels)
        {
            int y = (int)Math.Round(ToY(value));
            sheet.Fill(left, y, right - left + 1, 1, value == up.Low ? Drawing.Border : Drawing.Grid);
            Write(left - 10 - Font.Width(text, Drawing.Text), y - Font.Height(Drawing.Text) / 2, text);
        }
        foreach ((double value, string text) in across.Labels)
        {
            int x = (int)Math.Round(ToX(value));
            sheet.Fill(x, bottom, 1, 6, Drawing.Border);
            Write(Math.Min(x - Font.Width(text, Drawing.Text) / 2, width - 4 - Font.Width(text, Drawing.Text)), bottom + 14, text);
        }
        for (int i = series.Count - 1; i >= 0; i--)    // the first one on top
            DrawLine(sheet, [.. series[i].Points.Select(p => ((float)ToX(p.X), (float)ToY(p.Y)))], colors[i % colors.Length]);
        return sheet;

        double ToX(double x) => left + (right - left) * across.Share(x);
        double ToY(double y) => bottom + (top - bottom) * up.Share(y);
        void Write(int x, int y, string text) => Font.Draw(sheet, x, y, text, Drawing.Text, Drawing.Ink);
    }

    // Names with their colours, in as many lines as it takes; returns where they end.
    static int DrawLegend(Picture sheet, int top, IReadOnlyList<LineSeries> series)
    {
        int left = Drawing.Margin;
        for (int i = 0; i < series.Count; i++)
        {
            int width = MarkerWidth + 8 + Font.Width(series[i].Name, Drawing.Text);
            if (left > Drawing.Margin && left + width > sheet.Width - Drawing.Margin) (left, top) = (Drawing.Margin, top + Drawing.LinePitch);
            sheet.Fill(left, top + Font.Height(Drawing.Text) / 2 - 1, MarkerWidth, 3, colors[i % colors.Length]);
            Font.Draw(sheet, left + MarkerWidth + 8, top, series[i].Name, Drawing.Text, Drawing.Ink);
            left += width + 24;
        }
        return top + Drawing.LinePitch + 8;
    }

    // A line through points, and dots on them where they are few: first how much of each pixel is covered, then the colour, once.
    static void DrawLine(Picture sheet, (float X, float Y)[] points, Rgb color)
    {
        float[] cover = new float[sheet.Width * sheet.Height];
        for (int i = 0; i < points.Length; i++)
        {
            if (i > 0) Cover(points[i - 1], points[i], LineRadius);
            if (points.Length <= FewPoints) Cover(points[i], points[i], DotRadius);
        }
        for (int i = 0; i < cover.Length; i++)
            if (cover[i] > 0) sheet.Blend(i % sheet.Width, i / sheet.Width, color, cover[i]);

        void Cover((float X, float Y) a, (float X, float Y) b, float radius)
        {
            if (!float.IsFinite(a.X + a.Y + b.X + b.Y)) return;
            (float wayX, float wayY) = (b.X - a.X, b.Y - a.Y);
            float length2 = Math.Max(wayX * wayX + wayY * wayY, 1e-6f), reach = radius + 1;
            for (int y = (int)Math.Max(Math.Min(a.Y, b.Y) - reach, 0); y <= Math.Min(Math.Max(a.Y, b.Y) + reach, sheet.Height - 1); y++)
                for (int x = (int)Math.Max(Math.Min(a.X, b.X) - reach, 0); x <= Math.Min(Math.Max(a.X, b.X) + reach, sheet.Width - 1); x++)
                {
                    float along = Math.Clamp(((x - a.X) * wayX + (y - a.Y) * wayY) / length2, 0, 1);
                    float dx = x - a.X - along * wayX, dy = y - a.Y - along * wayY;
                    float share = Math.Clamp(radius + 0.5f - MathF.Sqrt(dx * dx + dy * dy), 0, 1);
                    cover[y * sheet.Width + x] = Math.Max(cover[y * sheet.Width + x], share);
                }
        }
    }

    // The ends of an axis, and round numbers along it, 1, 2 or 5 times a power of ten apart: at most so many intervals, and one more where
    // the axis goes outwards to round numbers itself.
    sealed class Axis
    {
        public Axis(IEnumerable<double> values, int intervals, bool outwards)
        {
            (Low, High) = (values.DefaultIfEmpty(0).Min(), values.DefaultIfEmpty(1).Max());
            if (High - Low < 1e-9 * Math.Max(Math.Abs(Low), Math.Abs(High)) || Low == High) (Low, High) = (Low - 0.5, High + 0.5);
            double raw = (High - Low) / intervals, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
            double step = power * (raw / power) switch { <= 1.001 => 1, <= 2.001 => 2, <= 5.001 => 5, _ => 10 };
            if (outwards) (Low, High) = (Math.Floor(Low / step + 1e-6) * step, Math.Ceiling(High / step - 1e-6) * step);
            int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 15);
            for (double i = Math.Ceiling(Low / step - 1e-6); i * step <= High + 1e-6 * step; i++)
            {
                double value = i == 0 ? 0 : i * step;    // never −0
                Labels.Add((value, value.ToString(decimals > 6 || Math.Abs(value) > 1e7 ? "G3" : $"F{decimals}", CultureInfo.InvariantCulture)));
            }
        }

        public double Low { get; }

        public double High { get; }

        public List<(double Value, string Text)> Labels { get; } = [];

        public double Share(double value) => (value - Low) / (High - Low);
    }
}
