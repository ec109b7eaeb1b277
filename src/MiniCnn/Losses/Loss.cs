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
    nint[] shape = [];                                           // of the outputs; its first axes are the losses'
    int lossAxes, count, lossCount;                              // count: of the outputs
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
    /// <returns>One a sample, [N], for <see cref="CrossEntropyLoss"/>, else one an element, of the shape of outputs.</returns>
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
        if (isReduced == false && !dlosses.Lengths.SequenceEqual(LossShape))
            throw new ArgumentException($"{Name}: dlosses must have the shape of the losses, {Text(LossShape)}, not {Text(dlosses.Lengths)}");
        float[] gradient = Take(isReduced: false);
        ReadOnlySpan<float> factors = dlosses.AsSpan();
        if (lossCount == count)
            TensorPrimitives.Multiply(Slopes, factors, gradient);
        else
        {
            for (int n = 0, size = count / lossCount; n < lossCount; n++)
                TensorPrimitives.Multiply(Slopes.Slice(n * size, size), factors[n], gradient.AsSpan(n * size, size));
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

    /// <summary>Forgets the last Forward and makes room for losses, whose shape is so many axes of the outputs', and for slopes.</summary>
    private protected void Begin(Tensor<float> outputs, int lossAxes)
    {
        isReduced = null;
        count = (int)outputs.FlattenedLength;
        (this.lossAxes, lossCount) = (lossAxes, lossAxes < outputs.Rank ? (int)outputs.Lengths[0] : count);
        if (!outputs.Lengths.SequenceEqual(shape))
            shape = outputs.Lengths.ToArray();
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
        return Tensor.Create(losses[..lossCount], LossShape);
    }

    private protected static string Text(ReadOnlySpan<nint> shape) => $"[{string.Join(", ", shape.ToArray())}]";

    double Divisor => Reduction == Reduction.Mean ? Total : 1;

    ReadOnlySpan<nint> LossShape => shape.AsSpan(0, lossAxes);

    double Compare(Tensor<float> outputs, Tensor<float> targets)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(targets);
        isReduced = null;
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
