using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The gradient of a bias: db[c] += Σ dy[n,c,h,w] over n, h and w. One thread computes a channel, in a fixed order.</summary>
static unsafe class BiasGradient
{
    public static void Run<T>(LaneTensor<T> dy, T* db) where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.Run(dy, dy.Shape.Channels, dy.Blocks * dy.PlanePitch, new Channel<T>(dy, db));

    readonly struct Channel<T>(LaneTensor<T> dy, T* db) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int channel) where V : struct, ILanes<V, T>
        {
            T* sums = stackalloc T[LaneTensor<T>.FullLanes];
            int step = dy.Lanes;                                        // dead lanes of dy are zero
            for (int lane = 0; lane < step; lane += V.Count)
            {
                V a = V.Broadcast(T.Zero), b = a, c = a, d = a;         // four sums hide the latency of an addition
                for (int block = 0; block < dy.Blocks; block++)
                    for (int row = 0; row < dy.Shape.Height; row++)
                    {
                        T* from = dy.At(block, channel, row) + lane;
                        int i = 0;
                        for (; i <= dy.RowLength - 4 * step; i += 4 * step)
                        {
                            a += V.Load(from + i);
                            b += V.Load(from + i + step);
                            c += V.Load(from + i + 2 * step);
                            d += V.Load(from + i + 3 * step);
                        }
                        for (; i < dy.RowLength; i += step)
                            a += V.Load(from + i);
                    }
                (a + b + (c + d)).Store(sums + lane);
            }
            db[channel] += LaneSum.Of<T, V>(sums, step, step);
        }
    }
}
