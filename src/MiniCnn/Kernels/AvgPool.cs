using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>What a sum under a window is divided by.</summary>
enum Divisor
{
    /// <summary>1: it stays a sum.</summary>
    One,

    /// <summary>The number of pixels of the image under the window.</summary>
    Pixels,

    /// <summary>The number of pixels of the image and its padding under the window.</summary>
    PaddedPixels,
}

/// <summary>The sum of the numbers under a window, over a divisor.</summary>
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

/// <summary>Its gradient: each pixel gets its share of dy.</summary>
readonly unsafe struct AvgPoolGradient<T>(Divisor divisor) : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V share = V.Load(output) / V.Broadcast(AvgPool<T>.Count(taps, divisor));
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = taps.Width - 1; kx >= 0; kx--)                       // backwards: a pixel meets its outputs in their order, in a vector too
                SlidingWindow.Add(first + kx * taps.Right, step, share);
    }
}
