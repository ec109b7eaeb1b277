using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The loss of one element and its slope, ∂loss/∂x, before the mean.</summary>
interface IElementLoss<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <param name="x">The model's output, elements i, i + 1, …</param>
    /// <param name="target">What it should be.</param>
    /// <param name="i">The first element.</param>
    /// <param name="loss">Their losses.</param>
    /// <param name="slope">Their slopes.</param>
    void Of<V>(V x, V target, int i, out V loss, out V slope) where V : struct, ILanes<V, T>;
}

/// <summary>A loss that is the mean over all elements of a loss that each has by itself; losses and slopes are computed in one pass.</summary>
sealed class ElementMean(string name)
{
    const int Piece = 16384;

    float[] losses = [], gradient = [];
    double[] sums = [];                                          // one a piece, added in their order for any number of threads
    nint[] shape = [];
    int length;
    bool ready;

    public unsafe float Forward<F>(in F formula, Tensor<float> x, Tensor<float> targets) where F : struct, IElementLoss<float>
    {
        ReadOnlySpan<float> from = x.AsSpan(), to = targets.AsSpan();
        length = from.Length;
        int pieces = (length + Piece - 1) / Piece;
        if (losses.Length < length)
            (losses, gradient, sums) = (new float[length], new float[length], new double[pieces]);
        fixed (float* px = from, pt = to, loss = losses, slope = gradient)
            Simd.Run(pieces, new Work<F>(formula, px, pt, loss, slope, sums, length));
        if (!x.Lengths.SequenceEqual(shape))
            shape = x.Lengths.ToArray();
        ready = true;
        double sum = 0;
        for (int piece = 0; piece < pieces; piece++)
            sum += sums[piece];
        return (float)(sum / length);
    }

    public Tensor<float> Backward()
    {
        if (!ready)
            throw new InvalidOperationException($"{name}: Backward needs a Forward before it, and takes what that kept only once");
        ready = false;
        return Tensor.Create(gradient.AsSpan(0, length).ToArray(), shape);
    }

    /// <summary>Forgets the last Forward; refuses what a formula of two elements cannot take.</summary>
    public void Begin(Tensor<float> x, Tensor<float> targets)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(targets);
        ready = false;
        if (!x.Lengths.SequenceEqual(targets.Lengths))
        {
            throw new ArgumentException(
                $"{name}: the targets must have the shape of the model's output, [{string.Join(", ", x.Lengths.ToArray())}], "
                + $"not [{string.Join(", ", targets.Lengths.ToArray())}]; nothing is broadcast");
        }
    }

    readonly unsafe struct Work<F>(F formula, float* x, float* targets, float* losses, float* gradient, double[] sums, int length) : ILaneWork<float>
        where F : struct, IElementLoss<float>
    {
        public void Run<V>(int piece) where V : struct, ILanes<V, float>
        {
            int from = piece * Piece, to = Math.Min(length, from + Piece);
            Run<float, V, F>(formula, x, targets, losses, gradient, from, to, length);
            double sum = 0;
            for (int i = from; i < to; i++)
                sum += losses[i];
            sums[piece] = sum;
        }
    }

    /// <summary>Elements from … to − 1 of count: losses[i], and gradient[i] = slope / count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Run<T, V, F>(F formula, T* x, T* targets, T* losses, T* gradient, int from, int to, int count)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, IElementLoss<T>
    {
        int i = from;
        for (; i <= to - V.Count; i += V.Count)
            Step<T, V, F>(formula, x, targets, losses, gradient, i, count);
        for (; i < to; i++)
            Step<T, Scalar<T>, F>(formula, x, targets, losses, gradient, i, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe void Step<T, V, F>(in F formula, T* x, T* targets, T* losses, T* gradient, int i, int count)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> where F : struct, IElementLoss<T>
    {
        formula.Of(V.Load(x + i), V.Load(targets + i), i, out V loss, out V slope);
        loss.Store(losses + i);
        (slope / V.Broadcast(T.CreateTruncating(count))).Store(gradient + i);
    }
}
