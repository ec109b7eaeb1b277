namespace MiniCnn.Benchmarks;

/// <summary>A memory layout of TorchSharp, or ONNX Runtime as another peer.</summary>
enum Layout
{
    Nchw,
    Nhwc,
    Onnx,
}

/// <summary>The times of one work on one side: the median of each round, in µs.</summary>
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

/// <summary>One work with its measurements on both sides.</summary>
sealed class Figure(string name, string pass, params Layout[] layouts)
{
    readonly Dictionary<Layout, Rounds> peer = layouts.ToDictionary(layout => layout, _ => new Rounds());

    /// <summary>Name of the shape or network.</summary>
    public string Name => name;

    /// <summary>Name of the pass.</summary>
    public string Pass => pass;

    /// <summary>The layouts that the peer runs.</summary>
    public IReadOnlyList<Layout> Layouts => layouts;

    /// <summary>Number of floating-point operations. NaN if they are not compared with the machine's peak.</summary>
    public double Flops { get; init; } = double.NaN;

    /// <summary>Whether the peer's faster layout counts instead of NCHW.</summary>
    public bool BetterLayoutCounts { get; init; }

    /// <summary>MiniCnn's measurements in µs, or in <see cref="Unit"/>.</summary>
    public Rounds Mini { get; } = new();

    public string Unit { get; init; } = "us";

    /// <summary>Number of images in one call.</summary>
    public int Images { get; init; }

    public Rounds Peer(Layout layout) => peer.TryGetValue(layout, out Rounds? rounds) ? rounds : new();

    /// <summary>The layout of the peer that is compared.</summary>
    public Layout Counted => BetterLayoutCounts && Peer(Layout.Nhwc).Median < Peer(Layout.Nchw).Median ? Layout.Nhwc : Layout.Nchw;

    /// <summary>The peer's time in this layout.</summary>
    public Rounds Theirs => Peer(Counted);

    /// <summary>The peer's time divided by MiniCnn's. Above 1, MiniCnn is faster. NaN without a peer.</summary>
    public double Ratio => Theirs.Median / Mini.Median;

    /// <summary>ONNX Runtime's time divided by MiniCnn's. NaN if it was not measured.</summary>
    public double OnnxRatio => Peer(Layout.Onnx).Median / Mini.Median;

    /// <summary>The peer's processor time divided by MiniCnn's.</summary>
    public double CpuRatio => Theirs.Cpu / Mini.Cpu;

    public double PercentOfPeak(double peakFlops) => 100 * Flops / (Mini.Median * 1e-6) / peakFlops;
}

/// <summary>Figures that are measured together. Make creates the work of a figure; null for first steps, which run in separate processes.</summary>
sealed record Group(string Name, IReadOnlyList<Figure> Figures, Func<Figure, Work>? Make);
