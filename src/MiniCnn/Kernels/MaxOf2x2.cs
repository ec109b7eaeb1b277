using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The most common pool: maximum over 2×2 pixels with stride 2 and no padding.</summary>
static unsafe class MaxOf2x2
{
    /// <summary>Overwrites y with the maxima of x, and argMax with the index, 0 to 3, of each maximum in its window.</summary>
    public static void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> argMax)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(y, new ForwardPlane<T>(x, y, argMax), y.Shape.Width);

    /// <summary>
    /// Overwrites dx: dy at the maximum of each window, 0 at the other pixels. If y is not null, a ReLU precedes the pool, and no gradient passes where y
    /// is 0.
    /// </summary>
    public static void Backward<T>(LaneTensor<T> dy, LaneTensor<T> argMax, LaneTensor<T>? y, LaneTensor<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.RunPlanes(dx, new BackwardPlane<T>(dy, argMax, y, dx), dy.Shape.Width);

    /// <summary>
    /// Computes one row of y from two rows of x. argMax is the first of several equal maxima. NaN is larger than every number; argMax is the last of several
    /// NaN.
    /// </summary>
    /// <param name="x">Two rows.</param>
    /// <param name="pitch">Elements from one row of x to the next.</param>
    /// <param name="lanes">Elements from one pixel to the next.</param>
    /// <param name="y">Receives the maxima.</param>
    /// <param name="argMax">Receives the indices of the maxima; null if they are not needed.</param>
    /// <param name="columns">Number of pixels of y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<T, V>(T* x, nint pitch, nint lanes, T* y, T* argMax, int columns)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        if (lanes < V.Count)
        {
            if (columns < V.Count)
                Row<T, Scalar<T>>(x, pitch, lanes, y, argMax, columns);
            else
                Along<T, V>(x, pitch, y, argMax, columns);
            return;
        }
        for (nint at = 0; at < columns * lanes; at += lanes)
            for (nint i = at; i < at + lanes; i += V.Count)
            {
                T* upper = x + at + i, lower = upper + pitch;
                Four(V.Load(upper), V.Load(upper + lanes), V.Load(lower), V.Load(lower + lanes), y + i, argMax == null ? null : argMax + i);
            }
    }

    /// <summary>Computes the row with one lane, one vector of neighboring outputs at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static void Along<T, V>(T* x, nint pitch, T* y, T* argMax, int columns) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        for (int column = 0; column < columns; column += V.Count)
        {
            int at = Math.Min(column, columns - V.Count);                      // the last vector overlaps the one before it
            T* upper = x + 2 * at, lower = upper + pitch;
            Four(V.Load(upper, 2), V.Load(upper + 1, 2), V.Load(lower, 2), V.Load(lower + 1, 2), y + at, argMax == null ? null : argMax + at);
        }
    }

    /// <summary>Computes a vector of outputs from their upper pixels a and b and their lower pixels c and d.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Four<T, V>(V a, V b, V c, V d, T* y, T* argMax) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V upper = V.Max(a, b), lower = V.Max(c, d);
        V.Max(upper, lower).Store(y);
        if (argMax == null)
            return;

        // second where b is larger than a or b is NaN, otherwise first
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static V Later(V a, V b, V first, V second) => V.Select(V.Greater(b, a), second, V.Select(V.Equal(b, b), first, second));

        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), two = one + one, three = two + one;
        Later(upper, lower, Later(a, b, zero, one), Later(c, d, two, three)).Store(argMax);
    }

    readonly struct ForwardPlane<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> argMax) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            for (int row = 0; row < y.Shape.Height; row++)
                Row<T, V>(x.At(plane, 2 * row), x.RowPitch, x.Lanes, y.At(plane, row), argMax.At(plane, row), y.Shape.Width);
        }
    }

    readonly struct BackwardPlane<T>(LaneTensor<T> dy, LaneTensor<T> argMax, LaneTensor<T>? y, LaneTensor<T> dx) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), two = one + one, three = two + one;
            bool along = dx.Lanes < V.Count;
            nint lanes = dx.Lanes, pitch = dx.RowPitch, next = along ? V.Count : lanes;
            int across = along ? V.Count : 1, columns = dy.Shape.Width, rest = (dx.Shape.Width - 2 * columns) * dx.Lanes;
            for (int row = 0; row < dy.Shape.Height; row++)
            {
                T* from = dy.At(plane, row), won = argMax.At(plane, row), kept = y is null ? null : y.At(plane, row), to = dx.At(plane, 2 * row);
                for (int column = 0; column < columns; column += across)
                {
                    nint at = Math.Min(column, columns - across) * lanes;      // the last vector overlaps the one before it
                    T* pixels = to + 2 * at;
                    for (nint end = at + lanes; at < end; at += V.Count, pixels += V.Count)
                    {
                        V gradient = V.Load(from + at), which = V.Load(won + at);
                        if (kept != null)
                            gradient = V.Select(V.Equal(V.Load(kept + at), zero), zero, gradient);
                        V a = V.Select(V.Equal(which, zero), gradient, zero), b = V.Select(V.Equal(which, one), gradient, zero);
                        V c = V.Select(V.Equal(which, two), gradient, zero), d = V.Select(V.Equal(which, three), gradient, zero);
                        if (along)
                            ((a, b), (c, d)) = (V.Zip(a, b), V.Zip(c, d));
                        a.Store(pixels);
                        b.Store(pixels + next);
                        c.Store(pixels + pitch);
                        d.Store(pixels + pitch + next);
                    }
                }
                to += 2 * columns * lanes;                                     // a last column or row outside all windows
                new Span<T>(to, rest).Clear();
                new Span<T>(to + pitch, rest).Clear();
            }
            for (int row = 2 * dy.Shape.Height; row < dx.Shape.Height; row++)
                new Span<T>(dx.At(plane, row), dx.RowLength).Clear();
        }
    }
}
