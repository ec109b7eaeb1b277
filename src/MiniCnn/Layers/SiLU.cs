using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>SiLU, also called swish: y = x · σ(x) with σ(x) = 1 / (1 + e⁻ˣ), elementwise; dx = dy · (σ(x) + y · (1 − σ(x))).</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.SiLU.html.</remarks>
public sealed class SiLU : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Elementwise.Forward(x, y, default(Curve<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Elementwise.Backward(x, y, dy, dx, default(Curve<T>));

    readonly struct Curve<T> : ICurve<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V At<V>(V x) where V : struct, ILanes<V, T> => x * default(Sigmoid.Curve<T>).At(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Gradient<V>(V x, V y, V dy) where V : struct, ILanes<V, T>
        {
            V sigma = default(Sigmoid.Curve<T>).At(x);
            return dy * (sigma + y * (V.Broadcast(T.One) - sigma));
        }
    }
}
