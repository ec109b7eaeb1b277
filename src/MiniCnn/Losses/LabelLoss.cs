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
