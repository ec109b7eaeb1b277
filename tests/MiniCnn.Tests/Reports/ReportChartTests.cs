using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>The charts of a page: what is drawn, by its own ticks, is the numbers.</summary>
public sealed class ReportChartTests : ReportRuns
{
    [Fact]
    public void Lines_go_through_their_values_by_the_numbers_of_the_axes()
    {
        double[] y = [3.25, 0.5, -1.75, 2, 0.125];
        XElement chart = Chart.Draw("Loss", "", [new("training", y) { X = [0.5, 1, 2, 2.25, 4] }, new("validation", 1, 2.5)], best: 2)!;
        (Func<double, double> toX, Func<double, double> toY) = Axes(chart);
        XElement[] lines = Lines(chart);
        Assert.Equal(["training", "validation"], lines.Select(line => line.Attribute("data-name")!.Value));
        Assert.Equal(["0.5 1 2 2.25 4", "1 2"], lines.Select(line => line.Attribute("data-x")!.Value));
        Assert.Equal(["3.25 0.5 -1.75 2 0.125", "1 2.5"], lines.Select(line => line.Attribute("data-y")!.Value));
        foreach (XElement line in lines)
        {
            double[] x = Numbers(line.Attribute("data-x")!.Value), values = Numbers(line.Attribute("data-y")!.Value);
            (char Move, double X, double Y)[] path = Path(line);
            Assert.Equal(["M", .. Enumerable.Repeat("L", x.Length - 1)], path.Select(point => $"{point.Move}"));
            for (int i = 0; i < x.Length; i++)
            {
                Assert.Equal(x[i], toX(path[i].X), 0.002 * 5);                           // drawn to a tenth of 340 pixels
                Assert.Equal(values[i], toY(path[i].Y), 0.002 * 6);
            }
        }
        XElement best = chart.Descendants("line").Single(line => ReportPage.Class(line) == "best");
        Assert.Equal(2, toX((double)best.Attribute("x1")!), 0.01);
        Assert.Equal(best.Attribute("x1")!.Value, best.Attribute("x2")!.Value);
        Assert.Equal(["training", "validation", "best epoch: 2"], chart.Descendants("span").Select(key => key.Value));
        Assert.Equal("Loss: training from 3.25 to 0.125, validation from 1 to 2.5", chart.Element("svg")!.Attribute("aria-label")!.Value);
        Assert.Equal(7, chart.Descendants("circle").Count());                            // few points: a dot on each
        // What report.js finds the pointer's epoch by.
        double left = (double)chart.Attribute("data-left")!, right = (double)chart.Attribute("data-right")!;
        Assert.Equal(toX(left), (double)chart.Attribute("data-low")!, 0.01);
        Assert.Equal(toX(right), (double)chart.Attribute("data-high")!, 0.01);
    }

    [Fact]
    public void A_line_is_broken_where_a_value_is_not_finite_and_a_lone_value_is_a_dot()
    {
        double[] y = [double.NaN, 1, 2, double.PositiveInfinity, 3, double.NaN, 4, 5, 6, double.NegativeInfinity, 7, 8, 9, double.NaN];
        XElement chart = Chart.Draw("Accuracy", "%", [new("nothing", double.NaN, double.NaN), new("training", y)])!;
        XElement line = Assert.Single(Lines(chart));
        Assert.Equal("2 3 5 7 8 9 11 12 13", line.Attribute("data-x")!.Value);
        Assert.Equal("1 2 3 4 5 6 7 8 9", line.Attribute("data-y")!.Value);
        (char Move, double X, double Y)[] path = Path(line);
        Assert.Equal("MLMMLLMLL", string.Concat(path.Select(point => point.Move)));
        XElement dot = Assert.Single(chart.Descendants("circle"));
        Assert.Equal((path[2].X, path[2].Y), ((double)dot.Attribute("cx")!, (double)dot.Attribute("cy")!));
        string[] numbers = [.. chart.Descendants("text").Where(text => text.Attribute("text-anchor")!.Value == "end").Select(text => text.Value)];
        Assert.All(numbers, number => Assert.EndsWith(" %", number, StringComparison.Ordinal));
        Assert.Null(Chart.Draw("Loss", "", [new("nothing", double.NaN), new("none")]));
        Assert.Null(Chart.Draw("Loss", "", []));
    }

