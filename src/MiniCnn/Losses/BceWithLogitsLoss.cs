using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Binary cross-entropy of each logit x with its target t: −(p · t · log σ(x) + (1 − t) · log(1 − σ(x))), with σ(x) = 1 / (1 + e⁻ˣ) and the
/// positive weight p.
/// </summary>
/// <remarks>
/// The outputs are logits (values before a sigmoid) of any shape. Targets t are from 0 (negative) to 1 (positive); as in PyTorch, other values are not
/// rejected. It uses −log σ(x) = s(−x) and −log(1 − σ(x)) = s(x), with s(x) = max(x, 0) + log(1 + e^−|x|), which cannot overflow:
/// <code>
/// loss = p · t · s(−x) + (1 − t) · s(x)             = max(x, 0) − x · t + log(1 + e^−|x|) for p = 1
/// ∂loss/∂x = (1 − t) · σ(x) − p · t · σ(−x)
/// </code>
/// Labels, [N] or [N, H, W], are 0, 1 or the ignored label. The mean is over the elements that are not ignored. If there are none, it is NaN, as in PyTorch.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html.
/// </remarks>
public sealed class BceWithLogitsLoss : BinaryLoss
{
    readonly float[] positiveWeight;
    float[] weights = [];                                        // positiveWeight, repeated: one per element

    /// <summary>Creates a binary cross-entropy loss.</summary>
    /// <param name="positiveWeight">
    /// Weight p of positive targets, PyTorch's pos_weight: one number, or one number for each index of the last axis. The default is 1.
    /// </param>
    /// <param name="reduction">How Forward reduces the losses to one number.</param>
    /// <exception cref="ArgumentException">A weight is negative or not finite, or the reduction does not exist.</exception>
    public BceWithLogitsLoss(float[]? positiveWeight = null, Reduction reduction = Reduction.Mean) : base(reduction)
    {
        this.positiveWeight = [.. positiveWeight ?? []];
        foreach (float p in this.positiveWeight)
        {
            if (!(p >= 0 && float.IsFinite(p)))
                throw new ArgumentException(FormattableString.Invariant($"{Name}: a positive weight must be finite and at least 0, not {p}"));
        }
    }

    /// <summary>Weight of positive targets: one number, or one for each index of the last axis. Empty if all weights are 1.</summary>
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
                $"{Name}: {positiveWeight.Length} positive weights need outputs with a last axis of {positiveWeight.Length}, not {Text(outputs.Lengths)}");
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
