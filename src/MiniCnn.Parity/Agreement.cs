using System.Numerics;

namespace MiniCnn.Parity;

/// <summary>How two arrays of numbers that should be the same differ.</summary>
/// <param name="Elements">How many numbers were compared.</param>
/// <param name="BitEqual">How many of them are the same to the bit.</param>
/// <param name="WorstShare">The largest |difference| as a share of what rounding may do; the two agree up to 1.</param>
/// <param name="WorstIndex">Where that is.</param>
public readonly record struct Agreement(int Elements, int BitEqual, double WorstShare, int WorstIndex)
{
    /// <summary>True when no number differs by more than rounding may do.</summary>
    public bool Holds => WorstShare <= 1;

    /// <summary>Compares; a bound of 0 asks for the same bits.</summary>
    /// <param name="theirs">The numbers of the one side.</param>
    /// <param name="ours">Those of the other.</param>
    /// <param name="bound">What rounding may do to the number at an index.</param>
    /// <exception cref="ArgumentException">The two have different lengths.</exception>
    public static Agreement Of<T, U>(ReadOnlySpan<T> theirs, ReadOnlySpan<U> ours, Func<int, double> bound)
        where T : INumber<T> where U : INumber<U>
    {
        if (theirs.Length != ours.Length)
            throw new ArgumentException($"there are {theirs.Length} numbers to compare with {ours.Length}");

        Agreement result = new(theirs.Length, 0, 0, 0);
        for (int i = 0; i < theirs.Length; i++)
        {
            (double t, double o) = (double.CreateChecked(theirs[i]), double.CreateChecked(ours[i]));
            bool same = BitConverter.DoubleToInt64Bits(t) == BitConverter.DoubleToInt64Bits(o);
            double share = same ? 0 : Math.Abs(t - o) / bound(i);
            if (!same && double.IsNaN(share))
                share = double.PositiveInfinity;    // a NaN on one side, or 0 against −0 with no bound to divide by
            if (share > result.WorstShare)
                result = result with { WorstShare = share, WorstIndex = i };
            if (same)
                result = result with { BitEqual = result.BitEqual + 1 };
        }
        return result;
    }
}
