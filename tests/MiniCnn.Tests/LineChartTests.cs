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
        foreach (string text in new[] { "a chart", "epoch", "loss", "one", "two" })
            Assert.Single(Drawn.Find(chart, text));

        // y: round numbers from 0 to 4, each beside a line across; x: 1 to 5.
        (int X, int Y)[] numbers = [.. Enumerable.Range(0, 5).Select(i => Drawn.Find(chart, $"{i}").MinBy(p => p.X))];
        int[] lines = [.. numbers.Select(n => n.Y + 7)];
        Assert.Single(numbers.Select(n => n.X).Distinct());
        Assert.All(lines[1..4], y => Assert.True(Drawn.Places(chart, grid).Count(p => p.Y == y) > 300));
        Assert.True(Drawn.Places(chart, axis).Count(p => p.Y == lines[0]) > 300);
        int[] columns = [.. Enumerable.Range(1, 5).Select(i => Drawn.Find(chart, $"{i}").MaxBy(p => p.Y).X + 5)];

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
    [InlineData(-3, 2, "-3", "-2", "-1", "0", "1", "2")]
    [InlineData(-0.004, 0.0123, "-0.005", "0.000", "0.005", "0.010", "0.015")]
    [InlineData(1200, 4100, "1000", "2000", "3000", "4000", "5000")]
    [InlineData(7, 7, "6.4", "6.6", "6.8", "7.0", "7.2", "7.4", "7.6")]
    public void Axes_have_round_numbers_around_the_values(double low, double high, params string[] numbers)
    {
        Picture chart = LineChart.Draw("", "", "", [new("s", low, high) { X = [100, 100.5] }], 400, 300);
        int[] rows = [.. numbers.Select(number => Assert.Single(Drawn.Find(chart, number)).Y)];
        Assert.Equal(rows.OrderDescending(), rows);
        Assert.Single(rows.Zip(rows.Skip(1), (a, b) => (a - b) / 3).Distinct());
        Assert.Single(Drawn.Find(chart, "100.2"));                              // and x as told
        Assert.Empty(Drawn.Find(chart, "-0.0"));
        Assert.Empty(Drawn.Find(chart, "-0"));
    }

    [Fact]
    public void What_is_not_finite_breaks_the_line()
    {
        Picture whole = LineChart.Draw("", "", "", [new("s", 1, 1, 1, 1, 1, 1, 1)]);
        Picture broken = LineChart.Draw("", "", "", [new("s", 1, 1, 1, double.NaN, 1, 1, 1)]);
        Assert.Equal(first, Drawn.At(whole, 340, Line(whole)));
        Assert.NotEqual(first, Drawn.At(broken, 340, Line(broken)));
        Assert.Equal(Line(whole), Line(broken));
        Assert.Equal(640, LineChart.Draw("", "", "", [new("s", double.NaN, double.PositiveInfinity), new("t")]).Width);

        static int Line(Picture chart) => Drawn.Places(chart, first).GroupBy(p => p.Y).Where(g => g.Key > 100).MaxBy(g => g.Count())!.Key;
    }

    [Fact]
    public void A_long_legend_takes_more_lines_and_a_wrong_chart_is_refused()
    {
        LineSeries[] many = [.. Enumerable.Range(1, 7).Select(i => new LineSeries($"series number {i}", i, i + 1))];
        Picture chart = LineChart.Draw("", "", "", many);
        (int X, int Y)[] names = [.. many.Select(s => Assert.Single(Drawn.Find(chart, s.Name)))];
        Assert.True(names[^1].Y > names[0].Y);
        Assert.All(names, name => Assert.True(name.X + 178 <= 640 - 24));

        Assert.Throws<ArgumentException>(() => LineChart.Draw("", "", "", []));
        Assert.Throws<ArgumentException>(() => LineChart.Draw("", "", "", [new("s", 1, 2) { X = [1] }]));
        Assert.Throws<ArgumentOutOfRangeException>(() => LineChart.Draw("", "", "", many, width: 100));
        Assert.Throws<ArgumentOutOfRangeException>(() => LineChart.Draw("", "", "", many, height: 100));
    }
}
