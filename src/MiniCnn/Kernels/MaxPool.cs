using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The largest number under a window, and which of the taps on the image it was, these counted row by row: of equal numbers the first one, and the
/// last NaN.
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

/// <summary>Its gradient: dy to where the largest number was.</summary>
readonly unsafe struct MaxPoolGradient<T> : IWindowWork<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run<V>(in Taps taps, T* first, nint step, T* output, T* argMax) where V : struct, ILanes<V, T>
    {
        V gradient = V.Load(output), bestTap = V.Load(argMax), zero = V.Broadcast(T.Zero);
        for (int ky = 0; ky < taps.Height; ky++, first += taps.Down)
            for (int kx = taps.Width - 1; kx >= 0; kx--)                       // backwards: a pixel meets its outputs in their order, in a vector too
            {
                V won = V.Equal(bestTap, V.Broadcast(T.CreateTruncating(ky * taps.Width + kx)));
                SlidingWindow.Add(first + kx * taps.Right, step, V.Select(won, gradient, zero));
            }
    }
}
