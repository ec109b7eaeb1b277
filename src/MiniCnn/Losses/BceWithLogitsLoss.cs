using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Binary cross-entropy of logits, for yes-or-no questions: the mean over all elements of −(p · t · log σ(x) + (1 − t) · log(1 − σ(x))), σ(x) = 1 / (1 + e⁻ˣ).
/// </summary>
/// <remarks>
/// With −log σ(x) = s(−x) and −log(1 − σ(x)) = s(x), s(x) = max(x, 0) + log(1 + e^−|x|), nothing overflows:
/// <code>
/// loss = p · t · s(−x) + (1 − t) · s(x)             = max(x, 0) − x · t + log(1 + e^−|x|) where p = 1
/// ∂loss/∂x = ((1 − t) · σ(x) − p · t · σ(−x)) / count
/// </code>
/// For no elements the mean is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html.
/// </remarks>
public sealed class BceWithLogitsLoss
{
    readonly ElementMean mean = new(nameof(BceWithLogitsLoss));
    readonly float[] positiveWeight;
    float[] weights = [];                                        // positiveWeight, again and again: one an element

    /// <summary>The mean of the losses of yes-or-no questions.</summary>
    /// <param name="positiveWeight">
    /// p, how much a yes counts against a no: one number, or one for each place of the last axis; PyTorch's pos_weight. Without it 1.
    /// </param>
    /// <exception cref="ArgumentException">A weight below 0 or not finite.</exception>
    public BceWithLogitsLoss(params float[] positiveWeight)
    {
        ArgumentNullException.ThrowIfNull(positiveWeight);
        foreach (float p in positiveWeight)
        {
            if (!(p >= 0 && float.IsFinite(p)))
                throw new ArgumentException(FormattableString.Invariant($"BceWithLogitsLoss: a positive weight must be finite and at least 0, not {p}"));
        }
        this.positiveWeight = [.. positiveWeight];
    }

    /// <summary>The loss of a batch; keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="logits">[N], [N, features] or any other shape: the model's output before a sigmoid.</param>
    /// <param name="targets">Of the same shape, each from 0, no, to 1, yes; others are not refused, as PyTorch does not.</param>
    /// <exception cref="ArgumentException">Two shapes, or another last axis than positive weights.</exception>
    public unsafe float Forward(Tensor<float> logits, Tensor<float> targets)
    {
        mean.Begin(logits, targets);
        if (positiveWeight.Length > 1 && (logits.Rank == 0 || logits.Lengths[^1] != positiveWeight.Length))
        {
            throw new ArgumentException(
                $"BceWithLogitsLoss: {positiveWeight.Length} positive weights need a last axis of {positiveWeight.Length}, "
                + $"not [{string.Join(", ", logits.Lengths.ToArray())}]");
        }
        if (positiveWeight.Length > 0 && weights.Length < logits.FlattenedLength)
        {
            weights = new float[logits.FlattenedLength];
            for (int i = 0; i < weights.Length; i++)
                weights[i] = positiveWeight[i % positiveWeight.Length];
        }
        fixed (float* p = weights)
            return mean.Forward(new Logistic<float>(p), logits, targets);
    }

    /// <summary>∂loss/∂logits, of their shape, for the batch of the last Forward.</summary>
    /// <exception cref="InvalidOperationException">There was no Forward, or its gradient has been taken.</exception>
    public Tensor<float> Backward() => mean.Backward();

    internal readonly unsafe struct Logistic<T>(T* positiveWeight) : IElementLoss<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Of<V>(V x, V target, int i, out V loss, out V slope) where V : struct, ILanes<V, T>
        {
            V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One);
            V yes = positiveWeight == null ? target : V.Load(positiveWeight + i) * target, no = one - target;
            V e = V.Exp(zero - V.Max(x, zero - x)), u = one + e;
            // log(1 + e) with the digits that 1 + e rounds away: they are the loss of what the model is sure of.
            V log = V.Select(V.Equal(u, one), e, V.Log(u) * e / (u - one));
            V positive = V.Greater(x, zero), large = one / u, small = e / u;                  // σ(|x|), σ(−|x|)
            loss = yes * (V.Positive(zero - x) + log) + no * (V.Positive(x) + log);
            slope = no * V.Select(positive, large, small) - yes * V.Select(positive, small, large);
        }
    }
}
