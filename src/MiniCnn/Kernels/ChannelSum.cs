using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The sum of a term over one channel: all images, rows and columns, in a fixed order. Dead lanes are excluded.</summary>
static unsafe class ChannelSum
{
    /// <summary>Sums each plane separately for each lane, then adds lanes and blocks in double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static double Of<T, V, F>(LaneTensor<T> x, LaneTensor<T> dy, int channel, F term)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, ITerm<V, T>
    {
        T* lanes = stackalloc T[LaneTensor<T>.FullLanes];
        double total = 0;
        for (int block = 0; block < x.Blocks; block++)
        {
            for (int lane = 0; lane < x.Lanes; lane += V.Count)
                PlaneSum.Of<T, V, F>(x, dy, block * x.Shape.Channels + channel, lane, term).Store(lanes + lane);
            int live = Math.Min(x.Lanes, x.Count - block * x.Lanes);
            for (int lane = 0; lane < live; lane++)
                total += double.CreateTruncating(lanes[lane]);
        }
        return total;
    }
}
