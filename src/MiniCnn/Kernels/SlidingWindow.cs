using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>What a pool does with the pixels under a window: of one output, or of a vector of neighbouring ones that have the same taps.</summary>
unsafe interface IWindowWork<T> where T : unmanaged
{
    /// <param name="taps">The taps that lie on the image.</param>
    /// <param name="first">What the first of them reads.</param>
    /// <param name="step">Numbers from there to what it reads in the next lane.</param>
    /// <param name="plane">The plane.</param>
    /// <param name="row">The row of outputs.</param>
    /// <param name="at">The output's place in its row, lanes counted.</param>
    void Run<V>(in Taps taps, T* first, nint step, int plane, int row, nint at) where V : struct, ILanes<V, T>;
}

/// <summary>Some of a window's taps, and how many numbers from what one reads to the next tap's, down and to the right.</summary>
readonly record struct Taps(int FirstY, int EndY, int FirstX, int EndX, nint Down, nint Right);

/// <summary>A window that slides over a plane.</summary>
static unsafe class SlidingWindow
{
    /// <summary>
    /// Runs the work for all outputs, in their order. Vectors along a row have those whose windows lie on the image; the last one overlaps the one
    /// before it if it may.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, V, W>(Window2d window, LaneTensor<T> image, int plane, bool overlap, W work)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where W : struct, IWindowWork<T>
    {
        WindowAxis rows = window.Rows(image.Shape.Height), columns = window.Columns(image.Shape.Width);
        nint lanes = image.Lanes, down = rows.Dilation * image.RowPitch, right = columns.Dilation * lanes;
        int firstInside = columns.FirstInside, endInside = columns.EndInside;
        for (int oy = 0; oy < rows.Output; oy++)
        {
            int firstY = rows.FirstTap(oy), endY = rows.EndTap(oy);
            T* row = image.At(plane, rows.Place(oy, firstY));
            for (int ox = 0, next; ox < columns.Output; ox = next)
            {
                bool inside = ox >= firstInside && ox < endInside;
                int firstX = inside ? 0 : columns.FirstTap(ox), vector = overlap ? Math.Min(ox, endInside - V.Count) : ox;
                Taps taps = new(firstY, endY, firstX, inside ? columns.Kernel : columns.EndTap(ox), down, right);
                next = ox + 1;
                if (lanes >= V.Count)
                {
                    T* first = row + columns.Place(ox, firstX) * lanes;
                    for (nint lane = 0; lane < lanes; lane += V.Count)
                        work.Run<V>(taps, first + lane, 1, plane, oy, ox * lanes + lane);
                }
                else if (!inside || vector < firstInside || vector > endInside - V.Count)
                    work.Run<Scalar<T>>(taps, row + columns.Place(ox, firstX), 1, plane, oy, ox);
                else
                {
                    work.Run<V>(taps, row + columns.Place(vector, 0), columns.Stride, plane, oy, vector);
                    next = vector + V.Count;
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

    /// <summary>Outputs in a row for vectors along it; one by one where <see cref="Add"/> cannot step from window to window.</summary>
    public static int RowToAdd<T>(Window2d window, LaneTensor<T> outputs) where T : unmanaged => window.Stride.Width <= 2 ? outputs.Shape.Width : 1;
}
