using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y = x̂ · weight + bias, number by number, with x̂ = (x − mean) / √(variance + epsilon), mean and biased variance those of the whole image or of
/// all features: the same in training and after it, and for a batch of one.
/// </summary>
/// <remarks>
/// <code>
/// dbias = Σ dy,  dweight = Σ dy·x̂ over the images,  dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon),  dx̂ = dy · weight
/// </code>
/// where a Mean goes over one image. PyTorch's LayerNorm over all axes but the batch's. Source:
/// https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html; Ba, Kiros and Hinton, 2016.
/// </remarks>
public sealed class LayerNorm : Layer
{
    /// <summary>Weights of one and biases of zero.</summary>
    /// <param name="shape">Channels and size of images, or the number of features, such as a Linear layer gives.</param>
    /// <param name="epsilon">Added to the variance, so that a sample of one value divides by something.</param>
    /// <exception cref="ArgumentException">A shape without numbers, or an epsilon that is not above 0.</exception>
    public LayerNorm(ImageShape shape, double epsilon = 1e-5)
    {
        if (shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"LayerNorm needs sizes of at least 1, not {shape}");
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
            throw new ArgumentException(FormattableString.Invariant($"LayerNorm needs epsilon > 0, not {epsilon}"));
        (Shape, Epsilon) = (shape, epsilon);
        ReadOnlySpan<nint> lengths = shape.IsFlat ? [shape.Channels] : [shape.Channels, shape.Height, shape.Width];
        (Weight, Bias) = (new(this, "weight", lengths), new(this, "bias", lengths));
        Parameters = [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>Of x and y.</summary>
    public ImageShape Shape { get; }

    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>[C, H, W], or [features]. Elementwise scale, named as in PyTorch.</summary>
    public Parameter Weight { get; }

    /// <summary>[C, H, W], or [features].</summary>
    public Parameter Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input != Shape)
            Refuse($"takes {(Shape.IsFlat ? "" : "images of ")}{Shape}, not {input}");
        return input;
    }

    /// <summary>“LayerNorm(8×28×28)”, “LayerNorm(128)”.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"LayerNorm({(Shape.IsFlat ? $"{Shape.Channels}" : $"{Shape}")}{(Epsilon == 1e-5 ? "" : $", epsilon {Epsilon}")})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("shape", Shape.ToJson()), ("epsilon", Epsilon)];

    internal override void Initialize(TorchGenerator generator)
    {
        Init.Constant(Weight, 1);
        Init.Constant(Bias, 0);
    }

    int Pixels => Shape.Height * Shape.Width;

    internal override unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), bias = Bias.ValueAs<T>())
            new ImageNorm<T>(1, Pixels, weight).Forward(x, y, bias, Epsilon, context.State<ImageNormBuffers<T>>());
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), dweight = Weight.GradientAs<T>(), dbias = Bias.GradientAs<T>())
        {
            ImageNorm<T>.PixelGradients(x, dy, Weight.Trainable ? dweight : null, Bias.Trainable ? dbias : null, context.State<ImageNormBuffers<T>>());
            if (dx is not null)
                new ImageNorm<T>(1, Pixels, weight).Backward(x, dy, dx, context.State<ImageNormBuffers<T>>());
        }
    }
}
