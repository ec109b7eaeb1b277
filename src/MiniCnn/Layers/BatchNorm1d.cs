namespace MiniCnn;

/// <summary>A <see cref="BatchNorm"/>, which has the formula, over each feature of [N, C], such as a <see cref="Linear"/> gives.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html.</remarks>
public sealed class BatchNorm1d : BatchNorm
{
    /// <summary>Weights of one, biases of zero, running means of zero and variances of one.</summary>
    /// <param name="channels">Features of x and y.</param>
    /// <param name="epsilon">Added to the variance, so that a feature of one value divides by something.</param>
    /// <param name="momentum">The new value's share in a running one.</param>
    /// <exception cref="ArgumentException">No features, an epsilon that is not above 0, or a momentum outside [0, 1].</exception>
    public BatchNorm1d(int channels, double epsilon = 1e-5, double momentum = 0.1)
        : base(channels, epsilon, momentum)
    {
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (!input.IsFlat)
            Refuse($"takes {Channels} features, not images of {input}; BatchNorm2d takes images");
        if (input.Channels != Channels)
            Refuse($"takes {Channels} features, not {input.Channels}");
        return input;
    }
}
