using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>How far a model's outputs are from what they should be.</summary>
/// <remarks>
/// As one number, or as PyTorch's reduction='none' has it, one loss a sample or element:
/// <code>
/// float value = loss.Forward(outputs, targets);                       // their mean or sum
/// model.Backward(loss.Backward());
///
/// Tensor&lt;float&gt; losses = loss.ForwardEach(outputs, targets);
/// model.Backward(loss.Backward(factors));                             // ∂/∂losses, of the shape of losses
/// </code>
/// </remarks>
public abstract class Loss
{
    float[] losses = [], slopes = [];
    nint[] shape = [], lossShape = [];                           // of the outputs, and of the losses
    int count, lossCount;                                        // of these
    bool? isReduced;                                             // of what the last Forward gave; null if its gradient has been taken

    private protected Loss(Reduction reduction) =>
        Reduction = Enum.IsDefined(reduction) ? reduction : throw new ArgumentException($"there is no reduction {(int)reduction}; use Mean or Sum");

    /// <summary>How Forward makes one number of the losses.</summary>
    public Reduction Reduction { get; }

    /// <summary>The loss of a batch; keeps what <see cref="Backward()"/> needs.</summary>
    /// <param name="outputs">What the model gave.</param>
    /// <param name="targets">What it should have given, of the same shape.</param>
    /// <exception cref="ArgumentException">Two shapes, or one that the loss cannot take.</exception>
    public float Forward(Tensor<float> outputs, Tensor<float> targets) => Reduce(Compare(outputs, targets));

    /// <summary>The losses that <see cref="Forward"/> makes one number of; keeps what <see cref="Backward(Tensor{float})"/> needs.</summary>
    /// <param name="outputs">What the model gave.</param>
    /// <param name="targets">What it should have given, of the same shape.</param>
    /// <returns>
    /// One a sample, [N], or a pixel, [N, H, W], for <see cref="CrossEntropyLoss"/>; one an image, [N], for <see cref="DiceLoss"/>; else one an element, of the
    /// shape of outputs.
    /// </returns>
    /// <exception cref="ArgumentException">Two shapes, or one that the loss cannot take.</exception>
    public Tensor<float> ForwardEach(Tensor<float> outputs, Tensor<float> targets)
    {
        Compare(outputs, targets);
        return Each();
    }

    /// <summary>∂loss/∂outputs, of their shape, for the batch of the last Forward.</summary>
    /// <exception cref="InvalidOperationException">There was no Forward, or its gradient has been taken.</exception>
    public Tensor<float> Backward()
    {
        float[] gradient = Take(isReduced: true);
        if (Divisor != 0)                                        // else there is no loss, and no slope
            TensorPrimitives.Divide(Slopes, (float)Divisor, gradient);
        return Tensor.Create(gradient, shape);
    }

    /// <summary>Σ dlosses · ∂losses/∂outputs, of the shape of outputs, for the batch of the last ForwardEach.</summary>
    /// <param name="dlosses">∂/∂losses of what is minimised, of the shape of losses: ones for their sum.</param>
    /// <exception cref="ArgumentException">Another shape.</exception>
    /// <exception cref="InvalidOperationException">There was no ForwardEach, or its gradient has been taken.</exception>
    public Tensor<float> Backward(Tensor<float> dlosses)
    {
        ArgumentNullException.ThrowIfNull(dlosses);
        if (isReduced == false && !dlosses.Lengths.SequenceEqual(lossShape))
            throw new ArgumentException($"{Name}: dlosses must have the shape of the losses, {Text(lossShape)}, not {Text(dlosses.Lengths)}");
        float[] gradient = Take(isReduced: false);
        if (lossCount == count)
        {
            TensorPrimitives.Multiply(Slopes, dlosses.AsSpan(), gradient);
            return Tensor.Create(gradient, shape);
        }
        int images = (int)shape[0], plane = lossCount / images;  // losses of an image: one, or one a pixel, for all of its channels
        for (int at = 0, size = count / images; at < count; at += plane == 1 ? size : plane)
        {
            ReadOnlySpan<float> factors = dlosses.AsSpan().Slice(at / size * plane, plane);
            if (plane == 1)
                TensorPrimitives.Multiply(Slopes.Slice(at, size), factors[0], gradient.AsSpan(at, size));
            else
                TensorPrimitives.Multiply(Slopes.Slice(at, plane), factors, gradient.AsSpan(at, plane));
        }
        return Tensor.Create(gradient, shape);
    }

    /// <summary>The sum of the last Forward's losses, and what their mean divides it by.</summary>
    internal double Sum { get; private set; }

    internal double Total { get; private set; }

    private protected string Name => GetType().Name;

    /// <summary>Calls <see cref="Begin"/> and fills in losses and slopes.</summary>
    /// <returns>What a mean divides by.</returns>
    private protected abstract double Compute(Tensor<float> outputs, Tensor<float> targets);

    /// <summary>Forgets the last Forward and makes room for losses of a shape, and for slopes.</summary>
    private protected void Begin(Tensor<float> outputs, ReadOnlySpan<nint> lossShape)
    {
        isReduced = null;
        (count, lossCount) = ((int)outputs.FlattenedLength, 1);
        foreach (nint size in lossShape)
            lossCount *= (int)size;
        if (!outputs.Lengths.SequenceEqual(shape))
            shape = outputs.Lengths.ToArray();
        if (!lossShape.SequenceEqual(this.lossShape))
            this.lossShape = lossShape.ToArray();
        if (slopes.Length < count)
            slopes = new float[count];
        if (losses.Length < lossCount)
            losses = new float[lossCount];
    }

    private protected Span<float> Losses => losses.AsSpan(0, lossCount);

    /// <summary>∂losses/∂outputs.</summary>
    private protected Span<float> Slopes => slopes.AsSpan(0, count);

    private protected float Reduce(double total)
    {
        double sum = 0;
        foreach (float loss in Losses)
            sum += loss;
        (Sum, Total, isReduced) = (sum, total, true);
        return (float)(sum / Divisor);
    }

    private protected Tensor<float> Each()
    {
        isReduced = false;
        return Tensor.Create(losses[..lossCount], lossShape);
    }

    /// <summary>Forgets the last Forward: nothing is left of it where the next one is refused.</summary>
    private protected void Forget() => isReduced = null;

    private protected static string Text(ReadOnlySpan<nint> shape) => $"[{string.Join(", ", shape.ToArray())}]";

    double Divisor => Reduction == Reduction.Mean ? Total : 1;

    double Compare(Tensor<float> outputs, Tensor<float> targets)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(targets);
        Forget();
        if (!outputs.Lengths.SequenceEqual(targets.Lengths))
        {
            throw new ArgumentException(
                $"{Name}: the targets must have the shape of the model's output, {Text(outputs.Lengths)}, not {Text(targets.Lengths)}; nothing is broadcast");
        }
        return Compute(outputs, targets);
    }

    float[] Take(bool isReduced)
    {
        if (this.isReduced != isReduced)
        {
            throw new InvalidOperationException(isReduced
                ? $"{Name}: Backward needs a Forward before it, and takes what that kept only once"
                : $"{Name}: Backward(dlosses) needs a ForwardEach before it, and takes what that kept only once");
        }
        this.isReduced = null;
        return new float[count];
    }
}
