using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = x · σ(x) with σ(x) = 1 / (1 + e⁻ˣ), element by element, also called swish; dx = dy · (σ + y · (1 − σ)).</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html.</remarks>
public sealed class SiLU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass) => Elementwise.Forward<T, V, Curve<T, V>>(x, y);

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass) =>
        Elementwise.Backward<T, V, Curve<T, V>>(x, y, dy, dx);

    readonly struct Curve<T, V> : ICurve<V> where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At(V x) => x * default(Sigmoid.Curve<T, V>).At(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient(V x, V y, V dy)
        {
            V sigma = default(Sigmoid.Curve<T, V>).At(x);
            return dy * (sigma + y * (V.Broadcast(T.One) - sigma));
        }
    }
}
