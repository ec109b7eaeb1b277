using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// A matrix m times vectors, four rows at a time: y[r, p] = start[r] + Σ m[r, k] · x[k, p], the sum in registers from the first k to the last.
/// </summary>
/// <param name="m">m[r, k] stands at r·rowStep + k·columnStep.</param>
/// <param name="rowStep">Numbers from one row to the next.</param>
/// <param name="columnStep">Numbers from one column to the next.</param>
readonly unsafe struct Product<T, V>(T* m, nint rowStep, nint columnStep)
    where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
{
    public const int Rows = 4;

    public static int Blocks(int rows) => (rows + Rows - 1) / Rows;

    /// <summary>Works out up to four rows, from first on.</summary>
    /// <param name="first">The first row of m.</param>
    /// <param name="rows">1 to 4.</param>
    /// <param name="count">Columns of m.</param>
    /// <param name="start">What the sums begin with, one number a row; null for what y holds.</param>
    /// <param name="x">x[k, p] stands at k·xRow + p·xPixel, a vector each.</param>
    /// <param name="xRow">Numbers from one k to the next.</param>
    /// <param name="xPixel">Numbers from one p to the next.</param>
    /// <param name="y">y[r, p] stands at r·yRow + p·yPixel.</param>
    /// <param name="yRow">Numbers from one r to the next.</param>
    /// <param name="yPixel">Numbers from one p to the next.</param>
    /// <param name="pixels">How many p.</param>
    public void Add(int first, int rows, int count, T* start, T* x, nint xRow, nint xPixel, T* y, nint yRow, nint yPixel, int pixels)
    {
        for (int p = 0; p < pixels;)
        {
            int step = Math.Min(pixels - p, 3);
            if (step == 3)
                Tile<Pixels3<V, T>>(first, rows, count, start, x, xRow, xPixel, y, yRow, yPixel);
            else if (step == 2)
                Tile<Pixels2<V, T>>(first, rows, count, start, x, xRow, xPixel, y, yRow, yPixel);
            else
                Tile<Pixels1<V, T>>(first, rows, count, start, x, xRow, xPixel, y, yRow, yPixel);
            p += step;
            x += step * xPixel;
            y += step * yPixel;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Tile<P>(int first, int rows, int count, T* start, T* x, nint xRow, nint xPixel, T* y, nint yRow, nint yPixel) where P : struct, IPixels<P, V, T>
    {
        int r1 = Math.Min(1, rows - 1), r2 = Math.Min(2, rows - 1), r3 = Math.Min(3, rows - 1);      // missing rows repeat the last
        T* m0 = m + first * rowStep, m1 = m0 + r1 * rowStep, m2 = m0 + r2 * rowStep, m3 = m0 + r3 * rowStep;
        P y0 = start == null ? P.Load(y, yPixel) : P.Broadcast(start[0]);
        P y1 = start == null ? P.Load(y + r1 * yRow, yPixel) : P.Broadcast(start[r1]);
        P y2 = start == null ? P.Load(y + r2 * yRow, yPixel) : P.Broadcast(start[r2]);
        P y3 = start == null ? P.Load(y + r3 * yRow, yPixel) : P.Broadcast(start[r3]);
        nint at = 0;
        for (int k = 0; k < count; k++, at += columnStep, x += xRow)
        {
            P pixels = P.Load(x, xPixel);
            y0 = y0.Plus(V.Broadcast(m0[at]), pixels);
            y1 = y1.Plus(V.Broadcast(m1[at]), pixels);
            y2 = y2.Plus(V.Broadcast(m2[at]), pixels);
            y3 = y3.Plus(V.Broadcast(m3[at]), pixels);
        }
        y3.Store(y + r3 * yRow, yPixel);                                   // the last one first, so that repeated rows end with the real one
        y2.Store(y + r2 * yRow, yPixel);
        y1.Store(y + r1 * yRow, yPixel);
        y0.Store(y, yPixel);
    }
}
