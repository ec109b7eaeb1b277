namespace MiniCnn.Cases;

/// <summary>The exact results of a case, and the bounds of rounding errors.</summary>
/// <remarks>
/// TorchSharp computes a case in double, and this result counts as exact. The error of a computation with precision ε, 2⁻²⁴ for float and 2⁻⁵³ for
/// double, may be at most ε · <see cref="Reach"/>. Reach follows from the computation. It does not depend on MiniCnn's results, and no tolerance is tuned.
/// <list type="bullet">
/// <item>Exact: 0.</item>
/// <item>Sums: k · Σ|terms|, where k is the number of products in the sum plus one (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3).
/// Σ|terms| is the same computation on absolute values, and the number of products is the computation on ones, both by TorchSharp.</item>
/// <item>Formula: k · (max(|y| + Σ|∂y/∂u · u|) + m) over the tensor y and all inputs u. Each of k operations changes the result like a rounding error of
/// its inputs. m is <see cref="Case.Intermediate"/>. The derivatives are TorchSharp's difference quotients in double.</item>
/// <item>Training: the largest change of TorchSharp's results if every input is multiplied by 1 ± √k · ε with a random sign, plus √k times the largest
/// result: errors of a sum of k terms grow as √k (Higham and Mary, 2019). In some of these runs, a max pool with nearly equal inputs selects another
/// element, as it may with rounding errors.</item>
/// </list>
/// Two computations in the same precision may differ by twice the bound.
/// </remarks>
/// <param name="Exact">The exact results.</param>
/// <param name="Reach">Bounds in units of ε: for each result one number per element, one number for all elements, or none if it must be exact.</param>
sealed record Judgement(Numbers Exact, Numbers Reach)
{
    public static double Epsilon(bool isDouble) => Math.ScaleB(1, isDouble ? -53 : -24);

    /// <summary>Compares results with the exact ones.</summary>
    /// <param name="results">The results.</param>
    /// <param name="isDouble">Whether they were computed in double instead of float.</param>
    /// <param name="approximation">Error of the formula in addition to rounding, relative to a tensor's largest number.</param>
    public IReadOnlyList<Agreement> Of(Numbers results, bool isDouble, double approximation = 0) => [.. results.Select(result =>
    {
        (double[] exact, double[] reach) = (Exact[result.Key], Reach[result.Key]);
        double more = approximation * exact.Select(Math.Abs).DefaultIfEmpty().Max();
        return Agreement.Of(result.Key, exact, result.Value, i => reach.Length == 0 ? 0 : Epsilon(isDouble) * reach[reach.Length == 1 ? 0 : i] + more);
    })];
}

/// <summary>The difference of two arrays that should be equal up to rounding.</summary>
/// <param name="Name">Name of the result.</param>
/// <param name="Elements">Number of compared elements.</param>
/// <param name="BitEqual">Number of bit-identical elements.</param>
/// <param name="WorstShare">The largest |difference| divided by its bound. The two agree if it is at most 1.</param>
/// <param name="Worst">Index and values of this difference.</param>
sealed record Agreement(string Name, int Elements, int BitEqual, double WorstShare, string Worst)
{
    /// <summary>Whether every difference is within its bound.</summary>
    public bool Holds => WorstShare <= 1;

    /// <summary>Compares two arrays. A bound of 0 requires bit-identical numbers.</summary>
    /// <param name="name">Name of the result.</param>
    /// <param name="theirs">The expected numbers.</param>
    /// <param name="ours">The numbers to compare.</param>
    /// <param name="bound">Returns the bound of the rounding error at an index.</param>
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
                share = double.PositiveInfinity;    // NaN on only one side, or 0 and −0 with a bound of 0
            if (share > result.WorstShare)
                result = result with { WorstShare = share, Worst = FormattableString.Invariant($"[{i}] is {o:R}, not {t:R} ± {bound(i):R}") };
            if (same)
                result = result with { BitEqual = result.BitEqual + 1 };
        }
        return result;
    }

    /// <summary>Returns a line of text: “dx at 0.12 of its rounding bound: [3] is …”.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name} at {WorstShare:0.###} of its rounding bound{(Worst == "" ? "" : $": {Worst}")}");
}
