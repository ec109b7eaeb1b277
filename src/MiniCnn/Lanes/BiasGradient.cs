using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The gradient of a number added to each channel: db[c] += Σ dy[n,c,h,w] over n, h, w. One worker a channel, in a fixed order.</summary>
static unsafe class BiasGradient
{
    public static void Run<T, V>(LaneTensor<T> dy, T* db) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Workers.RunMany(dy.Shape.Channels, dy.Groups * dy.PlanePitch, new Channel<T, V>(dy, db));

    readonly struct Channel<T, V>(LaneTensor<T> dy, T* db) : IWork where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int channel)
        {
            // Vectors of images, or of neighbouring pixels where there is one lane. Dead lanes of dy are zero.
            T* sums = stackalloc T[LaneTensor<T>.FullLanes];
            T rest = T.Zero;
            int step = Math.Max(dy.Lanes, V.Count);
            for (int lane = 0; lane < step; lane += V.Count)
            {
                V a = V.Broadcast(T.Zero), b = a, c = a, d = a;         // four sums hide the latency of an addition
                for (int group = 0; group < dy.Groups; group++)
                    for (int row = 0; row < dy.Shape.Height; row++)
                    {
                        T* from = dy.At(group, channel, row) + lane;
                        int i = 0;
                        for (; i <= dy.RowLength - 4 * step; i += 4 * step)
                        {
                            a += V.Load(from + i);
                            b += V.Load(from + i + step);
                            c += V.Load(from + i + 2 * step);
                            d += V.Load(from + i + 3 * step);
                        }
                        for (; i <= dy.RowLength - step; i += step)
                            a += V.Load(from + i);
                        for (; i < dy.RowLength; i++)                   // the end of a row of one lane
                            rest += from[i];
                    }
                (a + b + (c + d)).Store(sums + lane);
            }
            db[channel] += LaneSum.Of<T, V>(sums, step, step) + rest;
        }
    }
}
