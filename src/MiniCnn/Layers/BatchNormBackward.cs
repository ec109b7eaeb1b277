using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The gradient of a batch norm, channel by channel: adds to dweight and dbias, and writes dx, for those that are not null.</summary>
readonly unsafe struct BatchNormBackward<T, V>(
    LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, T* weight, T* dweight, T* dbias, T* mean, T* inverse) : IWork
    where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int c)
    {
        V m = V.Broadcast(mean[c]);
        double sum = ChannelSum.Of<T, V, ValueTerm<V, T>>(dy, dy, c, default);                     // Σ dy
        double product = ChannelSum.Of<T, V, ProductTerm<V, T>>(x, dy, c, new(m)) * double.CreateTruncating(inverse[c]);   // Σ dy·x̂
        if (dbias is not null)
            dbias[c] += T.CreateTruncating(sum);
        if (dweight is not null)
            dweight[c] += T.CreateTruncating(product);
        if (dx is null)
            return;
        long numbers = (long)x.Count * x.Shape.Height * x.Shape.Width;
        V scale = V.Broadcast(weight[c] * inverse[c]), share = V.Broadcast(T.CreateTruncating(sum / numbers));
        V slope = V.Broadcast(-inverse[c] * T.CreateTruncating(product / numbers));
        for (int group = 0; group < x.Groups; group++)
            for (int row = 0; row < x.Shape.Height; row++)
            {
                T* px = x.At(group, c, row), pdy = dy.At(group, c, row), pdx = dx.At(group, c, row);
                for (int i = 0; i < x.RowLength; i += V.Count)
                    (V.MultiplyAdd(V.Load(px + i) - m, slope, V.Load(pdy + i) - share) * scale).Store(pdx + i);
            }
    }
}
