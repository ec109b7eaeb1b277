using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The sum of one number from each lane, in one order for one number of lanes.</summary>
static unsafe class LaneSum
{
    /// <summary>Adds up the live ones of some lanes, a power of two, halves first: (0 + 8) + (4 + 12) + … Overwrites the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T, V>(T* lanes, int count, int live) where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        for (int i = live; i < count; i++)
            lanes[i] = T.Zero;
        for (; count > V.Count; count /= 2)
        {
            for (int i = 0; i < count / 2; i += V.Count)
                (V.Load(lanes + i) + V.Load(lanes + i + count / 2)).Store(lanes + i);
        }
        return V.Sum(V.Load(lanes));
    }
}
