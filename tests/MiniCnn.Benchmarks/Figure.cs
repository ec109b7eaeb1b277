namespace MiniCnn.Benchmarks;

/// <summary>A memory layout of TorchSharp's; or another peer: ONNX Runtime, which has its own.</summary>
enum Layout
{
    Nchw,
    Nhwc,
    Onnx,
}

/// <summary>The times of one work on one side: a median for each round, in µs.</summary>
sealed class Rounds
{
    readonly List<Times> rounds = [];

    public void Add(Times times) => rounds.Add(times);

    public bool Any => rounds.Count > 0;

    public double Median => Measure.Median(rounds.Select(round => round.Wall));

    public double Least => Any ? rounds.Min(round => round.Wall) : double.NaN;

    public double Most => Any ? rounds.Max(round => round.Wall) : double.NaN;

    /// <summary>The median processor time of a call.</summary>
    public double Cpu => Measure.Median(rounds.Select(round => round.Cpu));
}

/// <summary>One work on both sides, and what was measured of it.</summary>
sealed class Figure(string name, string pass, params Layout[] layouts)
{
    readonly Dictionary<Layout, Rounds> peer = layouts.ToDictionary(layout => layout, _ => new Rounds());

    /// <summary>A shape or a net.</summary>
    public string Name => name;

    /// <summary>What is done with it.</summary>
    public string Pass => pass;

    /// <summary>The layouts in which the peer does it.</summary>
    public IReadOnlyList<Layout> Layouts => layouts;

    /// <summary>Floating-point operations, where they are compared with the machine's peak.</summary>
    public double Flops { get; init; } = double.NaN;

    /// <summary>Whether the peer's better layout counts, or NCHW.</summary>
    public bool BetterLayoutCounts { get; init; }

    /// <summary>µs, or what <see cref="Unit"/> says.</summary>
    public Rounds Mini { get; } = new();

    public string Unit { get; init; } = "us";

    /// <summary>Images in one call.</summary>
    public int Images { get; init; }

    public Rounds Peer(Layout layout) => peer.TryGetValue(layout, out Rounds? rounds) ? rounds : new();

    /// <summary>The peer's layout that counts.</summary>
    public Layout Counted => BetterLayoutCounts && Peer(Layout.Nhwc).Median < Peer(Layout.Nchw).Median ? Layout.Nhwc : Layout.Nchw;

    /// <summary>The peer's time in the layout that counts.</summary>
    public Rounds Theirs => Peer(Counted);

    /// <summary>The peer's time over MiniCnn's: above 1, MiniCnn is faster. NaN without a peer.</summary>
    public double Ratio => Theirs.Median / Mini.Median;

    /// <summary>ONNX Runtime's time over MiniCnn's; NaN where it was not asked.</summary>
    public double OnnxRatio => Peer(Layout.Onnx).Median / Mini.Median;

    /// <summary>The same of processor time.</summary>
    public double CpuRatio => Theirs.Cpu / Mini.Cpu;

    public double PercentOfPeak(double peakFlops) => 100 * Flops / (Mini.Median * 1e-6) / peakFlops;
}

/// <summary>Figures measured together, their works made when their turn comes; the first steps are made by processes of their own.</summary>
sealed record Group(string Name, IReadOnlyList<Figure> Figures, Func<Figure, Work>? Make);
