using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), elementwise; dx = dy · (1 − y²).</summary>
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
        // With e = exp(−2|x|) − 1, tanh(|x|) = −e / (2 + e).
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T>
        {
            V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), e = NearOne.ExpM1<T, V>(V.Max(x, zero - x) * V.Broadcast(-T.One - T.One));
            V y = e / (one + one + e);
            return V.Select(V.Greater(x, zero), zero - y, y);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> => dy * (V.Broadcast(T.One) - y * y);
    }
}