    /// <summary>A learning rate that stays as it is has an axis of its own size, not one from −0.5 on.</summary>
    [Fact]
    public void A_small_constant_has_an_axis_of_its_size()
    {
        string chart = Chart.Draw("Learning rate", "", [new("rate", 0.002, 0.002, 0.002)])!.ToString();
        Assert.DoesNotContain('−', chart);
        Assert.Contains(">0.0020<", chart, StringComparison.Ordinal);
    }

    /// <summary>One point, all alike, very large and very small: there are ticks, and the line is between them.</summary>
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.0, 0.0, 0.0)]
    [InlineData(1e-7, 3e-7, 2e-7)]
    [InlineData(2e12, 1e12)]
    [InlineData(-4e-3, 99.0)]
    public void Any_range_has_its_ticks(params double[] y)
    {
        XElement chart = Chart.Draw("Loss", "", [new("training", y)])!;
        double[] rows = [.. Rows(chart)];
        Assert.InRange(rows.Length, 2, 6);
        Assert.Equal(rows.OrderDescending(), rows);
        Assert.All(Path(Assert.Single(Lines(chart))), point => Assert.InRange(point.Y, rows[^1] - 0.1, rows[0] + 0.1));
        Assert.All(chart.Descendants("text").SkipLast(1), text => Assert.Matches(@"^−?\d+(\.\d+)?(E[+−]\d+)?$", text.Value));
    }

    /// <summary>1,733 epochs came before the checkpoint; the best of them is in no row of every fourth.</summary>
    [Fact]
    public void Of_very_many_epochs_the_first_the_last_and_the_best_are_kept()
    {
        const int Epochs = 1733, Best = 1302;
        LabeledImages train = Draw(12, seed: 1);
        Sequential model = Model();
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.25f)) { Epochs = Epochs + 1, Validation = train };
        TrainingEpoch[] before = [.. Enumerable.Range(1, Epochs).Select(i => new TrainingEpoch(1.0 / i, i / 2000.0, 0.25f, 2.0 / i, 0.5, 2.0 / i))];
        RunReport report = Report(trainer, train);
        TrainingEpoch last = new(0.125, 0.875, 0.25f, 0.25, 0.75, 0.25);
        report.Report(new TrainingStep(Epochs, Epochs + 1, Epochs + 1, Epochs + 1, 12, 0.125f, 10, 12, last, Best - 1, Before: before, Note: "going on"));
        ReportPage page = Page();
        int[] rows = [.. page.Table("epochs").Skip(1).Select(row => int.Parse(row[0].Replace(" (best)", ""), CultureInfo.InvariantCulture))];
        Assert.Equal([.. Enumerable.Range(0, 434).Select(i => 4 * i + 1).Append(Best).Append(Epochs + 1).Order()], rows);
        Assert.Equal($"{Best} (best)", page.Table("epochs").Single(row => row[0].Contains("best", StringComparison.Ordinal))[0]);
        Assert.Equal(N(1.0 / Best), page.Table("epochs").Single(row => row[0].Contains("best", StringComparison.Ordinal))[1]);
        Assert.Equal("One in 4 epochs; the CSV file next to this page has all epochs", page.Section("epochs")!.Descendants("summary").Single().Value);
        Assert.Equal(Epochs + 2, File.ReadAllLines(Csv).Length);
        foreach ((string title, int lines) in ((string, int)[])[("Loss", 2), ("Accuracy", 2), ("Learning rate", 1)])
        {
            Assert.Equal(lines, Lines(page.Chart(title)).Length);
            foreach (XElement line in Lines(page.Chart(title)))
            {
                double[] x = Numbers(line.Attribute("data-x")!.Value), y = Numbers(line.Attribute("data-y")!.Value);
                Assert.Equal((x.Length, 1, Epochs + 1), (y.Length, x[0], x[^1]));
                Assert.InRange(x.Length, 400, 501);
                for (int i = 0; i < x.Length - 1; i++)
                {
                    TrainingEpoch epoch = before[(int)x[i] - 1];
                    bool isTraining = line.Attribute("data-name")!.Value == "training";
                    double value = title switch
                    {
                        "Loss" => isTraining ? epoch.Loss : epoch.ValidationLoss!.Value,
                        "Accuracy" => 100 * (isTraining ? epoch.Accuracy : epoch.ValidationAccuracy!.Value),
                        _ => epoch.LearningRate,
                    };
                    Assert.Equal(value, y[i], 1e-4 * value);
                }
            }
        }
    }

    /// <summary>Within the epochs of a long run each point is the mean of the steps since the one before, as many as a chart has pixels.</summary>
    [Fact]
    public void A_long_run_has_a_point_for_every_few_steps()
    {
        LabeledImages train = Draw(12, seed: 1);
        Sequential model = Model();
        Sgd sgd = new(model.Parameters, 0.5f);
        Trainer trainer = new(model, sgd) { Epochs = 2 };
        RunReport report = Report(trainer, train);
        const int Steps = 1000;                                       // 400 points: one for every third step
        for (int step = 1; step <= Steps; step++)
        {
            sgd.LearningRate = 1f / step;
            bool counts = step % 10 != 3;                             // a step in which no label counts
            TrainingEpoch? ended = step % 500 == 0 ? new(step, 0.5, 1f / step) : null;
            report.Report(new TrainingStep((step - 1) / 500, 2, step, Steps, 4, counts ? step : float.NaN, 1, counts ? step % 4 + 1 : 0, ended));
        }
        XElement line = Assert.Single(Lines(Page().Chart("Loss")));
        List<(double X, double Y)> expected = [];
        double sum = 0, count = 0;
        for (int step = 1; step <= Steps; step++)
        {
            if (step % 10 != 3)
                (sum, count) = (sum + step * (step % 4 + 1), count + step % 4 + 1);
            if (step % 3 != 0 && step % 500 != 0)
                continue;
            expected.Add((step / 500.0, sum / count));
            (sum, count) = (0, 0);
        }
        double[] x = Numbers(line.Attribute("data-x")!.Value), y = Numbers(line.Attribute("data-y")!.Value);
        Assert.Equal(expected.Count, x.Length);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal(expected[i].X, x[i], 0.0006);
            Assert.Equal(expected[i].Y, y[i], 1e-4 * expected[i].Y);
        }
        double[] rates = Numbers(Assert.Single(Lines(Page().Chart("Learning rate"))).Attribute("data-y")!.Value);
        Assert.Equal(x.Length, rates.Length);
        for (int i = 0; i < x.Length; i++)
            Assert.Equal(1 / Math.Round(500 * x[i]), rates[i], 1e-4 * rates[i]);
    }

    static XElement[] Lines(XElement chart) => [.. chart.Descendants("path").Where(path => path.Attribute("data-name") is not null)];

    /// <summary>Where the lines of the numbers beside the chart are.</summary>
    static IEnumerable<double> Rows(XElement chart) =>
        chart.Descendants("line").Where(line => ReportPage.Class(line) == "grid").Select(line => (double)line.Attribute("y1")!);

    static double[] Numbers(string text) => [.. text.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    static new (char Move, double X, double Y)[] Path(XElement line) =>
    [
        .. Regex.Matches(line.Attribute("d")!.Value, "([ML])([^ML]+)").Select(match => (Move: match.Groups[1].Value[0], At: Numbers(match.Groups[2].Value)))
            .Select(point => (point.Move, point.At[0], point.At[1])),
    ];

    /// <summary>From places of the drawing to numbers, by the first and the last number of each axis; the others must lie between them.</summary>
    static (Func<double, double> X, Func<double, double> Y) Axes(XElement chart)
    {
        XElement[] texts = [.. chart.Descendants("text").Where(text => text.Value is not "epoch")];
        XElement[] below = [.. texts.Where(text => text.Attribute("text-anchor")!.Value == "middle")], beside = [.. texts.Except(below)];
        double[] rows = [.. Rows(chart)];
        Assert.All(beside.Zip(rows), pair => Assert.Equal(pair.Second + 4, (double)pair.First.Attribute("y")!, 0.11));       // half a letter below its line
        return (By([.. below.Select(text => ((double)text.Attribute("x")!, Number(text)))]), By([.. rows.Zip(beside.Select(Number))]));

        static double Number(XElement text) => double.Parse(text.Value.Replace('−', '-'), CultureInfo.InvariantCulture);

        static Func<double, double> By((double At, double Number)[] ticks)
        {
            Assert.True(ticks.Length > 2);
            double all = ticks[^1].Number - ticks[0].Number;
            Assert.All(ticks, tick => Assert.Equal(tick.Number, Value(tick.At), 0.002 * all));
            return Value;

            double Value(double at) => ticks[0].Number + (at - ticks[0].At) * all / (ticks[^1].At - ticks[0].At);
        }
    }
}
