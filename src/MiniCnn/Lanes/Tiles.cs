using System.Diagnostics;

namespace MiniCnn;

/// <summary>Work on a tile of registers, written once over the tile's type.</summary>
interface ITileWork<T, V> where T : unmanaged where V : struct, ILanes<V, T>
{
    void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>;
}

/// <summary>
/// The sizes of register tiles: channels (height) × vectors (width) of sums that the registers hold together with all operands, without spilling.
/// </summary>
/// <param name="Vector">Number of elements in a vector.</param>
/// <param name="Lanes">Number of lanes of the images.</param>
readonly record struct Tiles(int Vector, int Lanes)
{
    // With the 32 registers of AVX-512, 3 vectors wide: 8 · 3 sums + 3 pixels + 1 weight = 28. With 16 registers, the minimum elsewhere, 2 vectors wide, the
    // halves of the cache line of a pixel: 6 · 2 + 2 + 1 = 15; or 3 wide: 4 · 3 + 3 + 1 = 16. Tiles of three channels are also 3 wide, because 4 wide needs
    // 3 · 4 + 4 + 1 = 17.
    /// <summary>Number of channels of the highest tile.</summary>
    public int Most => Vector == 16 ? 8 : Lanes > Vector ? 6 : 4;

    /// <summary>
    /// Whether a tile of this height is two vectors wide, both of one pixel. Such a tile has at least 4 · 2 = 8 sums, which hide the latency of a
    /// multiply-add.
    /// </summary>
    public bool IsPair(int height) => Lanes > Vector && height >= 4;

    /// <summary>
    /// Returns the number of channels of the next tile, if left channels remain. The tiles together cover all channels exactly. With 32 registers and four
    /// or eight vectors in total, a tile is four vectors wide: 6 · 4 sums + 4 + 1 = 29 registers, and 10 loads for 24 products; 8 · 2 sums need 10 loads for
    /// 16 products. With one or two vectors in total, a tile has as many channels as <see cref="NextPixels"/> has pixels.
    /// </summary>
    public int Height(int left, int vectors = 0) => vectors is 1 or 2 ? NextPixels(vectors, left).Height : (Vector == 16 && vectors is 4 or 8 ? 6 : Most) switch
    {
        6 => left switch { 7 or 8 or 11 => 4, >= 6 => 6, 5 => 3, _ => left },
        int most => left >= most ? most : left switch { 7 => 4, 5 => 3, _ => left },
    };

    /// <summary>
    /// Returns the number of vectors of the next tiles of this height, if left vectors remain, and the number of these tiles. A single vector remains at the
    /// end only if the height is 1.
    /// </summary>
    public (int Width, int Count) Next(int height, int left)
    {
        if (height == 1 && left >= 9)                            // two multiply-adds per cycle, latency of 4 cycles: at least 2 · 4 = 8 sums
            return (9, left / 9);
        int most = Vector == 16 ? height == 8 ? 3 : 4 : height >= 3 ? 3 : 4;
        if (left <= most)
            return (left, 1);
        return left == most + 1 ? (most - 1, 1) : (most, left / most - (left % most == 1 ? 1 : 0));
    }

    /// <summary>
    /// Returns the number of pixels (height) of the next tiles of this number of vectors of channels, if left pixels of one image remain, and the number of
    /// these tiles. A tile has at most 24 sums, or 12 with 16 registers. One or two pixels remain at the end only if this cannot be avoided.
    /// </summary>
    public (int Height, int Count) NextPixels(int width, int left)
    {
        int most = (Vector == 16 ? 24 : 12) / width;
        foreach (int height in (ReadOnlySpan<int>)[24, 12, 8, 6, 4])
            if (height <= most && height <= left && (left >= 2 * height || left - height is 0 or 3 or 4 or > 5))
                return (height, Math.Max(1, left / height - (left % height is 1 or 2 or 5 ? 1 : 0)));
        return (Math.Min(left, 3), 1);
    }

    /// <summary>Runs work with the tile type of this height and width.</summary>
    public static void Run<T, V, W>(int height, int width, in W work) where T : unmanaged where V : struct, ILanes<V, T> where W : struct, ITileWork<T, V>
    {
        switch (width)
        {
            case 1: Run<T, V, Pixels1<V, T>, W>(height, work); break;
            case 2: Run<T, V, Pixels2<V, T>, W>(height, work); break;
            case 3: Run<T, V, Pixels3<V, T>, W>(height, work); break;
            case 9: Run<T, V, PixelsThrice<Pixels3<V, T>, V, T>, W>(height, work); break;
            case 4: Run<T, V, Pixels4<V, T>, W>(height, work); break;
            default: throw new UnreachableException($"no tile is {width} vectors wide");
        }
    }

    static void Run<T, V, P, W>(int height, in W work)
        where T : unmanaged where V : struct, ILanes<V, T> where P : struct, IPixels<P, V, T> where W : struct, ITileWork<T, V>
    {
        switch (height)
        {
            case 1: work.Run<Sums1<P, V, T>, P>(); break;
            case 2: work.Run<SumsTwice<Sums1<P, V, T>, P, V, T>, P>(); break;
            case 3: work.Run<Sums3<P, V, T>, P>(); break;
            case 4: work.Run<Sums4<P, V, T>, P>(); break;
            case 6: work.Run<SumsTwice<Sums3<P, V, T>, P, V, T>, P>(); break;
            case 8: work.Run<SumsTwice<Sums4<P, V, T>, P, V, T>, P>(); break;
            case 12: work.Run<SumsTwice<SumsTwice<Sums3<P, V, T>, P, V, T>, P, V, T>, P>(); break;
            case 24: work.Run<SumsTwice<SumsTwice<SumsTwice<Sums3<P, V, T>, P, V, T>, P, V, T>, P, V, T>, P>(); break;
            default: throw new UnreachableException($"no tile is {height} high");
        }
    }
}
