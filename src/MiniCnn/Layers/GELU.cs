using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// y = x · Φ(x), elementwise, where Φ is the cumulative distribution function of the standard normal distribution.
/// dx = dy · (Φ(x) + x · e^(−x²/2) / √(2π)).
/// </summary>
/// <remarks>
/// The exact form, which is PyTorch's default (approximate='none'). Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GELU.html.
/// </remarks>
public sealed class GELU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Elementwise.Forward(x, y, default(Curve<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, default(Curve<T>));

    readonly struct Curve<T> : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T> => x * Below(x, Bell(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T>
        {
            V bell = Bell(x);
            return dy * V.MultiplyAdd(x * Number<V>(0.3989422804014327), bell, Below(x, bell));        // 1/√(2π)
        }

        /// <summary>e^(−x²/2).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static V Bell<V>(V x) where V : struct, ILanes<V, T> => V.Exp(x * x * Number<V>(-0.5));

        /// <summary>
        /// Φ(x) = erfc(z)/2 for x ≤ 0 and 1 − erfc(z)/2 for x > 0, with z = |x|/√2 and bell = e^(−z²). erfc(z) = e^(−z²) · p(z)/q(z), with a relative error
        /// below 10⁻¹¹ up to z = 6, where erfc(z) is 10⁻¹⁷. Source: Cody, Rational Chebyshev Approximations for the Error Function, 1969.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static V Below<V>(V x, V bell) where V : struct, ILanes<V, T>
        {
            // |x| is limited to 20, so that p and q cannot overflow; Φ(−20) is below 10⁻⁸⁸.
            V zero = V.Broadcast(T.Zero), size = V.Max(x, zero - x), limit = Number<V>(20);
            V z = V.Select(V.Greater(size, limit), limit, size) * Number<V>(0.7071067811865476);        // 1/√2
            V p = Number<V>(2.15311535474403846e-8), q = V.Broadcast(T.One);
            Next(ref p, 0.564188496988670089, ref q, 15.7449261107098347, z);
            Next(ref p, 8.88314979438837594, ref q, 117.693950891312499, z);
            Next(ref p, 66.1191906371416295, ref q, 537.181101862009858, z);
            Next(ref p, 298.635138197400131, ref q, 1621.38957456669019, z);
            Next(ref p, 881.952221241769090, ref q, 3290.79923573345963, z);
            Next(ref p, 1712.04761263407058, ref q, 4362.61909014324716, z);
            Next(ref p, 2051.07837782607147, ref q, 3439.36767414372164, z);
            Next(ref p, 1230.33935479799725, ref q, 1230.33935480374942, z);
            V tail = bell * p / q * Number<V>(0.5);
            return V.Select(V.Greater(x, zero), V.Broadcast(T.One) - tail, tail);
        }

        /// <summary>One step of Horner's scheme for both polynomials.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Next<V>(ref V p, double a, ref V q, double b, V z) where V : struct, ILanes<V, T> =>
            (p, q) = (V.MultiplyAdd(p, z, Number<V>(a)), V.MultiplyAdd(q, z, Number<V>(b)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static V Number<V>(double value) where V : struct, ILanes<V, T> => V.Broadcast(T.CreateTruncating(value));
    }
}
