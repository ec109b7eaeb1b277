using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = max(x, 0), element by element; the gradient passes where x is above 0.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ReLU.html.</remarks>
public sealed class ReLU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass) => Elementwise.Forward<T, V, Curve<T, V>>(x, y);

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass) =>
        Elementwise.Backward<T, V, Curve<T, V>>(x, y, dy, dx);

    internal readonly struct Curve<T, V> : ICurve<V> where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At(V x) => V.Positive(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient(V x, V y, V dy) => V.Select(V.Equal(y, V.Broadcast(T.Zero)), V.Broadcast(T.Zero), dy);
    }
}
