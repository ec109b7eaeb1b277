using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = max(x, 0), elementwise; dx = dy for x > 0, else 0.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html.</remarks>
public sealed class ReLU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Elementwise.Forward(x, y, default(Curve<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, default(Curve<T>));

    internal readonly struct Curve<T> : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T> => V.Positive(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T> => V.Select(V.Equal(y, V.Broadcast(T.Zero)), V.Broadcast(T.Zero), dy);
    }
}
