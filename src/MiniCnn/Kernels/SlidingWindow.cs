using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The operation of a pool on the pixels under a window, for one output or for a vector of outputs that have the same taps.</summary>
unsafe interface IWindowWork<T> where T : unmanaged
{
    /// <param name="taps">The taps on the image.</param>
    /// <param name="first">The pixel under the first tap.</param>
    /// <param name="step">Elements from that pixel of one lane of the vector to that of the next.</param>
    /// <param name="output">The output, an element of y or of dy.</param>
    /// <param name="argMax">The corresponding element of argMax, for a max pool.</param>
    void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>;
}

/// <summary>
/// The taps of a window on the image, Height × Width. Padded is the number of taps on the image or its padding. Down and Right are the distances in
/// elements from one tap to the next, down and to the right.
/// </summary>
readonly record struct Taps(int Height, int Width, int Padded, nint Down, nint Right);

/// <summary>A pool with a window that slides over each plane.</summary>
static unsafe class SlidingWindow
{
    /// <summary>Overwrites y and argMax.</summary>
    public static void Forward<T, W>(Window2d window, LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T>? argMax, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T> =>
        Simd.RunPlanes(y, new Plane<T, W>(window, x, y, argMax, gradient: false, work), y.Shape.Width);

    /// <summary>Overwrites dx. With one lane and a stride above 2, which <see cref="Add"/> does not support, outputs are processed one by one.</summary>
    public static void Backward<T, W>(Window2d window, LaneTensor<T> dy, LaneTensor<T>? argMax, LaneTensor<T> dx, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where W : struct, IWindowWork<T> =>
        Simd.RunPlanes(dx, new Plane<T, W>(window, dx, dy, argMax, gradient: true, work), window.Stride.Width <= 2 ? dy.Shape.Width : 1);

    /// <summary>
    /// Runs the work for all outputs in order. Vectors along a row process outputs with all taps on the image. The last vector overlaps the one before it,
    /// except for a gradient, which would be added twice.
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

    /// <summary>
    /// to[i · step] += numbers[i] for a step of 1 or 2. With step 2, 0 is added to the elements in between. These are sums that started with 0, so this does
    /// not change them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T, V>(T* to, nint step, V numbers) where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        if (step == 1)
        {
            (V.Load(to) + numbers).Store(to);
            return;
        }
        V zero = V.Broadcast(T.Zero);
        T* half = to + V.Count - 1;                                            // so that no element beyond the last one is accessed
        V first = V.Load(to) + V.Zip(numbers, zero).First, second = V.Load(half) + V.Zip(zero, numbers).Second;
        first.Store(to);
        second.Store(half);
    }
}
