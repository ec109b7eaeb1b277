namespace MiniCnn;

/// <summary>The shape of one image inside a model: channels × height × width, without the batch.</summary>
/// <remarks>
/// What a Flatten layer and a Linear layer give is <em>flat</em>: features × 1 × 1, and a tensor [N, features] at the API.
/// Everything else is a tensor [N, C, H, W].
/// </remarks>
/// <param name="Channels">Number of channels, or of features.</param>
/// <param name="Height">Rows in pixels.</param>
/// <param name="Width">Columns in pixels.</param>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>A vector of features: features × 1 × 1, [N, features] at the API.</summary>
    public static ImageShape Features(int count) => new(count, 1, 1) { IsFlat = true };

    /// <summary>A number of features.</summary>
    public static implicit operator ImageShape(int features) => Features(features);

    /// <summary>Whether a batch of these is [N, features] at the API, not [N, C, H, W].</summary>
    public bool IsFlat { get; init; }

    /// <summary>Numbers in one image.</summary>
    public long Length => (long)Channels * Height * Width;

    /// <summary>“3×28×28”, or “10 features”.</summary>
    public override string ToString() => IsFlat ? $"{Channels} features" : $"{Channels}×{Height}×{Width}";
}
