using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A loss that takes labels as targets, one a sample or one a pixel: what a <see cref="Trainer"/> minimises.</summary>
public abstract class LabelLoss : Loss
{
    private protected LabelLoss(Reduction reduction) : base(reduction)
    {
    }

    /// <summary>The label of samples and pixels that are left out; −100, as PyTorch has it, unless the loss takes another.</summary>
    public virtual int IgnoreIndex => -100;

    /// <summary>The loss of a batch; keeps what <see cref="Loss.Backward()"/> needs.</summary>
    /// <param name="outputs">The model's logits, [N, channels] or [N, channels, H, W]: one channel a class, or as the loss has it.</param>
    /// <param name="labels">[N], or [N, H, W], row by row: class indices, or the label that is ignored.</param>
    /// <exception cref="ArgumentException">Another shape, or a label that is no class.</exception>
    public float Forward(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        Forget();
        return Reduce(Compute(outputs, labels));
    }

    /// <summary>The losses that Forward makes one number of; keeps what <see cref="Loss.Backward(Tensor{float})"/> needs.</summary>
    /// <returns>As <see cref="Loss.ForwardEach"/>; 0 where the label is ignored.</returns>
    /// <inheritdoc cref="Forward(Tensor{float}, ReadOnlySpan{int})"/>
    public Tensor<float> ForwardEach(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        Forget();
        Compute(outputs, labels);
        return Each();
    }

    /// <summary>Channels that a model must have for so many classes, or 0 if the loss cannot tell them apart.</summary>
    internal abstract int Channels(int classes);

    private protected abstract double Compute(Tensor<float> outputs, ReadOnlySpan<int> labels);
}

/// <summary>A loss of one logit for two classes, that of class 1: [N, 1] or [N, 1, H, W].</summary>
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
    /// <param name="targets">0, no, to 1, yes.</param>
    /// <param name="labels">What the targets were made of; empty if they were given as numbers, of which none is ignored.</param>
    private protected abstract double Compute(Tensor<float> outputs, Tensor<float> targets, ReadOnlySpan<int> labels);
}
