using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Base class of loss functions, which compare the outputs of a model with targets.</summary>
/// <remarks>
/// Forward returns one number. ForwardEach returns one loss per sample, pixel or element, as PyTorch's reduction='none' does:
/// <code>
/// float value = loss.Forward(outputs, targets);                       // mean or sum of the losses
/// model.Backward(loss.Backward());
///
/// Tensor&lt;float&gt; losses = loss.ForwardEach(outputs, targets);
/// model.Backward(loss.Backward(factors));                             // factors: ∂/∂losses, with the shape of losses
/// </code>
/// </remarks>
public abstract class Loss
{
    float[] losses = [], slopes = [];
    nint[] shape = [], lossShape = [];                           // shapes of the outputs and of the losses
    int count, lossCount;                                        // number of outputs and of losses
    bool? isReduced;                                             // true after Forward, false after ForwardEach; null if no backward pass is possible

    private protected Loss(Reduction reduction) =>
        Reduction = Enum.IsDefined(reduction) ? reduction : throw new ArgumentException($"there is no reduction {(int)reduction}; use Mean or Sum");

    /// <summary>How Forward reduces the losses to one number.</summary>
    public Reduction Reduction { get; }

    /// <summary>Computes the loss of a batch and keeps the values that <see cref="Backward()"/> needs.</summary>
    /// <param name="outputs">Outputs of the model.</param>
    /// <param name="targets">Targets, with the shape of outputs.</param>
    /// <returns>The mean or the sum of the losses.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or the loss does not support the shape.</exception>
    public float Forward(Tensor<float> outputs, Tensor<float> targets) => Reduce(Compare(outputs, targets));

    /// <summary>Computes the losses before the reduction and keeps the values that <see cref="Backward(Tensor{float})"/> needs.</summary>
    /// <param name="outputs">Outputs of the model.</param>
    /// <param name="targets">Targets, with the shape of outputs.</param>
    /// <returns>
    /// For <see cref="CrossEntropyLoss"/>, one loss per sample, [N], or per pixel, [N, H, W]. For <see cref="DiceLoss"/>, one loss per image, [N]. Otherwise
    /// one loss per element, with the shape of outputs.
    /// </returns>
    /// <exception cref="ArgumentException">The shapes differ, or the loss does not support the shape.</exception>
    public Tensor<float> ForwardEach(Tensor<float> outputs, Tensor<float> targets)
    {
        Compare(outputs, targets);
        return Each();
    }

    /// <summary>Computes the gradient of the loss for the batch of the last Forward. Each Forward allows one Backward.</summary>
    /// <returns>∂loss/∂outputs, with the shape of outputs.</returns>
    /// <exception cref="InvalidOperationException">The last call was not a Forward, or its backward pass has already run.</exception>
    public Tensor<float> Backward()
    {
        float[] gradient = Take(isReduced: true);
        if (Divisor != 0)                                        // 0: all losses and slopes are 0, the gradient too
            TensorPrimitives.Divide(Slopes, (float)Divisor, gradient);
        return Tensor.Create(gradient, shape);
    }

    /// <summary>Computes the gradient of an objective of the losses for the batch of the last ForwardEach. Each ForwardEach allows one Backward.</summary>
    /// <param name="dlosses">∂objective/∂losses, with the shape of the losses. For the sum of the losses, all elements are 1.</param>
    /// <returns>∂objective/∂outputs = Σ dlosses · ∂losses/∂outputs, with the shape of outputs.</returns>
    /// <exception cref="ArgumentException">dlosses does not have the shape of the losses.</exception>
    /// <exception cref="InvalidOperationException">The last call was not a ForwardEach, or its backward pass has already run.</exception>
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
        int images = (int)shape[0], plane = lossCount / images;  // losses per image: one, or one per pixel, for all channels
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

    /// <summary>Sum of the losses of the last Forward.</summary>
    internal double Sum { get; private set; }

    /// <summary>Divisor of the mean: Sum / Total is the mean of the losses of the last Forward.</summary>
    internal double Total { get; private set; }

    private protected string Name => GetType().Name;

    /// <summary>Calls <see cref="Begin"/> and computes losses and slopes.</summary>
    /// <returns>Divisor of the mean.</returns>
    private protected abstract double Compute(Tensor<float> outputs, Tensor<float> targets);

    /// <summary>Discards the last Forward and allocates memory for losses and slopes.</summary>
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

    /// <summary>Discards the last Forward, so that Backward throws if the next Forward throws.</summary>
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
                $"{Name}: targets must have the shape of the model's output, {Text(outputs.Lengths)}, not {Text(targets.Lengths)}; there is no broadcasting");
        }
        return Compute(outputs, targets);
    }

    float[] Take(bool isReduced)
    {
        if (this.isReduced != isReduced)
        {
            throw new InvalidOperationException(isReduced
                ? $"{Name}: Backward needs a Forward before it; each Forward allows one Backward"
                : $"{Name}: Backward(dlosses) needs a ForwardEach before it; each ForwardEach allows one Backward");
        }
        this.isReduced = null;
        return new float[count];
    }
}
