using System.Globalization;
using System.Numerics;

namespace MiniCnn.Parity;

/// <summary>How two implementations agree on one case: on its output and on its three gradients.</summary>
/// <remarks>
/// A sum of n products in floating point, added in whatever order, is off by at most k·ε·Σ|x·w| with k = n + 1, where ε is 2⁻²⁴ for
/// float and 2⁻⁵³ for double (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3). Σ|x·w| is the same convolution of
/// the absolute values, and n that of ones, so both come from <see cref="Conv2dReference"/>, in double, for the gradients too.
/// Two implementations in one precision may each be off by that: twice the bound; against double, once. Nothing is tuned.
/// Whole numbers must agree to the bit.
/// </remarks>
/// <param name="Case">The case.</param>
/// <param name="Y">Agreement on the output.</param>
/// <param name="Dx">On the gradient of the input.</param>
/// <param name="Dweight">On the gradient of the weight.</param>
/// <param name="Dbias">On the gradient of the bias; no elements where there is none.</param>
public sealed record Conv2dReport(Conv2dCase Case, Agreement Y, Agreement Dx, Agreement Dweight, Agreement Dbias)
{
    /// <summary>True when all four agree.</summary>
    public bool Holds => Parts.All(p => p.Agreement.Holds);

    /// <summary>The four with their names.</summary>
    public IEnumerable<(string Name, Agreement Agreement)> Parts => [("y", Y), ("dx", Dx), ("dweight", Dweight), ("dbias", Dbias)];

    /// <summary>Compares what two implementations, the one in T and the other in T or in double, made of the same inputs.</summary>
    public static Conv2dReport Compare<T, U>(Conv2dCase c, Conv2dInputs<T> inputs, Conv2dResults<T> theirs, Conv2dResults<U> ours)
        where T : INumber<T> where U : INumber<U>
    {
        double epsilon = typeof(T) == typeof(float) ? Math.ScaleB(1, -24) : Math.ScaleB(1, -53);
        double factor = typeof(T) == typeof(U) ? 2 : 1;
        Conv2dResults<double> sums = ReferenceConv2d.Run(c.Shape, inputs.Select(v => Math.Abs(double.CreateChecked(v))));
        Conv2dResults<double> products = ReferenceConv2d.Run(c.Shape, inputs.Select(_ => 1.0) with { Bias = new double[inputs.Bias.Length] });

        Agreement Of(T[] theirs, U[] ours, double[] sum, double[] n) =>
            Agreement.Of<T, U>(theirs, ours, i => c.IsInteger ? 0 : factor * (n[i] + 1) * epsilon * sum[i]);
        return new(
            c,
            Of(theirs.Y, ours.Y, sums.Y, products.Y),
            Of(theirs.Dx, ours.Dx, sums.Dx, products.Dx),
            Of(theirs.Dweight, ours.Dweight, sums.Dweight, products.Dweight),
            Of(theirs.Dbias, ours.Dbias, sums.Dbias, products.Dbias));
    }

    /// <summary>“conv2d.0017, 2×3×7×9 → 2×4×5×5 (3×5): y at 0.12 of the bound, dx at …”.</summary>
    public override string ToString() =>
        $"{Case.Id}, {Case.Shape}: " + string.Join(", ", Parts.Where(p => p.Agreement.Elements > 0).Select(p => string.Create(
            CultureInfo.InvariantCulture, $"{p.Name} at {p.Agreement.WorstShare:0.###} of the bound (element {p.Agreement.WorstIndex})")));
}
