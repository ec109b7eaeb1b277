using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Numbers, or vectors of them, in rows and columns: [r, c] stands at r·row + c·column.</summary>
readonly unsafe struct Grid<T>(T* start, nint row, nint column) where T : unmanaged
{
    public nint Row => row;

    public nint Column => column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T* At(nint r, nint c) => start + r * row + c * column;
}

/// <summary>y[r, p] += Σ m[r, k] · x[k, p]: a matrix of numbers times vectors, each sum in registers from the first k to the last.</summary>
readonly unsafe struct Product<T, V>(Grid<T> m, Grid<T> x, Grid<T> y) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
{
    /// <summary>Adds the products of count k to so many rows of so many vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(int rows, int count, int vectors)
    {
        for (int r = 0, height; r < rows; r += height)
        {
            height = Tiles.Height(V.Count, rows - r);
            for (int p = 0, width, tiles; p < vectors; p += tiles * width)
            {
                (width, tiles) = Tiles.Next(V.Count, height, vectors - p);
                switch (width)
                {
                    case 1: Tile<Pixels1<V, T>>(height, r, p, tiles, count); break;
                    case 2: Tile<Pixels2<V, T>>(height, r, p, tiles, count); break;
                    case 3: Tile<Pixels3<V, T>>(height, r, p, tiles, count); break;
                    case 9: Tile<PixelsThrice<Pixels3<V, T>, V, T>>(height, r, p, tiles, count); break;
                    default: Tile<Pixels4<V, T>>(height, r, p, tiles, count); break;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    void Tile<P>(int height, int r, int p, int tiles, int count) where P : struct, IPixels<P, V, T>
    {
        switch (height)
        {
            case 1: Tile<Sums1<P, V, T>, P>(r, p, tiles, count); break;
            case 2: Tile<SumsTwice<Sums1<P, V, T>, P, V, T>, P>(r, p, tiles, count); break;
            case 3: Tile<Sums3<P, V, T>, P>(r, p, tiles, count); break;
            case 4: Tile<Sums4<P, V, T>, P>(r, p, tiles, count); break;
            case 6: Tile<SumsTwice<Sums3<P, V, T>, P, V, T>, P>(r, p, tiles, count); break;
            default: Tile<SumsTwice<Sums4<P, V, T>, P, V, T>, P>(r, p, tiles, count); break;
        }
    }

    /// <summary>Some rows, tile by tile.</summary>
    // Not inlined: of all the tiles there could be, only those that run are compiled.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    void Tile<S, P>(int r, int p, int tiles, int count) where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
    {
        nint row = m.Row, column = m.Column, xRow = x.Row, xVector = x.Column;
        for (; tiles > 0; tiles--, p += P.Count)
        {
            T* weights = m.At(r, 0), from = x.At(0, p), to = y.At(r, p);
            S sums = S.Load(to, y.Row, y.Column);
            for (int k = 0; k < count; k++, weights += column, from += xRow)
                sums = sums.PlusNumbers(weights, row, P.Load(from, xVector));
            sums.Store(to, y.Row, y.Column);
        }
    }
}
