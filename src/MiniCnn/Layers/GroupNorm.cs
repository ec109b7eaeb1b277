using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y = x̂ · weight[c] + bias[c] with x̂ = (x − mean) / √(variance + epsilon), mean and biased variance those of a group of channels of one image:
/// the same in training and after it, and for a batch of one.
/// </summary>
/// <remarks>
/// <code>
/// dbias[c] = Σ dy,  dweight[c] = Σ dy·x̂,  dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon),  dx̂ = dy · weight[c]
/// </code>
/// where the sums go over a channel of all images, and a Mean over a group of channels of one. Source:
/// https://docs.pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html; Wu and He, 2018.
/// </remarks>
public sealed class GroupNorm : Layer
{
    /// <summary>Weights of one and biases of zero.</summary>
    /// <param name="groups">Groups of neighbouring channels: 1 for all channels together, as many as channels for each by itself.</param>
    /// <param name="channels">Channels of x and y, a multiple of the groups.</param>
    /// <param name="epsilon">Added to the variance, so that a group of one value divides by something.</param>
    /// <exception cref="ArgumentException">No channels, groups that do not divide them, or an epsilon that is not above 0.</exception>
    public GroupNorm(int groups, int channels, double epsilon = 1e-5)
    {
        if (groups < 1 || channels < 1 || channels % groups != 0)
            throw new ArgumentException($"GroupNorm needs groups that divide its channels, not {groups} groups of {channels} channels");
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
            throw new ArgumentException(FormattableString.Invariant($"GroupNorm needs epsilon > 0, not {epsilon}"));
        (Groups, Channels, Epsilon) = (groups, channels, epsilon);
        (Weight, Bias) = (new(this, "weight", channels), new(this, "bias", channels));
        Parameters = [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>Groups of neighbouring channels.</summary>
    public int Groups { get; }

    /// <summary>Channels of x and y.</summary>
    public int Channels { get; }

    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>[C]. Per-channel scale, named as in PyTorch.</summary>
    public Parameter Weight { get; }

    /// <summary>[C].</summary>
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
