using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The largest number under each window, and the gradient to where it was.</summary>
static unsafe class MaxPool
{
    /// <summary>y = the maxima of x, argMax = which tap each was: of equal numbers the first one, and the last NaN.</summary>
    public static void Forward<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> argMax)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(y, new ForwardPlane<T>(window, x, y, argMax), y.Shape.Width);

    /// <summary>dx overwritten.</summary>
    public static void Backward<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> argMax, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.RunPlanes(dx, new BackwardPlane<T>(window, dy, argMax, dx), SlidingWindow.RowToAdd(window, dy));

    readonly struct ForwardPlane<T>(Window2d window, LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> argMax) : ILaneWork<T>, IWindowWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        readonly int width = window.KernelSize.Width;

        public void Run<V>(int plane) where V : struct, ILanes<V, T> => SlidingWindow.Run<T, V, ForwardPlane<T>>(window, x, plane, overlap: true, this);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(in Taps taps, T* first, nint step, int plane, int row, nint at) where V : struct, ILanes<V, T>
        {
            V best = V.Broadcast(T.NegativeInfinity), bestTap = V.Broadcast(T.CreateTruncating(taps.FirstY * width + taps.FirstX));
            for (int ky = taps.FirstY; ky < taps.EndY; ky++, first += taps.Down)
                for (int kx = taps.FirstX; kx < taps.EndX; kx++)
                {
                    V pixel = V.Load(first + (kx - taps.FirstX) * taps.Right, step), tap = V.Broadcast(T.CreateTruncating(ky * width + kx));
                    bestTap = V.Select(V.Greater(pixel, best), tap, V.Select(V.Equal(pixel, pixel), bestTap, tap));
                    best = V.Max(best, pixel);
                }
            best.Store(y.At(plane, row) + at);
            bestTap.Store(argMax.At(plane, row) + at);
        }
    }

    readonly struct BackwardPlane<T>(Window2d window, LaneTensor<T> dy, LaneTensor<T> argMax, LaneTensor<T> dx) : ILaneWork<T>, IWindowWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        readonly int width = window.KernelSize.Width;

        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            dx.ClearPlane(plane);
            SlidingWindow.Run<T, V, BackwardPlane<T>>(window, dx, plane, overlap: false, this);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(in Taps taps, T* first, nint step, int plane, int row, nint at) where V : struct, ILanes<V, T>
        {
            V gradient = V.Load(dy.At(plane, row) + at), bestTap = V.Load(argMax.At(plane, row) + at), zero = V.Broadcast(T.Zero);
            for (int ky = taps.FirstY; ky < taps.EndY; ky++, first += taps.Down)
                for (int kx = taps.EndX - 1; kx >= taps.FirstX; kx--)          // backwards: a pixel meets its outputs in their order, in a vector too
                {
                    V won = V.Equal(bestTap, V.Broadcast(T.CreateTruncating(ky * width + kx)));
                    SlidingWindow.Add(first + (kx - taps.FirstX) * taps.Right, step, V.Select(won, gradient, zero));
                }
        }
    }
}
