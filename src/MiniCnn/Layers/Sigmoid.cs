using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = 1 / (1 + e⁻ˣ), elementwise; dx = dy · y · (1 − y).</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html.</remarks>
public sealed class Sigmoid : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Elementwise.Forward(x, y, default(Curve<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, default(Curve<T>));

    internal readonly struct Curve<T> : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T> => V.Broadcast(T.One) / (V.Broadcast(T.One) + V.Exp(V.Broadcast(T.Zero) - x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> => dy * (y * (V.Broadcast(T.One) - y));
    }
}
