using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Adds pixels around each image, [N, C, H, W] → [N, C, H + top + bottom, W + left + right]. They are zeros, or as another
/// <see cref="MiniCnn.PaddingMode"/> defines them. With zeros, negative numbers crop: new Pad2d(new Padding(1, -2, 0, 0)) adds a row at the top and removes
/// two columns at the left.
/// </summary>
/// <remarks>
/// The gradient of a pixel is the sum of dy at its position in y and at its copies in the padding; the gradient of a cropped pixel is 0. Corresponds to
/// PyTorch's ZeroPad2d, ReflectionPad2d, ReplicationPad2d and CircularPad2d. Only the zeros mode accepts negative numbers.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html.
/// </remarks>
public sealed class Pad2d : Layer
{
    readonly Window2d window;                                                  // a 1×1 kernel; only its padding is used

    /// <summary>Creates a padding layer. An int is used for all sides, a tuple for (top and bottom, left and right).</summary>
    /// <param name="padding">Pixels to add on each side. A negative number removes pixels; it requires the zeros mode.</param>
    /// <param name="paddingMode">Values of the padding pixels.</param>
    /// <exception cref="ArgumentException">The mode does not exist, or a number is negative and the mode is not zeros.</exception>
    public Pad2d(Padding padding, PaddingMode paddingMode = PaddingMode.Zeros)
    {
        if (!padding.Covers(0) && paddingMode != PaddingMode.Zeros)
        {
            throw new ArgumentException(
                $"{paddingMode} padding must be at least 0 on every side, not {padding}; to crop, use a second Pad2d with PaddingMode.Zeros");
        }
        window = new(1, paddingMode: paddingMode) { Padding = padding };
    }

    /// <summary>Pixels added on each side. A negative number removes pixels.</summary>
    public Padding Padding => window.Padding;

    /// <summary>Values of the padding pixels.</summary>
    public PaddingMode PaddingMode => window.PaddingMode;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        (int top, int left, int bottom, int right) = Padding;
        if (!input.IsFlat && (Left(input.Height, top, bottom) < 1 || Left(input.Width, left, right) < 1))
            Refuse($"crops all pixels of {input}; at least 1×1 must remain");
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
