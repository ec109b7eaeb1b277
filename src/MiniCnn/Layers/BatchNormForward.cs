using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A batch norm and a curve after it, channel by channel: mean and variance first, if there are numbers to measure them by.</summary>
readonly unsafe struct BatchNormForward<T, F>(
    BatchNorm2d layer, LaneTensor<T> x, LaneTensor<T> y, T* weight, T* bias, T* mean, T* inverse, double epsilon, long numbers) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int c) where V : struct, ILanes<V, T>
    {
        if (numbers > 0)
        {
            double first = ChannelSum.Of<T, V, ValueTerm<V, T>>(x, x, c, default) / numbers;
            mean[c] = T.CreateTruncating(first);
            double squares = ChannelSum.Of<T, V, SquareTerm<V, T>>(x, x, c, new(V.Broadcast(mean[c])));
            inverse[c] = T.CreateTruncating(1 / Math.Sqrt(squares / numbers + epsilon));
            layer.Track(c, first, squares / (numbers - 1));
        }
        V m = V.Broadcast(mean[c]), scale = V.Broadcast(weight[c] * inverse[c]), shift = V.Broadcast(bias[c]);
        for (int group = 0; group < x.Groups; group++)
            for (int row = 0; row < x.Shape.Height; row++)
            {
                T* px = x.At(group, c, row), py = y.At(group, c, row);
                for (int i = 0; i < x.RowLength; i += V.Count)
                    default(F).At(V.MultiplyAdd(V.Load(px + i) - m, scale, shift)).Store(py + i);
            }
    }
}
