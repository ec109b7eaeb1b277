using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y[c,oy,ox] = the mean of x[c,iy,ix] over a window that follows from the sizes: of H rows, output row oy takes ⌊oy·H/outH⌋ to
/// ⌈(oy + 1)·H/outH⌉ − 1. With an output of 1 it is the mean of the whole plane: global average pooling.
/// </summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html.</remarks>
public sealed class AdaptiveAvgPool2d : Layer
{
    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">A size below 1.</exception>
    public AdaptiveAvgPool2d(Size2d outputSize)
    {
        if (outputSize.Height < 1 || outputSize.Width < 1)
            throw new ArgumentException($"an output of {outputSize} has no pixels; sizes must be at least 1");
        OutputSize = outputSize;
    }

    /// <summary>Rows and columns of y.</summary>
    public Size2d OutputSize { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.IsFlat)
            Refuse($"takes images, not {input}");
        if ((long)input.Channels * OutputSize.Height * OutputSize.Width > Array.MaxLength)
            Refuse($"an output of {input.Channels}×{OutputSize} has more numbers than an array holds");
        return new(input.Channels, OutputSize.Height, OutputSize.Width);
    }

    /// <summary>“AdaptiveAvgPool2d(1×1)”.</summary>
    public override string ToString() => $"AdaptiveAvgPool2d({OutputSize})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("outputSize", OutputSize.ToJson())];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => AdaptiveAvgPool.Forward(x, y);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            AdaptiveAvgPool.Backward(dy, dx);
    }
}
