using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>What a pool does with the pixels under a window: of one output, or of a vector of outputs whose windows have the same taps.</summary>
unsafe interface IWindowWork<T> where T : unmanaged
{
    /// <param name="taps">The taps that lie on the image.</param>
    /// <param name="first">The pixel under the first of them.</param>
    /// <param name="step">Numbers from there to that pixel of the next lane.</param>
    /// <param name="output">The output: of y, or of dy.</param>
    /// <param name="argMax">Its place among those of a max pool.</param>
    void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>;
}

/// <summary>
/// The taps of a window that lie on the image, rows × columns; how many there are with those on its padding; how many numbers from what one reads to
/// the next tap's, down and to the right.
/// </summary>
readonly record struct Taps(int Height, int Width, int Padded, nint Down, nint Right);

/// <summary>A pool whose window slides over each plane.</summary>
static unsafe class SlidingWindow
{
    /// <summary>y overwritten, and argMax.</summary>
    public static void Forward<T, W>(Window2d window, LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T>? argMax, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T> =>
        Simd.RunPlanes(y, new Plane<T, W>(window, x, y, argMax, gradient: false, work), y.Shape.Width);

    /// <summary>dx overwritten. Outputs go one by one where <see cref="Add"/> cannot step from window to window.</summary>
    public static void Backward<T, W>(Window2d window, LaneTensor<T> dy, LaneTensor<T>? argMax, LaneTensor<T> dx, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T> =>
        Simd.RunPlanes(dx, new Plane<T, W>(window, dx, dy, argMax, gradient: true, work), window.Stride.Width <= 2 ? dy.Shape.Width : 1);

    /// <summary>
    /// Runs the work for all outputs, in their order. Vectors along a row have those whose windows lie on the image; the last one overlaps the one
    /// before it, but in a gradient, which would be added twice.
    /// </summary>
    readonly struct Plane<T, W>(Window2d window, LaneTensor<T> image, LaneTensor<T> outputs, LaneTensor<T>? argMax, bool gradient, W work)
        : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            if (gradient)
                image.ClearPlane(plane);
            WindowAxis rows = window.Rows(image.Shape.Height), columns = window.Columns(image.Shape.Width);
            nint lanes = image.Lanes, down = rows.Dilation * image.RowPitch, right = columns.Dilation * lanes;
            int firstInside = columns.FirstInside, endInside = columns.EndInside;
            for (int oy = 0; oy < rows.Output; oy++)
            {
                int firstY = rows.FirstTap(oy), height = rows.EndTap(oy) - firstY, paddedHeight = rows.PaddedTaps(oy);
                T* row = image.At(plane, rows.Place(oy, firstY)), output = outputs.At(plane, oy);
                T* which = argMax is null ? null : argMax.At(plane, oy);
                for (int ox = 0, next; ox < columns.Output; ox = next)
                {
                    bool inside = ox >= firstInside && ox < endInside;
                    int firstX = inside ? 0 : columns.FirstTap(ox), vector = gradient ? ox : Math.Min(ox, endInside - V.Count);
                    int width = inside ? columns.Kernel : columns.EndTap(ox) - firstX, padded = inside ? columns.Kernel : columns.PaddedTaps(ox);
                    Taps taps = new(height, width, paddedHeight * padded, down, right);
                    next = ox + 1;
                    if (lanes >= V.Count)
                    {
                        T* first = row + columns.Place(ox, firstX) * lanes;
                        for (nint lane = 0, at = ox * lanes; lane < lanes; lane += V.Count, at += V.Count)
                            work.Run<V>(taps, first + lane, 1, output + at, which + at);
                    }
                    else if (!inside || vector < firstInside || vector > endInside - V.Count)
                        work.Run<Scalar<T>>(taps, row + columns.Place(ox, firstX), 1, output + ox, which + ox);
                    else
                    {
                        work.Run<V>(taps, row + columns.Place(vector, 0), columns.Stride, output + vector, which + vector);
                        next = vector + V.Count;
                    }
                }
            }
        }
    }

    /// <summary>to[i · step] += numbers[i], the step being 1 or 2; what lies between, a sum that began with 0, gets 0 and stays as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T, V>(T* to, nint step, V numbers) where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        if (step == 1)
        {
            (V.Load(to) + numbers).Store(to);
            return;
        }
        V zero = V.Broadcast(T.Zero);
        T* half = to + V.Count - 1;                                            // so that nothing beyond the last number is touched
        V first = V.Load(to) + V.Zip(numbers, zero).First, second = V.Load(half) + V.Zip(zero, numbers).Second;
        first.Store(to);
        second.Store(half);
    }
}
