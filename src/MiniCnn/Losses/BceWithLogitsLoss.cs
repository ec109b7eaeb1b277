using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Binary cross-entropy of logits, for yes-or-no questions: −(p · t · log σ(x) + (1 − t) · log(1 − σ(x))) of each element x, σ(x) = 1 / (1 + e⁻ˣ).
/// </summary>
/// <remarks>
/// The outputs are logits, what comes before a sigmoid, of any shape; the targets t lie from 0, no, to 1, yes, and others are not refused, as
/// PyTorch does not. With −log σ(x) = s(−x) and −log(1 − σ(x)) = s(x), s(x) = max(x, 0) + log(1 + e^−|x|), nothing overflows:
/// <code>
/// loss = p · t · s(−x) + (1 − t) · s(x)             = max(x, 0) − x · t + log(1 + e^−|x|) where p = 1
/// ∂loss/∂x = (1 − t) · σ(x) − p · t · σ(−x)
/// </code>
/// Labels, [N] or [N, H, W], are 0 or 1; the mean is over those that are not ignored. For no elements it is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html.
/// </remarks>
public sealed class BceWithLogitsLoss : BinaryLoss
{
    readonly float[] positiveWeight;
    float[] weights = [];                                        // positiveWeight, again and again: one an element

    /// <summary>The losses of yes-or-no questions.</summary>
    /// <param name="positiveWeight">
    /// p, how much a yes counts against a no: one number, or one for each place of the last axis; PyTorch's pos_weight. Without it 1.
    /// </param>
    /// <param name="reduction">How Forward makes one number of the losses.</param>
    /// <exception cref="ArgumentException">A weight below 0 or not finite.</exception>
    public BceWithLogitsLoss(float[]? positiveWeight = null, Reduction reduction = Reduction.Mean) : base(reduction)
    {
        this.positiveWeight = [.. positiveWeight ?? []];
        foreach (float p in this.positiveWeight)
        {
            if (!(p >= 0 && float.IsFinite(p)))
                throw new ArgumentException(FormattableString.Invariant($"{Name}: a positive weight must be finite and at least 0, not {p}"));
        }
    }

    /// <summary>How much a yes counts against a no; empty where as much.</summary>
    public IReadOnlyList<float> PositiveWeight => positiveWeight;

    /// <summary>“BceWithLogitsLoss(positive weight 4; Sum)”.</summary>
    public override string ToString()
    {
        string weights = string.Join(", ", positiveWeight.Select(w => FormattableString.Invariant($"{w}")));
        string[] options = [weights is "" ? "" : $"positive weight {weights}", Reduction == Reduction.Mean ? "" : $"{Reduction}"];
        return $"{Name}({string.Join("; ", options.Where(option => option is not ""))})";
    }

    private protected override unsafe double Compute(Tensor<float> outputs, Tensor<float> targets, ReadOnlySpan<int> labels)
    {
        if (positiveWeight.Length > 1 && (outputs.Rank == 0 || outputs.Lengths[^1] != positiveWeight.Length))
        {
            throw new ArgumentException(
                $"{Name}: {positiveWeight.Length} positive weights need a last axis of {positiveWeight.Length}, not {Text(outputs.Lengths)}");
        }
        if (positiveWeight.Length > 0 && weights.Length < outputs.FlattenedLength)
        {
            weights = new float[outputs.FlattenedLength];
            for (int i = 0; i < weights.Length; i++)
                weights[i] = positiveWeight[i % positiveWeight.Length];
        }
        Begin(outputs, outputs.Lengths);
        fixed (float* p = weights)
            ElementLoss.Run(new Logistic<float>(p), outputs, targets, Losses, Slopes);
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] == IgnoreIndex)
                Losses[i] = Slopes[i] = 0;
        }
        return outputs.FlattenedLength - labels.Count(IgnoreIndex);
    }

    internal readonly unsafe struct Logistic<T>(T* positiveWeight) : IElementLoss<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Of<V>(V x, V target, int i, out V loss, out V slope) where V : struct, ILanes<V, T>
        {
            V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One);
            V yes = positiveWeight == null ? target : V.Load(positiveWeight + i) * target, no = one - target;
            V e = V.Exp(zero - V.Max(x, zero - x)), u = one + e, log = NearOne.LogP1<T, V>(e);
            V positive = V.Greater(x, zero), large = one / u, small = e / u;                  // σ(|x|), σ(−|x|)
            loss = yes * (V.Positive(zero - x) + log) + no * (V.Positive(x) + log);
            slope = no * V.Select(positive, large, small) - yes * V.Select(positive, small, large);
        }
    }
}
