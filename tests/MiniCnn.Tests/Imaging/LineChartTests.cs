using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class LineChartTests
{
    static readonly Rgb first = new(0, 114, 178), second = new(213, 94, 0), grid = new(228, 228, 228), axis = new(144, 144, 144);

    [Fact]
    public void Points_stand_where_the_axes_say()
    {
        Picture chart = LineChart.Draw("a chart", "epoch", "loss", [new("one", 0, 1, 2, 3, 4), new("two", 4, 4, 4, 4, 4)]);
        Assert.Equal((640, 400), (chart.Width, chart.Height));
        Assert.Single(Drawn.Find(chart, "a chart"));
        foreach (string text in new[] { "epoch", "loss", "one", "two" })
            Assert.Single(Find(chart, text));

        // y: round numbers from 0 to 4, each beside a line across; x: 1 to 5.
        (int X, int Y)[] numbers = [.. Enumerable.Range(0, 5).Select(i => Find(chart, $"{i}").MinBy(p => p.X))];
        int[] lines = [.. numbers.Select(n => n.Y + 5)];
        Assert.Single(numbers.Select(n => n.X).Distinct());
        Assert.All(lines[1..4], y => Assert.True(Drawn.Places(chart, grid).Count(p => p.Y == y) > 300));
        Assert.True(Drawn.Places(chart, axis).Count(p => p.Y == lines[0]) > 300);
        int[] columns = [.. Enumerable.Range(1, 5).Select(i => Find(chart, $"{i}").MaxBy(p => p.Y).X + Drawing.Width($"{i}", Drawing.Label) / 2)];

        // On each point the colour of its line is full, halfway between as well: the lines are straight.
        Assert.Equal(5, columns.Distinct().Count());
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(first, Drawn.At(chart, columns[i], lines[i]));
            Rgb between = Drawn.At(chart, (columns[i] + columns[i + 1]) / 2, (lines[i] + lines[i + 1]) / 2);
            Assert.InRange(between.Red, 0, 60);
            Assert.Equal(second, Drawn.At(chart, columns[i], lines[4]));
        }
        Assert.Equal(first, Drawn.At(chart, columns[4], lines[4]));             // the first line is above the others

        // Nothing runs into the margins.
        for (int i = 0; i < 400; i++)
            Assert.Equal(new(255, 255, 255), Drawn.At(chart, 4, i));
        for (int i = 0; i < 640; i++)
            Assert.Equal(new(255, 255, 255), Drawn.At(chart, i, i % 2 == 0 ? 10 : 399 - 10));
    }

    [Theory]
    [InlineData(0.11, 0.72, "0.0", "0.2", "0.4", "0.6", "0.8")]
    [InlineData(51.3, 98.4, "50", "60", "70", "80", "90", "100")]
    [InlineData(-3, 2, "−3", "−2", "−1", "0", "1", "2")]
    [InlineData(-0.004, 0.0123, "−0.005", "0.000", "0.005", "0.010", "0.015")]
    [InlineData(1200, 4100, "1000", "2000", "3000", "4000", "5000")]
    [InlineData(7, 7, "6.4", "6.6", "6.8", "7.0", "7.2", "7.4", "7.6")]
    public void Axes_have_round_numbers_around_the_values(double low, double high, params string[] numbers)
    {
        Picture chart = LineChart.Draw("", "", "", [new("s", low, high) { X = [100, 100.5] }], 400, 300);
        int[] rows = [.. numbers.Select(number => Assert.Single(Find(chart, number)).Y)];
        Assert.Equal(rows.OrderDescending(), rows);
        int[] steps = [.. rows.Zip(rows.Skip(1), (a, b) => a - b)];
        Assert.InRange(steps.Max() - steps.Min(), 0, 1);
        Assert.Single(Find(chart, "100.2"));                                  // and x as told
        Assert.Empty(Find(chart, "−0.0"));
        Assert.Empty(Find(chart, "−0"));
    }

    // A loss that has run away, once.
    [Theory]
    [InlineData(1e7)]
    [InlineData(-3e17)]
    [InlineData(3e38)]
    public void One_number_however_large_has_an_axis(double number)
    {
        Picture chart = LineChart.Draw("", "", "", [new("s", number)]);
        Assert.Contains(Drawn.Places(chart, first), p => p.Y is > 100 and < 300);
    }

    [Fact]
    public void What_is_not_finite_breaks_the_line()
    {
        Picture whole = LineChart.Draw("", "", "", [new("s", 1, 1, 1, 1, 1, 1, 1)]);
        Picture broken = LineChart.Draw("", "", "", [new("s", 1, 1, 1, double.NaN, 1, 1, 1)]);
        Assert.Equal(first, Drawn.At(whole, 340, Line(whole)));
        Assert.NotEqual(first, Drawn.At(broken, 340, Line(broken)));
        Assert.Equal(Line(whole), Line(broken));
        double[] lone = [.. Enumerable.Range(0, 50).Select(i => i == 20 ? 1 : double.NaN)];
        Assert.Contains(Drawn.Places(LineChart.Draw("", "", "", [new("", lone)]), first), p => p.Y > 100);     // not lost
        Assert.Equal(640, LineChart.Draw("", "", "", [new("s", double.NaN, double.PositiveInfinity), new("t")]).Width);

        static int Line(Picture chart) => Drawn.Places(chart, first).GroupBy(p => p.Y).Where(g => g.Key > 100).MaxBy(g => g.Count())!.Key;
    }

    [Fact]
    public void A_long_legend_takes_more_lines_and_a_wrong_chart_is_refused()
    {
        LineSeries[] many = [.. Enumerable.Range(1, 7).Select(i => new LineSeries($"series number {i}", i, i + 1))];
        Picture chart = LineChart.Draw("", "", "", many);
        (int X, int Y)[] names = [.. many.Select(s => Assert.Single(Find(chart, s.Name)))];
        Assert.True(names[^1].Y > names[0].Y);
        Assert.All(names, name => Assert.True(name.X + Drawing.Width("series number 1", Drawing.Label) <= 640 - 24));

        Assert.Throws<ArgumentException>(() => LineChart.Draw("", "", "", []));
        Assert.Throws<ArgumentException>(() => LineChart.Draw("", "", "", [new("s", 1, 2) { X = [1] }]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LineChart.Draw("", "", "", many, width: 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => LineChart.Draw("", "", "", many, height: 100));
        var fault = Assert.Throws<ArgumentException>(() => LineChart.Draw("a chart", "x", "y", many, width: 240, height: 240));
        Assert.EndsWith("of 240 pixels for the plot, expected at least 30; use a larger height", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_that_cross_are_told_apart_by_dashes_in_the_legend_and_in_the_plot()
    {
        double[] rising = [.. Enumerable.Range(0, 60).Select(i => i / 59.0)];
        LineSeries[] series = [.. Enumerable.Range(0, 7).Select(i => new LineSeries($"line {i}", [.. rising.Select(_ => (double)i)]))];
        Picture chart = LineChart.Draw("", "", "", series, 800);
        HashSet<string> patterns = [];
        int low = Find(chart, "0").MinBy(p => p.X).Y, high = Find(chart, "6").MinBy(p => p.X).Y;
        for (int i = 0; i < series.Length; i++)
        {
            int y = (int)(low + 5.5 + (high - low) * i / 6.0);
            string row = string.Concat(Enumerable.Range(100, 600).Select(x => Ink(chart, x, y) ? '#' : ' '));
            Assert.True(patterns.Add(row));
            Assert.Equal(i == 0, !row.Contains(' ', StringComparison.Ordinal));    // the first is whole
            (int name, int top) = Assert.Single(Find(chart, $"line {i}"));
            string sample = string.Concat(Enumerable.Range(name - 40, 32).Select(x => Ink(chart, x, top + 5) ? '#' : ' '));
            Assert.Equal(i == 0, !sample.Contains(' ', StringComparison.Ordinal));
            Assert.Equal(Color(chart, name - 40, 32, top + 5), Color(chart, 100, 600, y));
        }

        static Rgb Color(Picture chart, int left, int width, int y) =>      // the strongest there
            Enumerable.Range(left, width).Select(x => Drawn.At(chart, x, y)).MinBy(c => c.Red + c.Green + c.Blue);
        static bool Ink(Picture chart, int x, int y) =>
            Drawn.At(chart, x, y) is var (red, green, blue) && Math.Max(red, Math.Max(green, blue)) - Math.Min(red, Math.Min(green, blue)) > 40;
    }

    [Theory]
    [InlineData(240, 200)]
    [InlineData(640, 220)]
    [InlineData(640, 400)]
    public void Numbers_keep_off_each_other_and_within_the_values(int width, int height)
    {
        Picture chart = LineChart.Draw("", "x", "y", [new("s", -0.037, 0.041) { X = [123000, 123950] }], width, height);
        (int X, int Y)[] up = [.. Enumerable.Range(-10, 21).SelectMany(i => Find(chart, FormattableString.Invariant($"{i / 100.0:F2}").Replace('-', '−')))];
        Assert.InRange(up.Length, 2, 6);
        Assert.All(up.Select(p => p.Y).Order().Zip(up.Select(p => p.Y).Order().Skip(1)), pair => Assert.True(pair.Second - pair.First >= 14));
        int[] across = [.. Enumerable.Range(1225, 20).SelectMany(i => Find(chart, $"{i}00")).Select(p => p.X).Order()];
        Assert.InRange(across.Length, 2, 6);
        Assert.All(across.Zip(across.Skip(1)), pair => Assert.True(pair.Second - pair.First > Drawing.Width("123000", Drawing.Label) + 10));
    }

    static List<(int X, int Y)> Find(Picture chart, string text) => Drawn.Find(chart, text, Drawing.Label);
}
