using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The pool that most networks have: y = the largest of 2×2 pixels, windows side by side, no padding.</summary>
static unsafe class MaxOf2x2
{
    /// <summary>One row of y from two of x, and which pixel of the four it was; of equal ones the first, and NaN is larger than all.</summary>
    /// <param name="x">Two rows.</param>
    /// <param name="pitch">Numbers from one row to the next.</param>
    /// <param name="lanes">Numbers from one pixel to the next.</param>
    /// <param name="y">The row of maxima.</param>
    /// <param name="winner">0 to 3.</param>
    /// <param name="columns">Pixels of y.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<T, V>(T* x, nint pitch, nint lanes, T* y, T* winner, int columns)
        where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), two = one + one, three = two + one;
        for (int column = 0; column < columns; column++, x += lanes)
            for (nint lane = 0; lane < lanes; lane += V.Count, x += V.Count, y += V.Count, winner += V.Count)
            {
                V a = V.Load(x), b = V.Load(x + lanes), c = V.Load(x + pitch), d = V.Load(x + pitch + lanes);
                V best = V.Max(V.Max(a, b), V.Max(c, d));
                best.Store(y);
                V which = V.Select(V.Equal(best, c), two, three);
                which = V.Select(V.Equal(best, b), one, which);
                V.Select(V.Equal(best, a), zero, which).Store(winner);
            }
    }
}
