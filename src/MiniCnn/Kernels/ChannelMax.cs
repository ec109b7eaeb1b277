using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The largest number of a pixel over its channels, NaN if one is: what a softmax takes off before it raises e to the rest.</summary>
static unsafe class ChannelMax
{
    /// <summary>Of the pixels from z on, channels a pitch apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Of<T, V>(T* z, int channels, nint pitch) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V largest = V.Load(z);
        for (int c = 1; c < channels; c++)
            largest = V.Max(largest, V.Load(z + c * pitch));
        return largest;
    }
}
