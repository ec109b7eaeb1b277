using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// x with pixels added around it, [N, C, H, W] → [N, C, H + top + bottom, W + left + right]: zeros, or what another
/// <see cref="MiniCnn.PaddingMode"/> says. With zeros, negative numbers crop: new Pad2d(new Padding(1, -2, 0, 0)) adds a row above and removes two columns
/// on the left.
/// </summary>
/// <remarks>
/// The gradient of a pixel is its own and those of its copies in the padding; that of a pixel that was cropped is 0. PyTorch's ZeroPad2d,
/// ReflectionPad2d, ReplicationPad2d and CircularPad2d. Modes other than zeros take no negative numbers here.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html.
/// </remarks>
public sealed class Pad2d : Layer
{
    readonly Window2d window;                                                  // of one pixel

    /// <summary>An int stands for all sides, a tuple for (top and bottom, left and right).</summary>
    /// <param name="padding">Pixels to add on each side. A negative number removes pixels; zeros only.</param>
    /// <param name="paddingMode">What stands in the padding.</param>
    /// <exception cref="ArgumentException">A mode that does not exist, or a negative number where the mode is not zeros.</exception>
    public Pad2d(Padding padding, PaddingMode paddingMode = PaddingMode.Zeros)
    {
        if (!padding.Covers(0) && paddingMode != PaddingMode.Zeros)
        {
            throw new ArgumentException(
                $"{paddingMode} padding must be at least 0 on every side, not {padding}; another Pad2d, of zeros, crops before or after it");
        }
        window = new(1, paddingMode: paddingMode) { Padding = padding };
    }

    /// <summary>Pixels added on each side; a negative number: pixels removed.</summary>
    public Padding Padding => window.Padding;

    /// <summary>What stands in the padding.</summary>
    public PaddingMode PaddingMode => window.PaddingMode;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        (int top, int left, int bottom, int right) = Padding;
        if (!input.IsFlat && (Left(input.Height, top, bottom) < 1 || Left(input.Width, left, right) < 1))
            Refuse($"takes more pixels away than {input} has; at least 1×1 must stay");
        return Slide(window, input, input.Channels);

        static long Left(int size, int before, int after) => (long)size + Math.Min(before, 0) + Math.Min(after, 0);
    }

    /// <summary>“Pad2d(1)”, “Pad2d(top 1, left -2, bottom 0, right 0)”, “Pad2d(2, Reflect)”.</summary>
    public override string ToString() => $"Pad2d({Padding}{(PaddingMode == PaddingMode.Zeros ? "" : $", {PaddingMode}")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("padding", Padding.ToJson()), ("paddingMode", $"{PaddingMode}")];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => PadLanes.Forward(window, x, y);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            PadLanes.Backward(window, dy, dx);
    }
}
