using System.Globalization;

namespace MiniCnn.Imaging;

// The ends of an axis and its labels: multiples of 1, 2 or 5 times a power of ten, in at most the given number of intervals.
// With `outwards` the ends are moved outwards to such multiples, which can add one interval.
sealed class Axis
{
    public Axis(IEnumerable<double> values, int intervals = 5, bool outwards = false)
    {
        (Low, High) = (values.DefaultIfEmpty(0).Min(), values.DefaultIfEmpty(1).Max());
        double most = Math.Max(Math.Abs(Low), Math.Abs(High)), around = most is > 1e6 or > 0 and < 0.5 ? most / 2 : 0.5;
        if (High - Low <= 1e-9 * most) (Low, High) = (Low - around, High + around);
        double raw = (High - Low) / intervals, power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * (raw / power) switch { <= 1.001 => 1, <= 2.001 => 2, <= 5.001 => 5, _ => 10 };
        if (outwards) (Low, High) = (Math.Floor(Low / step + 1e-6) * step, Math.Ceiling(High / step - 1e-6) * step);
        int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 15);
        for (double i = Math.Ceiling(Low / step - 1e-6); i * step <= High + 1e-6 * step; i++)
        {
            double value = i == 0 ? 0 : i * step;    // never −0
            string text = value.ToString(decimals > 6 || Math.Abs(value) > 1e7 ? "G3" : $"F{decimals}", CultureInfo.InvariantCulture);
            Labels.Add((value, text.Replace('-', '−')));
        }
    }

    // The axis with the most labels that fits; an axis with fewer than three labels is always accepted.
    public static Axis Fit(IEnumerable<double> values, bool outwards, Func<Axis, bool> fits) =>
        Enumerable.Range(0, 5).Select(fewer => new Axis(values, 5 - fewer, outwards)).First(axis => axis.Labels.Count < 3 || fits(axis));

    public double Low { get; }

    public double High { get; }

    public List<(double Value, string Text)> Labels { get; } = [];

    public double Share(double value) => (value - Low) / (High - Low);
}
