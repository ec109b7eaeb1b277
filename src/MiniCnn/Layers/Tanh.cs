using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), element by element; dx = dy · (1 − y²).</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Tanh.html.</remarks>
public sealed class Tanh : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Elementwise.Forward(x, y, default(Curve<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, default(Curve<T>));

    readonly struct Curve<T> : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        // With e = exp(−2|x|) − 1 it is ±e / (2 + e). For small x the difference would lose its digits: u = exp(z) is rounded, and what is
        // lost in u − 1 is lost in log(u) too, so exp(z) − 1 = (u − 1) · z / log(u). Source: Kahan, see Higham, Accuracy and Stability, 1.14.1.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T>
        {
            V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One);
            V size = V.Max(x, zero - x), z = V.Max(size * V.Broadcast(-T.One - T.One), V.Broadcast(T.CreateTruncating(-80))), u = V.Exp(z);
            V e = V.Select(V.Equal(u, one), z, (u - one) * z / V.Log(u));
            V y = e / (one + one + e);
            return V.Select(V.Greater(x, zero), zero - y, y);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> => dy * (V.Broadcast(T.One) - y * y);
    }
}
