using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Base class of losses with class labels as targets, one per sample or per pixel. A <see cref="Trainer"/> minimizes such a loss.</summary>
public abstract class LabelLoss : Loss
{
    private protected LabelLoss(Reduction reduction) : base(reduction)
    {
    }

    /// <summary>Label of the samples and pixels that are ignored. The default is −100, as in PyTorch.</summary>
    public virtual int IgnoreIndex => -100;

    /// <summary>Computes the loss of a batch and keeps the values that <see cref="Loss.Backward()"/> needs.</summary>
    /// <param name="outputs">
    /// Logits of the model, [N, channels] or [N, channels, H, W]: one channel per class, or a single channel for a <see cref="BinaryLoss"/>.
    /// </param>
    /// <param name="labels">[N], or [N, H, W] in row-major order: class indices, or the ignored label.</param>
    /// <exception cref="ArgumentException">A shape does not match, or a label is neither a class index nor the ignored label.</exception>
    public float Forward(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        Forget();
        return Reduce(Compute(outputs, labels));
    }

    /// <summary>Computes the losses before the reduction and keeps the values that <see cref="Loss.Backward(Tensor{float})"/> needs.</summary>
    /// <returns>The losses, with the shape that <see cref="Loss.ForwardEach"/> returns. They are 0 where the label is ignored.</returns>
    /// <inheritdoc cref="Forward(Tensor{float}, ReadOnlySpan{int})"/>
    public Tensor<float> ForwardEach(Tensor<float> outputs, ReadOnlySpan<int> labels)
    {
        Forget();
        Compute(outputs, labels);
        return Each();
    }

    /// <summary>Number of output channels that a model needs for this number of classes; 0 if the loss does not support the number.</summary>
    internal abstract int Channels(int classes);

    private protected abstract double Compute(Tensor<float> outputs, ReadOnlySpan<int> labels);
}
