using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The mean of the numbers under each window: their sum over a divisor, or where that is 0 over how many lie on the image.</summary>
static unsafe class AvgPool
{
    public static void Forward<T>(Window2d window, int divisor, LaneTensor<T> x, LaneTensor<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(y, new ForwardPlane<T>(window, divisor, x, y), y.Shape.Width);

    /// <summary>dx overwritten: each pixel gets its share.</summary>
    public static void Backward<T>(Window2d window, int divisor, LaneTensor<T> dy, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.RunPlanes(dx, new BackwardPlane<T>(window, divisor, dy, dx), SlidingWindow.RowToAdd(window, dy));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Count<T, V>(in Taps taps, int divisor) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        V.Broadcast(T.CreateTruncating(divisor > 0 ? divisor : (taps.EndY - taps.FirstY) * (taps.EndX - taps.FirstX)));

    readonly struct ForwardPlane<T>(Window2d window, int divisor, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T>, IWindowWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run<V>(int plane) where V : struct, ILanes<V, T> => SlidingWindow.Run<T, V, ForwardPlane<T>>(window, x, plane, overlap: true, this);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(in Taps taps, T* first, nint step, int plane, int row, nint at) where V : struct, ILanes<V, T>
        {
            V sum = V.Broadcast(T.Zero);
            for (int ky = taps.FirstY; ky < taps.EndY; ky++, first += taps.Down)
                for (int kx = 0; kx < taps.EndX - taps.FirstX; kx++)
                    sum += V.Load(first + kx * taps.Right, step);
            (sum / Count<T, V>(taps, divisor)).Store(y.At(plane, row) + at);
        }
    }

    readonly struct BackwardPlane<T>(Window2d window, int divisor, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T>, IWindowWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            dx.ClearPlane(plane);
            SlidingWindow.Run<T, V, BackwardPlane<T>>(window, dx, plane, overlap: false, this);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(in Taps taps, T* first, nint step, int plane, int row, nint at) where V : struct, ILanes<V, T>
        {
            V share = V.Load(dy.At(plane, row) + at) / Count<T, V>(taps, divisor);
            for (int ky = taps.FirstY; ky < taps.EndY; ky++, first += taps.Down)
                for (int kx = taps.EndX - taps.FirstX - 1; kx >= 0; kx--)      // backwards: a pixel meets its outputs in their order, in a vector too
                    SlidingWindow.Add(first + kx * taps.Right, step, share);
        }
    }
}
