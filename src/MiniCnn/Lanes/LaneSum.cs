using System.Numerics;

namespace MiniCnn;

/// <summary>The sum of one number from each lane, in one order on every machine.</summary>
static unsafe class LaneSum
{
    /// <summary>Adds up the live ones of 16 lanes (or the one), halves first: (0 + 8) + (4 + 12) + … Overwrites the lanes.</summary>
    public static T Of<T>(T* lanes, int count, int live) where T : unmanaged, INumberBase<T>
    {
        for (int i = live; i < count; i++)
            lanes[i] = T.Zero;
        for (int half = count / 2; half > 0; half /= 2)
        {
            for (int i = 0; i < half; i++)
                lanes[i] += lanes[i + half];
        }
        return lanes[0];
    }
}
