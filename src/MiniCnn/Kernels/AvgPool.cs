using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The divisor of a sum under a window.</summary>
enum Divisor
{
    /// <summary>1, no division.</summary>
    One,

    /// <summary>The number of pixels of the image under the window.</summary>
    Pixels,

    /// <summary>The number of pixels of the image and its padding under the window.</summary>
    PaddedPixels,
}

/// <summary>The average pool: the sum of the numbers under a window, divided by the divisor.</summary>
readonly unsafe struct AvgPool<T>(Divisor divisor) : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V sum = V.Broadcast(T.Zero);
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = 0; kx < taps.Width; kx++)
                sum += V.Load(first + kx * taps.Right, step);
        (sum / V.Broadcast(Count(taps, divisor))).Store(output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Count(in Taps taps, Divisor divisor) =>
        T.CreateTruncating(divisor == Divisor.PaddedPixels ? taps.Padded : divisor == Divisor.Pixels ? taps.Height * taps.Width : 1);
}

/// <summary>The gradient of the average pool: each pixel under the window receives dy / divisor.</summary>
readonly unsafe struct AvgPoolGradient<T>(Divisor divisor) : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V share = V.Load(output) / V.Broadcast(AvgPool<T>.Count(taps, divisor));
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = taps.Width - 1; kx >= 0; kx--)                       // last tap first: each pixel adds its outputs in order, in vectors too
                SlidingWindow.Add(first + kx * taps.Right, step, share);
    }
}
