using System.Diagnostics;
using MiniCnn.Imaging;
using Spectre.Console;

namespace MiniCnn.Benchmarks;

/// <summary>Measures MiniCnn's time per image by batch size: each network, forward and in training, with one thread and with all.</summary>
sealed class Scale(bool quick, Func<string, bool> wanted, CancellationToken cancel)
{
    const double Cliff = 1.3;                                          // ratio to the time per image of the next smaller batch
    const double SecondsAPoint = 0.4;                                  // after this time, no further round starts
    static readonly int[] batches = [1, 2, 4, 8, 9, 12, 16, 17, 24, 32, 33, 48, 64, 128, 256, 512];

    readonly Bystanders bystanders = new(null);
    readonly Effort effort = quick ? Effort.Quick : new(5, 0.06, 2);

    readonly Line[] lines =
    [
        .. from net in Net.All
           from pass in (string[])["forward", Net.TrainingStep]
           where wanted($"{net.Name} {pass}")
           from threads in ((int[])[1, Workers.Count]).Distinct()
           select new Line(net, pass, threads, new double[batches.Length]),
    ];

    public int Steps => lines.Length;

    /// <summary>Runs the measurement. Calls done(name) after each line.</summary>
    public void Run(Action<string> done)
    {
        foreach (Line line in lines)
        {
            Workers.Count = line.Threads;
            if (line.Threads == 1)
                Measure.WarmUp([.. batches.Where(batch => batch <= 33).Select(batch => line.Net.Pass(line.Pass, batch))], Effort.Quick);
            bystanders.Watch(() =>
            {
                for (int i = 0; i < batches.Length; i++)
                    line.Image[i] = Time(line.Net.Pass(line.Pass, batches[i])) / batches[i];
            });
            done($"{line.Net.Name}, {line.Name}");
        }
    }

    double Time(Work work)
    {
        Measure.FreeMemory();                                          // of the previous point
        Rounds rounds = new();
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < effort.Rounds && (round == 0 || Stopwatch.GetElapsedTime(start).TotalSeconds < SecondsAPoint); round++)
        {
            cancel.ThrowIfCancellationRequested();
            rounds.Add(Measure.Time(work, effort));
        }
        return rounds.Median;
    }

    /// <summary>Prints a table per network.</summary>
    public void Print()
    {
        foreach (IGrouping<Net, Line> net in lines.GroupBy(line => line.Net))
        {
            Table table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn($"{net.Key.Name}, batch").RightAligned());
            foreach (Line line in net)
                table.AddColumn(new TableColumn(line.Name).RightAligned());
            for (int i = 0; i < batches.Length; i++)
                table.AddRow([$"{batches[i]}", .. net.Select(line => (line.IsCliff(i) ? $"×{line.Rise(i):F2}  " : "") + Report.Number(line.Image[i]))]);
            AnsiConsole.Write(table);
        }
        int cliffs = lines.Sum(line => Enumerable.Range(0, batches.Length).Count(line.IsCliff));
        Console.WriteLine($"µs per image. ×: a cliff, more than {Cliff} times the time per image of the next smaller batch size. Number of cliffs: {cliffs}.");
        Console.Write(bystanders.Text);
    }

    /// <summary>Writes a PNG file with a chart per network.</summary>
    public void Draw(string path)
    {
        double[] powers = [.. batches.Select(batch => Math.Log2(batch))];
        Picture[] charts = [.. lines.GroupBy(line => line.Net).Select(net => LineChart.Draw(
            $"{net.Key.Name}: time per image", "log₂ of the batch size", "relative to the minimum of the line",
            [.. net.Select(line => new LineSeries(line.Name, [.. line.Image.Select(time => time / line.Image.Min())]) { X = powers })], width: 1000))];
        Picture sheet = new(charts[0].Width, charts.Sum(chart => chart.Height));
        charts.SelectMany(chart => chart.Pixels).ToArray().CopyTo(sheet.Pixels, 0);
        sheet.Save(path);
    }

    /// <summary>A line of the chart. Image: µs per image for each batch size.</summary>
    sealed record Line(Net Net, string Pass, int Threads, double[] Image)
    {
        public string Name => $"{Pass}, {Threads} {(Threads == 1 ? "thread" : "threads")}";

        public double Rise(int i) => i == 0 ? 1 : Image[i] / Image[i - 1];

        public bool IsCliff(int i) => Rise(i) > Cliff;
    }
}
