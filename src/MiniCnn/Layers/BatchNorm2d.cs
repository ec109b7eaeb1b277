namespace MiniCnn;

/// <summary>Batch normalization of each channel of images [N, C, H, W]. <see cref="BatchNorm"/> has the formula.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html.</remarks>
public sealed class BatchNorm2d : BatchNorm
{
    /// <summary>Creates a batch norm of images. Weights and running variances are 1; biases and running means are 0.</summary>
    /// <param name="channels">Number of channels of x and y.</param>
    /// <param name="epsilon">Number added to the variance. It prevents a division by zero where all values of a channel are equal.</param>
    /// <param name="momentum">Weight of the batch statistics in the update of the running statistics.</param>
    /// <exception cref="ArgumentException">channels is below 1, epsilon is not positive and finite, or momentum is outside [0, 1].</exception>
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
