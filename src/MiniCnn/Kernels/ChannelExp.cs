using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>exp(z[c] − largest) of a pixel's channels: what a softmax and its logarithm are made of.</summary>
static unsafe class ChannelExp
{
    /// <summary>
    /// Their sum without the largest channel, of equal ones the first: its power is 1, and beside 1 the others may be rounded away.
    /// NaN where a channel is NaN or the largest infinite.
    /// </summary>
    /// <param name="z">Pixels, channels a pitch apart.</param>
    /// <param name="channels">Their number.</param>
    /// <param name="pitch">From one to the next.</param>
    /// <param name="powers">If not null, gets the powers; that of the largest is exactly 1, which V.Exp(0) is not.</param>
    /// <param name="powersPitch">Its pitch.</param>
    /// <param name="largest">The largest z.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SumOfOthers<T, V>(T* z, int channels, nint pitch, T* powers, nint powersPitch, out V largest)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        largest = V.Load(z);
        for (int c = 1; c < channels; c++)
            largest = V.Max(largest, V.Load(z + c * pitch));
        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), others = zero, next = zero;    // next: what a channel as large as the largest adds
        for (int c = 0; c < channels; c++)
        {
            V shifted = V.Load(z + c * pitch) - largest, isLargest = V.Equal(shifted, zero), power = V.Select(isLargest, one, V.Exp(shifted));
            if (powers != null)
                power.Store(powers + c * powersPitch);
            others += V.Select(isLargest, next, power);
            next = V.Select(isLargest, one, next);
        }
        return others;
    }
}
