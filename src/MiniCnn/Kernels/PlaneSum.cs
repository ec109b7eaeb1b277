using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The sum of a term over one plane, rows and columns in a fixed order, separately for each lane.</summary>
static unsafe class PlaneSum
{
    /// <summary>Returns the sums of a vector of lanes, starting with lane. The pixels of each row are summed first, then the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static V Of<T, V, F>(LaneTensor<T> x, LaneTensor<T> dy, int plane, int lane, F term)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, ITerm<V, T>
    {
        int step = x.Lanes, length = x.RowLength;
        V zero = V.Broadcast(T.Zero), sum = zero;
        for (int row = 0; row < x.Shape.Height; row++)
        {
            T* px = x.At(plane, row) + lane, pdy = dy.At(plane, row) + lane;
            V a = zero, b = zero, c = zero, d = zero;                   // four sums hide the latency of an addition
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
        GC.KeepAlive(x);
        GC.KeepAlive(dy);
        return sum;
    }
}
