using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>What is summed, from one pixel of x and the same pixel of dy.</summary>
unsafe interface ITerm<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    V Of(T* x, T* dy);
}

/// <summary>The sum of a term over one channel: all images, rows and columns, in a fixed order. Dead lanes do not count.</summary>
static unsafe class ChannelSum
{
    /// <summary>Lanes are added up a row at a time, the rows of a group after that, lanes and groups in double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static double Of<T, V, F>(LaneTensor<T> x, LaneTensor<T> dy, int channel, F term)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, ITerm<V, T>
    {
        T* lanes = stackalloc T[LaneTensor<T>.FullLanes];
        double total = 0;
        int step = x.Lanes, length = x.RowLength;
        for (int group = 0; group < x.Groups; group++)
        {
            for (int lane = 0; lane < step; lane += V.Count)
            {
                V zero = V.Broadcast(T.Zero), sum = zero;
                for (int row = 0; row < x.Shape.Height; row++)
                {
                    T* px = x.At(group, channel, row) + lane, pdy = dy.At(group, channel, row) + lane;
                    V a = zero, b = zero, c = zero, d = zero;           // four sums hide the latency of an addition
                    int i = 0;
                    for (; i <= length - 4 * step; i += 4 * step)
                    {
                        a += term.Of(px + i, pdy + i);
                        b += term.Of(px + i + step, pdy + i + step);
                        c += term.Of(px + i + 2 * step, pdy + i + 2 * step);
                        d += term.Of(px + i + 3 * step, pdy + i + 3 * step);
                    }
                    for (; i < length; i += step)
                        a += term.Of(px + i, pdy + i);
                    sum += a + b + (c + d);
                }
                sum.Store(lanes + lane);
            }
            int live = Math.Min(step, x.Count - group * step);
            for (int lane = 0; lane < live; lane++)
                total += double.CreateTruncating(lanes[lane]);
        }
        GC.KeepAlive(x);
        GC.KeepAlive(dy);
        return total;
    }
}
