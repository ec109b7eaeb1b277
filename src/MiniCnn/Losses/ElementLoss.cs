using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>An elementwise loss and its slope, ∂loss/∂x.</summary>
interface IElementLoss<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="x">Outputs of the model, elements i, i + 1, ….</param>
    /// <param name="target">Targets of these elements.</param>
    /// <param name="i">Index of the first element.</param>
    /// <param name="loss">Losses of these elements.</param>
    /// <param name="slope">Slopes of these elements.</param>
    void Of<V>(V x, V target, int i, out V loss, out V slope) where V : struct, ILanes<V, T>;
}

/// <summary>Computes losses and slopes of an elementwise loss in one pass.</summary>
static class ElementLoss
{
    const int Piece = 16384;                                     // elements per work item

    public static unsafe void Run<F>(F formula, Tensor<float> x, Tensor<float> targets, Span<float> losses, Span<float> slopes)
        where F : struct, IElementLoss<float>
    {
        ReadOnlySpan<float> from = x.AsSpan(), to = targets.AsSpan();
        fixed (float* px = from, pt = to, loss = losses, slope = slopes)
            Simd.Run((from.Length + Piece - 1) / Piece, new Work<F>(formula, px, pt, loss, slope, from.Length));
    }

    readonly unsafe struct Work<F>(F formula, float* x, float* targets, float* losses, float* slopes, int length) : ILaneWork<float>
        where F : struct, IElementLoss<float>
    {
        public void Run<V>(int piece) where V : struct, ILanes<V, float> =>
            Run<float, V, F>(formula, x, targets, losses, slopes, piece * Piece, Math.Min(length, (piece + 1) * Piece));
    }

    /// <summary>Computes losses and slopes of the elements from … to − 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Run<T, V, F>(F formula, T* x, T* targets, T* losses, T* slopes, int from, int to)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, IElementLoss<T>
    {
        int i = from;
        for (; i <= to - V.Count; i += V.Count)
            Step<T, V, F>(formula, x, targets, losses, slopes, i);
        for (; i < to; i++)
            Step<T, Scalar<T>, F>(formula, x, targets, losses, slopes, i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe void Step<T, V, F>(in F formula, T* x, T* targets, T* losses, T* slopes, int i)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, IElementLoss<T>
    {
        formula.Of(V.Load(x + i), V.Load(targets + i), i, out V loss, out V slope);
        loss.Store(losses + i);
        slope.Store(slopes + i);
    }
}
