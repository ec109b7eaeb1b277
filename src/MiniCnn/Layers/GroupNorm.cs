using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Group normalization: y = x̂ · weight[c] + bias[c] with x̂ = (x − mean) / √(variance + epsilon). Mean and biased variance are those of one group of
/// channels of one image. The result does not depend on the batch or on the training mode.
/// </summary>
/// <remarks>
/// <code>
/// dbias[c] = Σ dy,  dweight[c] = Σ dy·x̂,  dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon),  dx̂ = dy · weight[c]
/// </code>
/// The sums are over channel c of all images; Mean is over one group of channels of one image.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html; Wu and He, 2018.
/// </remarks>
public sealed class GroupNorm : Layer
{
    /// <summary>Creates a group norm. Weights are 1 and biases are 0.</summary>
    /// <param name="groups">Number of groups of consecutive channels: 1 for one group of all channels, equal to channels for separate channels.</param>
    /// <param name="channels">Number of channels of x and y, divisible by groups.</param>
    /// <param name="epsilon">Number added to the variance. It prevents a division by zero where all values of a group are equal.</param>
    /// <exception cref="ArgumentException">channels or groups is below 1, groups does not divide channels, or epsilon is not positive and finite.</exception>
    public GroupNorm(int groups, int channels, double epsilon = 1e-5)
    {
        if (groups < 1 || channels < 1 || channels % groups != 0)
            throw new ArgumentException($"GroupNorm needs a number of channels divisible by its groups, not {channels} channels and {groups} groups");
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
            throw new ArgumentException(FormattableString.Invariant($"GroupNorm needs epsilon > 0, not {epsilon}"));
        (Groups, Channels, Epsilon) = (groups, channels, epsilon);
        (Weight, Bias) = (new(this, "weight", channels), new(this, "bias", channels));
        Parameters = [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>Number of groups of consecutive channels.</summary>
    public int Groups { get; }

    /// <summary>Number of channels of x and y.</summary>
    public int Channels { get; }

    /// <summary>Number added to the variance for numerical stability.</summary>
    public double Epsilon { get; }

    /// <summary>[C]. Per-channel scale, named as in PyTorch.</summary>
    public Parameter Weight { get; }

    /// <summary>[C]. Per-channel offset.</summary>
    public Parameter Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.Channels != Channels)
            Refuse($"takes {Channels} channels, not {input}");
        return input;
    }

    /// <summary>“GroupNorm(4, 32)”.</summary>
    public override string ToString() => FormattableString.Invariant($"GroupNorm({Groups}, {Channels}{(Epsilon == 1e-5 ? "" : $", epsilon {Epsilon}")})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("groups", Groups), ("channels", Channels), ("epsilon", Epsilon)];

    internal override void Initialize(TorchGenerator generator)
    {
        Init.Constant(Weight, 1);
        Init.Constant(Bias, 0);
    }

    internal override unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), bias = Bias.ValueAs<T>())
            new ImageNorm<T>(Groups, 1, weight).Forward(x, y, bias, Epsilon, context.State<ImageNormBuffers<T>>());
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        fixed (T* weight = Weight.ValueAs<T>(), dweight = Weight.GradientAs<T>(), dbias = Bias.GradientAs<T>())
        {
            ImageNorm<T> norm = new(Groups, 1, weight);
            norm.ChannelGradients(x, dy, Weight.Trainable ? dweight : null, Bias.Trainable ? dbias : null, context.State<ImageNormBuffers<T>>());
            if (dx is not null)
                norm.Backward(x, dy, dx, context.State<ImageNormBuffers<T>>());
        }
    }
}
