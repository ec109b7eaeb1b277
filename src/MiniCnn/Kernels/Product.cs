using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A matrix of numbers or of vectors: element [r, c] is at start + r·row + c·column.</summary>
readonly unsafe struct Grid<T>(T* start, nint row, nint column) where T : unmanaged
{
    public nint Row => row;

    public nint Column => column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(nint r, nint c) => start + r * row + c * column;
}

/// <summary>
/// y[r, p] = Σ m[r, k] · x[k, p], or += instead of =: a matrix of numbers times a matrix of vectors. Each sum stays in registers from the first k to the
/// last.
/// </summary>
readonly unsafe struct Product<T, V>(Grid<T> m, Grid<T> x, Grid<T> y) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
{
    /// <summary>Adds the product, a sum over count values of k, to rows × vectors of y.</summary>
    public void Add(int rows, int count, int vectors) => Run(rows, count, vectors, add: true);

    /// <summary>Overwrites rows × vectors of y with the product, a sum over count values of k.</summary>
    public void Set(int rows, int count, int vectors) => Run(rows, count, vectors, add: false);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Run(int rows, int count, int vectors, bool add)
    {
        Tiles tile = new(V.Count, 1);
        for (int r = 0, height; r < rows; r += height)
        {
            height = tile.Height(rows - r, vectors);
            for (int p = 0, width, tiles; p < vectors; p += tiles * width)
            {
                (width, tiles) = tile.Next(height, vectors - p);
                Tiles.Run<T, V, Strip>(height, width, new(m.At(r, 0), x.At(0, p), y.At(r, p), m, x, y, count, tiles, add));
            }
        }
    }

    /// <summary>Computes some rows, tile by tile.</summary>
    readonly struct Strip(T* numbers, T* vectors, T* sums, Grid<T> m, Grid<T> x, Grid<T> y, int count, int tiles, bool add) : ITileWork<T, V>
    {
        // Not inlined, so that the JIT compiles only the tile sizes that run.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
        {
            nint row = m.Row, column = m.Column, xRow = x.Row, xVector = x.Column;
            for (int tile = 0; tile < tiles; tile++)
            {
                T* weights = numbers, from = vectors + tile * P.Count * xVector, to = sums + tile * P.Count * y.Column;
                S tileSums = default;
                if (add)
                    tileSums.Load(to, y.Row, y.Column);
                for (int k = 0; k < count; k++, weights += column, from += xRow)
                    tileSums.Add<OneForAll<V, T>>(weights, 0, row, from, xVector, 3 * xVector);
                tileSums.Store(to, y.Row, y.Column);
            }
        }
    }
}
