using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Base class of losses for two classes with one logit, that of class 1: [N, 1], or [N, 1, H, W] for one logit per pixel.</summary>
public abstract class BinaryLoss : LabelLoss
{
    Tensor<float> targets = Tensor.CreateFromShape<float>([0]);

    private protected BinaryLoss(Reduction reduction) : base(reduction)
    {
    }

    internal override int Channels(int classes) => classes == 2 ? 1 : 0;

    private protected override double Compute(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        if (outputs.Rank is not (2 or 4) || outputs.Lengths[1] != 1 || labels.Length != outputs.FlattenedLength)
        {
            throw new ArgumentException(
                $"{Name} takes logits [N, 1] or [N, 1, H, W] and a label for each, not {Text(outputs.Lengths)} and {labels.Length} labels");
        }
        if (!targets.Lengths.SequenceEqual(outputs.Lengths))
            targets = Tensor.CreateFromShape<float>(outputs.Lengths);
        Span<float> t = targets.AsSpan();
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] != IgnoreIndex && labels[i] is not (0 or 1))
                throw new ArgumentException($"label {i} is {labels[i]}, but {Name} has two classes, 0 and 1");
            t[i] = labels[i] == 1 ? 1 : 0;
        }
        return Compute(outputs, targets, labels);
    }

    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets) => Compute(outputs, targets, []);

    /// <param name="outputs">Logits.</param>
    /// <param name="targets">From 0 (negative) to 1 (positive), with the shape of outputs.</param>
    /// <param name="labels">The labels from which the targets were computed. Empty if the caller gave targets; then none is ignored.</param>
    private protected abstract double Compute(Tensor<float> outputs, Tensor<float> targets, ReadOnlySpan<int> labels);
}
