using System.Globalization;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>A line chart as SVG, with a legend and an element into which report.js writes the values at the pointer.</summary>
static class Chart
{
    const int Width = 400, Height = 220, Right = 24, Top = 10, Bottom = 36;     // size, and margins around the plot; the right one has room for half a label

    /// <summary>Draws a chart.</summary>
    /// <param name="title">Title above the chart.</param>
    /// <param name="unit">Unit of the values, such as “%”; or empty.</param>
    /// <param name="series">The lines, with epochs as X. A line without a finite value is omitted.</param>
    /// <param name="best">The best epoch, counted from 1; it is marked by a line.</param>
    /// <returns>The chart; null if no line has a finite value.</returns>
    public static XElement? Draw(string title, string unit, IEnumerable<LineSeries> series, int? best = null)
    {
        LineSeries[] lines = [.. series.Where(line => line.Y.Any(double.IsFinite))];
        if (lines is [])
            return null;
        (double X, double Y)[] points = [.. lines.SelectMany(line => line.Points).Where(point => double.IsFinite(point.Y))];
        Axis up = new(points.Select(point => point.Y), intervals: 4, outwards: true), across = new(points.Select(point => point.X).Append(0));
        string[] labels = [.. up.Labels.Select(label => label.Text + (unit is "%" ? " %" : ""))];
        int left = Math.Max(48, 10 + 8 * labels.Max(label => label.Length));     // 8: the maximum width of a character
        double ToX(double x) => left + (Width - left - Right) * across.Share(x);
        double ToY(double y) => Height - Bottom - (Height - Top - Bottom) * up.Share(y);

        XElement svg = H(
            "svg", A("viewBox", $"0 0 {Width} {Height}"), A("role", "img"), A("aria-label", $"{title}: {string.Join(", ", lines.Select(Summary))}"),
            up.Labels.Select((label, i) => new[]
            {
                H("line.grid", A("x1", left), A("x2", Width - Right), A("y1", F(ToY(label.Value))), A("y2", F(ToY(label.Value)))),
                H("text", A("x", left - 6), A("y", F(ToY(label.Value) + 4)), A("text-anchor", "end"), labels[i]),
            }),
            across.Labels.Select(label => H("text", A("x", F(ToX(label.Value))), A("y", Height - Bottom + 16), A("text-anchor", "middle"), label.Text)),
            H("text", A("x", (left + Width - Right) / 2), A("y", Height - 4), A("text-anchor", "middle"), "epoch"),
            best is int epoch ? H("line.best", A("x1", F(ToX(epoch))), A("x2", F(ToX(epoch))), A("y1", Top), A("y2", Height - Bottom)) : null,
            lines.Select((line, i) => Line(line, i, ToX, ToY)),
            H("line.pointer", A("y1", Top), A("y2", Height - Bottom)));
        return H(
            "figure.chart", A("data-left", left), A("data-right", Width - Right), A("data-low", across.Low), A("data-high", across.High),
            H("figcaption", H("strong", unit is "" or "%" ? title : $"{title}, {unit}"), lines.Select((line, i) => H(
                "span.key", H("svg", A("viewBox", "0 0 24 8"), A("aria-hidden", "true"), H($"path.line line{i}", A("d", "M0 4H24"))), line.Name)),
                best is int b ? H("span.key", H("svg", A("viewBox", "0 0 24 8"), A("aria-hidden", "true"), H("path.best", A("d", "M12 0V8"))), $"best epoch: {b}") : null),
            svg, H("output", A("aria-live", "off"), "\u00A0"));
    }

    static string Summary(LineSeries line) =>
        FormattableString.Invariant($"{line.Name} from {line.Y.First(double.IsFinite):G4} to {line.Y.Last(double.IsFinite):G4}");

    /// <summary>A line that is interrupted at values that are not finite, a dot for a value without neighbors, and the numbers for report.js.</summary>
    static XElement Line(LineSeries line, int index, Func<double, double> toX, Func<double, double> toY)
    {
        (double X, double Y)[] all = [.. line.Points];
        bool Finite(int i) => i >= 0 && i < all.Length && double.IsFinite(all[i].Y);
        int[] finite = [.. Enumerable.Range(0, all.Length).Where(Finite)];
        string path = string.Concat(finite.Select(i => $"{(Finite(i - 1) ? 'L' : 'M')}{F(toX(all[i].X))} {F(toY(all[i].Y))}"));
        return H(
            "g", H($"path.line line{index}", A("d", path), A("data-name", line.Name), A("data-x", string.Join(' ', finite.Select(i => F(all[i].X, 3)))),
                A("data-y", string.Join(' ', finite.Select(i => all[i].Y.ToString("G5", CultureInfo.InvariantCulture))))),
            finite.Where(i => all.Length <= 12 || (!Finite(i - 1) && !Finite(i + 1))).Select(i =>
                H($"circle.dot line{index}", A("cx", F(toX(all[i].X))), A("cy", F(toY(all[i].Y))), A("r", 3))));
    }

    static string F(double number, int decimals = 1) => Math.Round(number, decimals).ToString(CultureInfo.InvariantCulture);
}
