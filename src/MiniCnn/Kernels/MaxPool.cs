using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The max pool: the largest number under a window, and its index among the taps on the image, counted row by row. The index is that of the first of
/// several equal maxima, or of the last NaN.
/// </summary>
readonly unsafe struct MaxPool<T> : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V best = V.Broadcast(T.NegativeInfinity), bestTap = V.Broadcast(T.Zero);
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = 0; kx < taps.Width; kx++)
            {
                V pixel = V.Load(first + kx * taps.Right, step), tap = V.Broadcast(T.CreateTruncating(ky * taps.Width + kx));
                bestTap = V.Select(V.Greater(pixel, best), tap, V.Select(V.Equal(pixel, pixel), bestTap, tap));
                best = V.Max(best, pixel);
            }
        best.Store(output);
        bestTap.Store(argMax);
    }
}

/// <summary>The gradient of the max pool: dy is added to the pixel of the maximum.</summary>
readonly unsafe struct MaxPoolGradient<T> : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V gradient = V.Load(output), bestTap = V.Load(argMax), zero = V.Broadcast(T.Zero);
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = taps.Width - 1; kx >= 0; kx--)                       // last tap first: each pixel adds its outputs in order, in vectors too
            {
                V won = V.Equal(bestTap, V.Broadcast(T.CreateTruncating(ky * taps.Width + kx)));
                SlidingWindow.Add(first + kx * taps.Right, step, V.Select(won, gradient, zero));
            }
    }
}
