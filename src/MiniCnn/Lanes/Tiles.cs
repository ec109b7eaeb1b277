using System.Diagnostics;

namespace MiniCnn;

/// <summary>Work on a tile of registers, written once over the tile's type.</summary>
interface ITileWork<T, V> where T : unmanaged where V : struct, ILanes<V, T>
{
    void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>;
}

/// <summary>
/// How many sums a machine's registers hold: channels × vectors of them, so that nothing else that is needed spills. It depends on the numbers in a
/// vector, and on the lanes of the images.
/// </summary>
readonly record struct Tiles(int Vector, int Lanes)
{
    // With 32 registers, those that come with AVX-512, 3 vectors wide: 8 · 3 sums + 3 pixels + 1 weight = 28. With 16, which are sure elsewhere,
    // 2 vectors wide, the halves of a pixel's cache line: 6 · 2 + 2 + 1 = 15; or 3 wide: 4 · 3 + 3 + 1 = 16. Three channels are 3 wide too: 4 wide
    // they were 3 · 4 + 4 + 1 = 17.
    /// <summary>Channels of the highest tile.</summary>
    public int Most => Vector == 16 ? 8 : Lanes > Vector ? 6 : 4;

    /// <summary>Whether a tile so high is two vectors wide, both of one pixel: with eight sums or more, which hide the latency of a multiply-add.</summary>
    public bool IsPair(int height) => Lanes > Vector && height >= 4;

    /// <summary>
    /// Channels of the next tile, where so many are left; they divide without a rest. Of four vectors in all, or eight, with 32 registers, a tile takes four:
    /// 6 · 4 sums + 4 + 1 = 29, with 10 loads for 24 products, where 8 · 2 have 10 for 16. Of one or two vectors in all it takes as many channels as
    /// <see cref="NextPixels"/> takes pixels.
    /// </summary>
    public int Height(int left, int vectors = 0) => vectors is 1 or 2 ? NextPixels(vectors, left).Height : (Vector == 16 && vectors is 4 or 8 ? 6 : Most) switch
    {
        6 => left switch { 7 or 8 or 11 => 4, >= 6 => 6, 5 => 3, _ => left },
        int most => left >= most ? most : left switch { 7 => 4, 5 => 3, _ => left },
    };

    /// <summary>
    /// Vectors of the next tiles so high, where so many are left, and how many such tiles there are; a single vector is left to the end only
    /// where a tile is one high.
    /// </summary>
    public (int Width, int Count) Next(int height, int left)
    {
        if (height == 1 && left >= 9)                            // two multiply-adds a cycle, each ready after 4: 2 · 4 = 8 sums at least
            return (9, left / 9);
        int most = Vector == 16 ? height == 8 ? 3 : 4 : height >= 3 ? 3 : 4;
        if (left <= most)
            return (left, 1);
        return left == most + 1 ? (most - 1, 1) : (most, left / most - (left % most == 1 ? 1 : 0));
    }

    /// <summary>
    /// The next tiles of so many vectors of channels, for so many pixels of one image that are left: how many pixels high, 24 or with 16 registers 12
    /// sums in all at most, and how many such tiles. One or two pixels are left to the end only where there is no other way.
    /// </summary>
    public (int Height, int Count) NextPixels(int width, int left)
    {
        int most = (Vector == 16 ? 24 : 12) / width;
        foreach (int height in (ReadOnlySpan<int>)[24, 12, 8, 6, 4])
            if (height <= most && height <= left && (left >= 2 * height || left - height is 0 or 3 or 4 or > 5))
                return (height, Math.Max(1, left / height - (left % height is 1 or 2 or 5 ? 1 : 0)));
        return (Math.Min(left, 3), 1);
    }

    /// <summary>Runs work with the tile of a size: the one place that turns sizes into types.</summary>
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
