using System.Text;

namespace MiniCnn.Benchmarks;

/// <summary>Writes the results of the comparison into README.md, between the markers of the current vector width.</summary>
static class ReadmeTable
{
    public static void Write(Comparison comparison, Peer peer)
    {
        string begin = $"<!-- speed {ConvClass.Isa}: begin -->\n", end = $"<!-- speed {ConvClass.Isa}: end -->";
        string path = Path.Combine(Root(), "README.md"), readme = File.ReadAllText(path);
        int from = readme.IndexOf(begin, StringComparison.Ordinal) + begin.Length, to = readme.IndexOf(end, StringComparison.Ordinal);
        if (from < begin.Length || to < from)
            throw new IOException($"{path}: expected the lines {begin.TrimEnd()} and {end}, in this order");
        File.WriteAllText(path, readme[..from] + Text(comparison, peer) + readme[to..]);
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
