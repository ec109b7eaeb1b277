using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>exp(z[c] − largest z) over the channels of a pixel, for softmax, log-softmax and cross-entropy.</summary>
static unsafe class ChannelExp
{
    /// <summary>
    /// Returns Σ exp(z[c] − largest z) without the term of the largest channel (the first one, if several are equal). That term is 1, and adding the other
    /// terms to 1 could lose them to rounding. The result is NaN if a channel is NaN or the largest is infinite.
    /// </summary>
    /// <param name="z">Pixels of channel 0.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="pitch">Elements from one channel of z to the next.</param>
    /// <param name="powers">If not null, receives the terms. That of the largest channel is exactly 1; V.Exp(0) is not.</param>
    /// <param name="powersPitch">Elements from one channel of powers to the next.</param>
    /// <param name="largest">The largest z.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SumOfOthers<T, V>(T* z, int channels, nint pitch, T* powers, nint powersPitch, out V largest)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        largest = V.Load(z);
        for (int c = 1; c < channels; c++)
            largest = V.Max(largest, V.Load(z + c * pitch));
        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One), others = zero, next = zero;    // next: term of the next channel equal to the largest
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
