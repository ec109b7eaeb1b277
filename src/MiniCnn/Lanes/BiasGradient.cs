using System.Numerics;

namespace MiniCnn;

/// <summary>The gradient of a number added to each channel: db[c] += Σ dy[n,c,h,w] over n, h, w. One worker a channel, in the order of the images.</summary>
static unsafe class BiasGradient
{
    public static void Run<T, V>(LaneTensor<T> dy, T* db) where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T> =>
        Workers.Run(dy.Shape.Channels, new Channel<T, V>(dy, db));

    readonly struct Channel<T, V>(LaneTensor<T> dy, T* db) : IWork where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        public void Run(int channel)
        {
            T* sums = stackalloc T[LaneTensor<T>.FullLanes];
            for (int lane = 0; lane < dy.Lanes; lane += V.Count)
            {
                V sum = V.Broadcast(T.Zero);                        // dead lanes of dy are zero
                for (int group = 0; group < dy.Groups; group++)
                    for (int row = 0; row < dy.Shape.Height; row++)
                    {
                        T* from = dy.At(group, channel, row) + lane;
                        for (int i = 0; i < dy.RowLength; i += dy.Lanes)
                            sum += V.Load(from + i);
                    }
                sum.Store(sums + lane);
            }
            db[channel] += LaneSum.Of<T, V>(sums, dy.Lanes, dy.Lanes);
        }
    }
}
