namespace MiniCnn;

/// <summary>
/// How many sums a machine's registers hold: channels × vectors of them, so that nothing else that is needed spills. It hangs on the numbers in a vector.
/// </summary>
static class Tiles
{
    // The highest tile, 3 vectors wide: 8 · 3 sums + 3 pixels + 1 weight = 28 of the 32 registers that come with AVX-512;
    // 4 · 3 + 3 + 1 = 16 of the 16 that are sure elsewhere.
    /// <summary>Channels of the highest tile.</summary>
    public static int Most(int vector) => vector == 16 ? 8 : 4;

    /// <summary>Channels of the next tile, where so many are left; they divide without a rest.</summary>
    public static int Height(int vector, int left) => left >= Most(vector) ? Most(vector) : left switch { 7 => 4, 5 => 3, _ => left };

    /// <summary>
    /// Vectors of the next tiles so high, where so many are left, and how many such tiles there are; a single vector is left to the end only
    /// where a tile is one high.
    /// </summary>
    public static (int Width, int Count) Next(int vector, int height, int left)
    {
        if (height == 1 && left >= 9)                            // two multiply-adds a cycle, each ready after 4: 2 · 4 = 8 sums at least
            return (9, left / 9);
        int most = height == Most(vector) ? 3 : 4;
        if (left <= most)
            return (left, 1);
        return left == most + 1 ? (most - 1, 1) : (most, left / most - (left % most == 1 ? 1 : 0));
    }
}
