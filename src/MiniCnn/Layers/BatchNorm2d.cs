namespace MiniCnn;

/// <summary>A <see cref="BatchNorm"/>, which has the formula, over each channel of images [N, C, H, W].</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html.</remarks>
public sealed class BatchNorm2d : BatchNorm
{
    /// <summary>Weights of one, biases of zero, running means of zero and variances of one.</summary>
    /// <param name="channels">Channels of x and y.</param>
    /// <param name="epsilon">Added to the variance, so that a channel of one value divides by something.</param>
    /// <param name="momentum">The new value's share in a running one.</param>
    /// <exception cref="ArgumentException">No channels, an epsilon that is not above 0, or a momentum outside [0, 1].</exception>
    public BatchNorm2d(int channels, double epsilon = 1e-5, double momentum = 0.1)
        : base(channels, epsilon, momentum)
    {
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.IsFlat || input.Channels != Channels)
            Refuse($"takes images of {Channels} channels, not {input}{(input.IsFlat ? "; BatchNorm1d takes features" : "")}");
        return input;
    }
}
