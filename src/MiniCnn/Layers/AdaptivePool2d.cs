using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Base class of pooling layers with a given output size, [N, C, H, W] → [N, C, outH, outW]. Output row oy uses the input rows
/// ⌊oy·H/outH⌋ to ⌈(oy + 1)·H/outH⌉ − 1. The columns are computed in the same way.
/// </summary>
/// <remarks>With an output size of 1 the window is the whole image (global pooling).</remarks>
public abstract class AdaptivePool2d : Layer
{
    private protected AdaptivePool2d(Size2d outputSize)
    {
        if (outputSize.Height < 1 || outputSize.Width < 1)
            throw new ArgumentException($"an output of {outputSize} has no pixels; both sizes must be at least 1");
        OutputSize = outputSize;
    }

    /// <summary>Rows and columns of y.</summary>
    public Size2d OutputSize { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        RequireImage(input);
        return Output(input.Channels, OutputSize.Height, OutputSize.Width);
    }

    /// <summary>“AdaptiveAvgPool2d(1×1)”.</summary>
    public override string ToString() => $"{GetType().Name}({OutputSize})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("outputSize", OutputSize.ToJson())];
}
