using System.Text;

namespace MiniCnn.Benchmarks;

/// <summary>The README's account of the comparison, between its markers.</summary>
static class ReadmeTable
{
    const string Begin = "<!-- speed: begin -->\n", End = "<!-- speed: end -->";

    public static void Write(Comparison comparison, Peer peer)
    {
        string path = Path.Combine(Root(), "README.md"), readme = File.ReadAllText(path);
        int begin = readme.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = readme.IndexOf(End, StringComparison.Ordinal);
        if (begin < Begin.Length || end < begin)
            throw new IOException($"{path} lacks the lines {Begin.TrimEnd()} and {End}");
        File.WriteAllText(path, readme[..begin] + Text(comparison, peer) + readme[end..]);
    }

    static string Text(Comparison comparison, Peer peer)
    {
        IReadOnlyList<Figure> figures = comparison.Figures;
        StringBuilder text = new();
        text.Append($"{Report.Machine}; {Workers.Count} threads on each side; FMA peak {comparison.Peak.Median / 1e9:F0} GFLOP/s. ");
        text.Append($"The peer: {peer.Version}.\n");
        if (comparison.Bystanders.Percent >= Bystanders.Few)
            text.Append($"Other programs took {comparison.Bystanders.Percent:F0} % of the processors meanwhile.\n");
        text.Append('\n');
        text.Append("| convolutions, times as fast | forward | backward-data | backward-weights |\n|---|---:|---:|---:|\n");
        foreach (ConvClass c in ConvClass.All)
        {
            string Ratio(string pass) => double.IsNaN(c.Required(pass)) ? "–" : Times(figures.Where(f => f.Pass == pass && c.Contains(f)));
            text.Append($"| {c.Name} | {Ratio(ConvWork.Forward)} | {Ratio(ConvWork.BackwardData)} | {Ratio(ConvWork.BackwardWeights)} |\n");
        }
        text.Append($"| all, from NCHW to NCHW | {Times(figures.Where(f => f.Pass == ConvWork.FromForward))} | ");
        text.Append($"{Times(figures.Where(f => f.Pass == ConvWork.FromBackward))} (all of backward) | |\n\n");

        text.Append($"| whole nets | MiniCnn | {Peer.Name}, its better layout | times as fast |\n|---|---:|---:|---:|\n");
        foreach (Figure f in figures.Where(f => Net.All.Any(net => net.Name == f.Name)))
            text.Append($"| {f.Name}, {f.Pass} | {Amount(f, f.Mini)} | {Amount(f, f.Theirs)} | {f.Ratio:F2} |\n");

        Figure[] lost = [.. figures.Where(f => f.Ratio < 1)];
        text.Append(lost.Length == 0 ? $"\n{Peer.Name} is faster nowhere here.\n" : $"\nWhere {Peer.Name} is faster, its time over MiniCnn's:\n\n");
        foreach (IGrouping<string, Figure> name in lost.GroupBy(f => f.Name))
            text.Append($"- {name.Key}: {string.Join(", ", name.Select(f => $"{f.Pass} {f.Ratio:F2}"))}\n");
        if (lost.Length > 0)
            text.Append("\nNumbers of a convolution: N, input channels, H, W, output channels, kernel, stride, padding, dilation, groups.\n");
        return text.ToString();
    }

    static string Times(IEnumerable<Figure> figures) => $"{Measure.GeometricMean(figures.Select(f => f.Ratio)):F2}";

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
            folder = Path.GetDirectoryName(folder) ?? throw new IOException("--readme: this program does not run inside the repository");
        return folder;
    }
}
