using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The gradient of a batch norm and a curve after it, channel by channel: adds to dweight and dbias, and writes dx, for those that are not null.
/// </summary>
/// <remarks>What the curve got is worked out again from x: the same numbers to the bit, and cheaper than to keep them.</remarks>
readonly unsafe struct BatchNormBackward<T, F>(
    LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, T* weight, T* bias, T* dweight, T* dbias, T* mean, T* inverse) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int c) where V : struct, ILanes<V, T>
    {
        V m = V.Broadcast(mean[c]), scale = V.Broadcast(weight[c] * inverse[c]);
        Gradient<V> gradient = new(m, scale, V.Broadcast(bias[c]));                                    // ∂loss/∂(the norm's own output)
        double sum = ChannelSum.Of<T, V, Gradient<V>>(x, dy, c, gradient);                             // Σ of it
        double product = ChannelSum.Of<T, V, Product<V>>(x, dy, c, new(m, gradient)) * double.CreateTruncating(inverse[c]);      // Σ of it · x̂
        if (dbias is not null)
            dbias[c] += T.CreateTruncating(sum);
        if (dweight is not null)
            dweight[c] += T.CreateTruncating(product);
        if (dx is null)
            return;
        long numbers = (long)x.Count * x.Shape.Height * x.Shape.Width;
        V share = V.Broadcast(T.CreateTruncating(sum / numbers)), slope = V.Broadcast(-inverse[c] * T.CreateTruncating(product / numbers));
        for (int group = 0; group < x.Groups; group++)
            for (int row = 0; row < x.Shape.Height; row++)
            {
                T* px = x.At(group, c, row), pdy = dy.At(group, c, row), pdx = dx.At(group, c, row);
                for (int i = 0; i < x.RowLength; i += V.Count)
                    (V.MultiplyAdd(V.Load(px + i) - m, slope, gradient.Of(px + i, pdy + i) - share) * scale).Store(pdx + i);
            }
    }

    readonly struct Gradient<V>(V mean, V scale, V shift) : ITerm<V, T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Of(T* x, T* dy)
        {
            V y = V.MultiplyAdd(V.Load(x) - mean, scale, shift);
            return default(F).Gradient(y, default(F).At(y), V.Load(dy));
        }
    }

    readonly struct Product<V>(V mean, Gradient<V> gradient) : ITerm<V, T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Of(T* x, T* dy) => (V.Load(x) - mean) * gradient.Of(x, dy);
    }
}
