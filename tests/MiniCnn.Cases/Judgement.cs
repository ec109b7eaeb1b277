namespace MiniCnn.Cases;

/// <summary>What a case's results are, and how far from them a computation in floating point may be.</summary>
/// <remarks>
/// TorchSharp computes a case in double, which stands for the exact result. A computation with precision ε, 2⁻²⁴ for float and 2⁻⁵³ for double,
/// may be off by ε · <see cref="Reach"/>, which follows from what is computed and from no measurement of ours. Nothing is tuned.
/// <list type="bullet">
/// <item>Exact: by nothing.</item>
/// <item>Sums: k · Σ|terms|, where k is the number of products in the sum, and one more (Higham, Accuracy and Stability of Numerical Algorithms,
/// chapter 3). Σ|terms| is the same computation on absolute values, and the number of products that on ones; both by TorchSharp.</item>
/// <item>Formula: k · max(|y| + Σ|∂y/∂u · u|) over the tensor y and all inputs u: each of k operations moves the result as if its inputs were
/// off by a rounding, and the largest number on the way to it. The slopes are TorchSharp's difference quotients in double.</item>
/// <item>Training: how far TorchSharp's results move when every input is off by √k roundings, up or down by chance, and √k roundings of the result;
/// errors of a sum of k terms grow as √k (Higham and Mary, 2019). A maximum that is nearly tied falls otherwise in some of these runs, as in rounding.</item>
/// </list>
/// Two computations in one precision may be off by twice that from one another.
/// </remarks>
/// <param name="Exact">Each result.</param>
/// <param name="Reach">For each result one number an element, or one for all; in units of ε.</param>
sealed record Judgement(Numbers Exact, Numbers Reach)
{
    public static double Epsilon(bool isDouble) => Math.ScaleB(1, isDouble ? -53 : -24);

    /// <summary>How a computation agrees.</summary>
    /// <param name="results">What it gave.</param>
    /// <param name="isDouble">Its precision.</param>
    /// <param name="approximation">What its formula may be off beside rounding, as a share of a tensor's largest number.</param>
    public IReadOnlyList<Agreement> Of(Numbers results, bool isDouble, double approximation = 0) => [.. results.Select(result =>
    {
        (double[] exact, double[] reach) = (Exact[result.Key], Reach[result.Key]);
        double more = approximation * exact.Select(Math.Abs).DefaultIfEmpty().Max();
        return Agreement.Of(result.Key, exact, result.Value, i => reach.Length == 0 ? 0 : Epsilon(isDouble) * reach[reach.Length == 1 ? 0 : i] + more);
    })];
}

/// <summary>How two arrays of numbers that should be the same differ.</summary>
/// <param name="Name">Whose results they are.</param>
/// <param name="Elements">How many numbers were compared.</param>
/// <param name="BitEqual">How many of them are the same to the bit.</param>
/// <param name="WorstShare">The largest |difference| as a share of what rounding may do; the two agree up to 1.</param>
/// <param name="Worst">Where that is, and what stands there.</param>
sealed record Agreement(string Name, int Elements, int BitEqual, double WorstShare, string Worst)
{
    /// <summary>True when no number differs by more than rounding may do.</summary>
    public bool Holds => WorstShare <= 1;

    /// <summary>Compares; a bound of 0 asks for the same bits.</summary>
    /// <param name="name">Whose results they are.</param>
    /// <param name="theirs">The numbers of the one side.</param>
    /// <param name="ours">Those of the other.</param>
    /// <param name="bound">What rounding may do to the number at an index.</param>
    public static Agreement Of(string name, double[] theirs, double[] ours, Func<int, double> bound)
    {
        if (theirs.Length != ours.Length)
            return new(name, theirs.Length, 0, double.PositiveInfinity, $"{ours.Length} numbers instead of {theirs.Length}");
        Agreement result = new(name, theirs.Length, 0, 0, "");
        for (int i = 0; i < theirs.Length; i++)
        {
            (double t, double o) = (theirs[i], ours[i]);
            bool same = BitConverter.DoubleToInt64Bits(t) == BitConverter.DoubleToInt64Bits(o) || double.IsNaN(t) && double.IsNaN(o);
            double share = same ? 0 : Math.Abs(t - o) / bound(i);
            if (!same && double.IsNaN(share))
                share = double.PositiveInfinity;    // a NaN on one side, or 0 against −0 with no bound to divide by
            if (share > result.WorstShare)
                result = result with { WorstShare = share, Worst = FormattableString.Invariant($"[{i}] is {o:R}, not {t:R} ± {bound(i):R}") };
            if (same)
                result = result with { BitEqual = result.BitEqual + 1 };
        }
        return result;
    }

    /// <summary>“dx at 0.12 of the bound: [3] is …”.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name} at {WorstShare:0.###} of what rounding may do{(Worst == "" ? "" : $": {Worst}")}");
}
