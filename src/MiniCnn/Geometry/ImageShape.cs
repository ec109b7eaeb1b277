namespace MiniCnn;

/// <summary>The shape of one image inside a model: channels × height × width, without the batch.</summary>
/// <remarks>
/// The output of a Flatten or Linear layer is <em>flat</em>: its shape is features × 1 × 1, and a batch is a tensor [N, features] in the public API.
/// A batch of any other shape is a tensor [N, C, H, W].
/// </remarks>
/// <param name="Channels">Number of channels; number of features if the shape is flat.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Width">Width in pixels.</param>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Returns a flat shape, features × 1 × 1.</summary>
    /// <param name="count">Number of features.</param>
    public static ImageShape Features(int count) => new(count, 1, 1) { IsFlat = true };

    /// <summary>Converts a number of features to a flat shape.</summary>
    /// <param name="features">Number of features.</param>
    public static implicit operator ImageShape(int features) => Features(features);

    /// <summary>Whether a batch of this shape is a tensor [N, features] rather than [N, C, H, W].</summary>
    public bool IsFlat { get; init; }

    /// <summary>Number of elements of one image, channels·height·width.</summary>
    public long Length => (long)Channels * Height * Width;

    /// <summary>Returns for example “3×28×28”, or “10 features” if the shape is flat.</summary>
    public override string ToString() => IsFlat ? $"{Channels} features" : $"{Channels}×{Height}×{Width}";
}
