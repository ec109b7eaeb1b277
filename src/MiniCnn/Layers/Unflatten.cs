using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Reshapes features to images, [N, C·H·W] → [N, C, H, W], in row-major order: y[c,h,w] = x[(c·H + h)·W + w]. The inverse of <see cref="Flatten"/>.
/// </summary>
/// <remarks>Corresponds to PyTorch's Unflatten(1, (C, H, W)). Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Unflatten.html.</remarks>
public sealed class Unflatten : Layer
{
    /// <summary>Creates a reshaping layer. For example, new Unflatten(new(8, 4, 6)) reshapes 192 features to images of 8×4×6.</summary>
    /// <param name="shape">Channels, height and width of one output image.</param>
    /// <exception cref="ArgumentException">The shape is a number of features, a size is below 1, or there are more elements than an array can hold.</exception>
    public Unflatten(ImageShape shape)
    {
        if (shape.IsFlat || shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"Unflatten needs the channels, height and width of an image, each at least 1, not {shape}");
        if ((double)shape.Channels * shape.Height * shape.Width > Array.MaxLength)
            throw new ArgumentException($"Unflatten: {shape} has more elements than an array can hold");
        Shape = shape;
    }

    /// <summary>Shape of one output image.</summary>
    public ImageShape Shape { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (!input.IsFlat)
            Refuse($"takes {Shape.Length} features, not images of {input}; put a Flatten() before it");
        if (input.Channels != Shape.Length)
            Refuse($"takes {Shape.Length} features, not {input.Channels}");
        return Shape;
    }

    /// <summary>“Unflatten(8×4×6)”.</summary>
    public override string ToString() => $"Unflatten({Shape})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("shape", Shape.ToJson())];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Flatten.Copy(y, x, toFlat: false);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            Flatten.Copy(dy, dx, toFlat: true);
    }
}
