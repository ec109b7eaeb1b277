using System.Text;

namespace MiniCnn.Benchmarks;

/// <summary>Writes the results of the comparison: the tables of docs/performance.md for the current vector width, and the rows of README.md.</summary>
static class ReadmeTable
{
    public static void Write(Comparison comparison, Peer peer)
    {
        Replace(Path.Combine("docs", "performance.md"), $"speed {ConvClass.Isa}", _ => Text(comparison, peer));
        Replace("README.md", "speed", rows => Summary(comparison, rows));
    }

    /// <summary>Replaces the text between a block's markers.</summary>
    static void Replace(string file, string block, Func<string, string> text)
    {
        string begin = $"<!-- {block}: begin -->\n", end = $"<!-- {block}: end -->";
        string path = Path.Combine(Root(), file), document = File.ReadAllText(path);
        int from = document.IndexOf(begin, StringComparison.Ordinal) + begin.Length, to = document.IndexOf(end, StringComparison.Ordinal);
        if (from < begin.Length || to < from)
            throw new IOException($"{path}: expected the lines {begin.TrimEnd()} and {end}, in this order");
        File.WriteAllText(path, document[..from] + text(document[from..to]) + document[to..]);
    }

    /// <summary>Returns the README's table with new rows for this vector width. The rows of other widths stay.</summary>
    static string Summary(Comparison comparison, string rows)
    {
        string[] passes = [Net.TrainingStep, Net.ManyImages, Net.OneImage];
        string Row(string peer, Func<Figure, double> ratio)
        {
            IEnumerable<string> cells = Net.All.Select(net => string.Join(" / ", passes.Select(pass =>
                comparison.Figures.FirstOrDefault(f => f.Name == net.Name && f.Pass == pass) is { } figure && double.IsFinite(ratio(figure)) ? $"{ratio(figure):F2}" : "–")));
            return $"| {peer}, {ConvClass.Isa} | {string.Join(" | ", cells)} |";
        }
        string[] old = [.. rows.Split('\n').Skip(2).Where(row => row != "" && !row.Contains($", {ConvClass.Isa} |", StringComparison.Ordinal))];
        string[] added = [Row(Peer.Name, f => f.Ratio), Row("ONNX Runtime", f => f.OnnxRatio)];
        return $"| training step / 64 images / 1 image | {string.Join(" | ", Net.All.Select(net => net.Name))} |\n"
            + $"|---|{string.Concat(Net.All.Select(_ => "---|"))}\n"
            + string.Concat(old.Concat(added.Where(row => row.Contains('.'))).Order(StringComparer.Ordinal).Select(row => row + "\n"));
    }

    static string Text(Comparison comparison, Peer peer)
    {
        StringBuilder text = new();
        text.Append($"**{ConvClass.Isa}**: {Report.Machine}; FMA peak {comparison.Peak.GigaFlopsACore:F0} GFLOP/s per core; {DateTime.Now:yyyy-MM-dd}.\n");
        text.Append($"MiniCnn with {Workers.Count} threads; {peer.Version}.\n{comparison.Bystanders.Text}\n");

        string[] passes = [ConvWork.Forward, ConvWork.BackwardData, ConvWork.BackwardWeights, ConvWork.FromForward, ConvWork.FromBackward];
        text.Append($"| convolutions | {string.Join(" | ", passes)} |\n|---|---:|---:|---:|---:|---:|\n");
        foreach (ConvClass c in ConvClass.All)
        {
            string Of(string pass) => Cell([.. comparison.Figures.Where(f => f.Pass == pass && c.Contains(f))], comparison.Peak.Median);
            text.Append($"| {c.Name} | {string.Join(" | ", passes.Select(Of))} |\n");
        }
        text.Append($"\nSpeed relative to {Peer.Name}, **bold** if MiniCnn is faster: geometric mean of each class, and its worst shape if that is slower;\n");
        text.Append("% of the FMA peak; CPU: ratio of processor times if it differs by more than 20 %. NCHW: from and to the caller's NCHW tensors.\n\n");

        text.Append($"| whole networks | MiniCnn | {Peer.Name}, faster layout | relative speed | ONNX Runtime | relative speed |\n");
        text.Append("|---|---:|---:|---:|---:|---:|\n");
        foreach (Figure f in comparison.Figures.Where(f => Net.All.Any(net => net.Name == f.Name)))
            text.Append($"| {f.Name}, {f.Pass} | {Amount(f, f.Mini)} | {Amount(f, f.Theirs)} | {Cell([f], double.NaN)} | {Onnx(f)} |\n");
        return text.ToString();
    }

    /// <summary>Returns a table cell: “**1.07** (worst 0.88), 71 %, CPU 1.38”.</summary>
    static string Cell(Figure[] figures, double peak)
    {
        double Mean(Func<Figure, double> of) => Measure.GeometricMean(figures.Select(of));
        double ratio = Mean(f => f.Ratio), worst = figures.Min(f => f.Ratio), cpu = Mean(f => f.CpuRatio), percent = Mean(f => f.PercentOfPeak(peak));
        string text = ratio >= 1 ? $"**{ratio:F2}**" : $"{ratio:F2}";
        if (worst < 1 && ratio >= 1)
            text += $" (worst {worst:F2})";
        if (double.IsFinite(percent))
            text += $", {percent:F0} %";
        if (Math.Abs(cpu / ratio - 1) > 0.2)
            text += $", CPU {cpu:F2}";
        return text;
    }

    static string Onnx(Figure f) => double.IsNaN(f.OnnxRatio) ? " | "
        : $"{Amount(f, f.Peer(Layout.Onnx))} | {(f.OnnxRatio >= 1 ? $"**{f.OnnxRatio:F2}**" : $"{f.OnnxRatio:F2}")}";

    static string Amount(Figure figure, Rounds rounds) => figure.Pass switch
    {
        Net.TrainingStep => $"{figure.Images / rounds.Median * 1e6:F0} images/s",
        FirstStep.Time => $"{rounds.Median / 1e6:F2} s",
        FirstStep.Memory => $"{rounds.Median:F0} MB",
        _ => $"{rounds.Median:F0} µs",
    };

    static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MiniCnn.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new IOException("--readme: README.md was not found; run this program inside the repository");
        return folder;
    }
}
