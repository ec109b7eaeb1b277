namespace MiniCnn;

/// <summary>Batch normalization of each feature of [N, C], such as the output of <see cref="Linear"/>. <see cref="BatchNorm"/> has the formula.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html.</remarks>
public sealed class BatchNorm1d : BatchNorm
{
    /// <summary>Creates a batch norm of features. Weights and running variances are 1; biases and running means are 0.</summary>
    /// <param name="channels">Number of features of x and y.</param>
    /// <param name="epsilon">Number added to the variance. It prevents a division by zero where all values of a feature are equal.</param>
    /// <param name="momentum">Weight of the batch statistics in the update of the running statistics.</param>
    /// <exception cref="ArgumentException">channels is below 1, epsilon is not positive and finite, or momentum is outside [0, 1].</exception>
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
