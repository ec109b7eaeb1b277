using System.Numerics;

namespace MiniCnn;

/// <summary>One derivative, computed from differences.</summary>
/// <param name="Value">The derivative.</param>
/// <param name="Rounding">Bound of its rounding error.</param>
/// <param name="IsKink">Whether the function has no derivative here: no step gave a value that half the step confirmed.</param>
readonly record struct Quotient(double Value, double Rounding, bool IsKink);

/// <summary>Constants of a check in a number type.</summary>
/// <param name="Name">Name of the type in C#.</param>
/// <param name="Tolerance">Largest error that passes.</param>
/// <param name="RoundOff">Unit roundoff: the largest relative error of one rounding.</param>
/// <param name="FirstStep">The first, longest step, with the smallest rounding error.</param>
/// <param name="LastStep">The last, shortest step, which avoids most kinks.</param>
readonly record struct Precision(string Name, double Tolerance, double RoundOff, double FirstStep, double LastStep)
{
    public static readonly Precision Double = new("double", 1e-7, 1.0 / (1L << 53), 1.0 / (1 << 10), 1.0 / (1 << 20));
    public static readonly Precision Float = new("float", 2e-3, 1.0 / (1 << 24), 1, 1.0 / (1 << 11));
}

/// <summary>Derivatives of f = Σ y·dy by central differences of fourth order, (−f(x+2h) + 8f(x+h) − 8f(x−h) + f(x−2h)) / 12h.</summary>
/// <remarks>
/// The quotients at h and at h/2 must agree, and the slopes on both sides of x must agree. Otherwise h is halved, down to the last step. The sum is
/// Σ dy·(y₊ − y₋), not f₊ − f₋, so that outputs that do not change add no rounding error. If no output changes, as for a bias before a batch norm, the rounding
/// bound uses all outputs: the analytic derivative is then a sum that cancels except for rounding errors.
/// </remarks>
sealed class DifferenceQuotient<T>(CheckedLayer<T> layer, Precision precision) where T : unmanaged, IFloatingPointIeee754<T>
{
    const double RoundingsOfOutput = 64;                         // an output is a sum of many products, and a quotient is computed from several outputs

    readonly T[] y = layer.Forward(), plus = new T[layer.Dy.Length], minus = new T[layer.Dy.Length];

    public Quotient Of(int tensor, int element)
    {
        double h = precision.FirstStep;
        (Pair far, Pair middle) = (Move(tensor, element, 2 * h), Move(tensor, element, h));
        while (true)
        {
            Pair near = Move(tensor, element, h / 2);
            double coarse = (4 * middle.Slope - far.Slope) / 3, fine = (4 * near.Slope - middle.Slope) / 3;
            double jump = (far.Jump - 10 * middle.Jump + 16 * near.Jump) / 7;      // with these weights f″ and f⁗ cancel
            double rounding = RoundingsOfOutput * precision.RoundOff * near.Size / h;
            double allowed = Math.Max(precision.Tolerance * Math.Abs(fine), rounding);
            if (Math.Abs(coarse - fine) <= allowed / 4 && Math.Abs(jump) <= allowed)
                return new(fine, rounding, IsKink: false);
            h /= 2;
            if (h < precision.LastStep)
                return new(fine, rounding, IsKink: double.IsFinite(fine));
            (far, middle) = (middle, near);
        }
    }

    /// <summary>
    /// Evaluates f at x + step and x − step. Returns the slope between them, the difference of the slopes on both sides of x, and the norm of dy·y over the
    /// outputs that changed, or over all outputs if none changed.
    /// </summary>
    Pair Move(int tensor, int element, double step)
    {
        ref T value = ref layer.Values(tensor)[element];
        (T x, T above, T below) = (value, value + T.CreateTruncating(step), value - T.CreateTruncating(step));
        value = above;
        layer.Forward(plus);
        value = below;
        layer.Forward(minus);
        value = x;
        double odd = 0, even = 0, squares = 0, still = 0;
        for (int i = 0; i < y.Length; i++)
        {
            (double dy, double here) = (double.CreateTruncating(layer.Dy[i]), double.CreateTruncating(y[i]));
            if (plus[i] == y[i] && minus[i] == y[i])
            {
                still += dy * dy * here * here;
                continue;
            }
            (double after, double before) = (double.CreateTruncating(plus[i]), double.CreateTruncating(minus[i]));
            odd += dy * (after - before);
            even += dy * (after - here + (before - here));
            squares += dy * dy * Math.Max(here * here, Math.Max(after * after, before * before));
        }
        return new(odd / double.CreateTruncating(above - below), even / step, Math.Sqrt(squares > 0 ? squares : still));
    }

    readonly record struct Pair(double Slope, double Jump, double Size);
}
