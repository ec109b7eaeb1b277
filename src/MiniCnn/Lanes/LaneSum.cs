using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The sum of one number from each lane, in an order that depends only on the number of lanes.</summary>
static unsafe class LaneSum
{
    /// <summary>
    /// Returns the sum of the first live of count lanes, count being a power of two, in the order (0 + 8) + (4 + 12) + … Overwrites the lanes.
    /// </summary>
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
