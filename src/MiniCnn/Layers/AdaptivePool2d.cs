using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// A pool whose windows follow from the sizes, [N, C, H, W] → [N, C, outH, outW]: of H rows, output row oy takes ⌊oy·H/outH⌋ to ⌈(oy + 1)·H/outH⌉ − 1, and columns in the same way.
/// With an output of 1 the window is the whole plane: global pooling.
/// </summary>
public abstract class AdaptivePool2d : Layer
{
    private protected AdaptivePool2d(Size2d outputSize)
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
        if ((double)input.Channels * OutputSize.Height * OutputSize.Width > Array.MaxLength)
            Refuse($"an output of {input.Channels}×{OutputSize} has more numbers than an array holds");
        return new(input.Channels, OutputSize.Height, OutputSize.Width);
    }

    /// <summary>“AdaptiveAvgPool2d(1×1)”.</summary>
    public override string ToString() => $"{GetType().Name}({OutputSize})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("outputSize", OutputSize.ToJson())];
}
