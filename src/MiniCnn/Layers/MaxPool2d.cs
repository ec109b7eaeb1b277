using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[c,oy,ox] = the largest x[c,iy,ix] under the window; the gradient goes to that one pixel, of equal ones to the first.</summary>
/// <remarks>
/// Padding is −∞: it never wins. A NaN under the window makes y NaN, and the gradient is the last NaN's. The stride defaults to the kernel size.
/// With ceilMode the number of outputs is ⌈(H + padding − dilation·(kernel − 1) − 1) / stride⌉ + 1, less a window that would begin in the padding after
/// the image. A window whose taps all fall beside the image is −∞.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html.
/// </remarks>
public sealed class MaxPool2d : WindowLayer
{
    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">Sizes below 1, or a padding of more than half the kernel.</exception>
    public MaxPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, Size2d? dilation = null, bool ceilMode = false)
        : base(new(kernelSize, stride ?? kernelSize, padding, dilation) { CeilMode = ceilMode }) => Window.RequirePoolPadding();

    /// <summary>Whether the number of outputs is rounded up.</summary>
    public bool CeilMode => Window.CeilMode;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        CheckTaps(this, Window.Taps);
        return Slide(Window, input, input.Channels);
    }

    /// <summary>“MaxPool2d(2×2, stride 2)”.</summary>
    public override string ToString() => $"MaxPool2d({Window})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("kernelSize", KernelSize.ToJson()), ("stride", Stride.ToJson()), ("padding", Padding.ToJson()), ("dilation", Dilation.ToJson()),
        ("ceilMode", CeilMode),
    ];

    /// <summary>Whether the windows are 2×2 side by side, as most networks have them.</summary>
    internal bool Is2x2 => KernelSize == 2 && Stride == 2 && Dilation == 1 && Padding == default;

    /// <summary>Refuses windows of which a float, as which the place of the largest pixel is kept, cannot count the pixels.</summary>
    internal static void CheckTaps(Layer layer, long taps)
    {
        if (taps > 1 << 24)
            layer.Refuse($"takes the largest of up to {1 << 24} pixels, not of {taps}; pool in two steps");
    }

    /// <summary>Whether rounding up changes nothing, or is not asked for.</summary>
    bool IsPlain2x2(ImageShape input) => Is2x2 && (!CeilMode || input.Height % 2 == 0 && input.Width % 2 == 0);

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        LaneTensor<T> argMax = context.State<LaneBuffer<T>>().Take(y, y.Shape);
        if (IsPlain2x2(x.Shape))
            MaxOf2x2.Forward(x, y, argMax);
        else
            SlidingWindow.Forward(Window, x, y, argMax, default(MaxPool<T>));
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is null)
            return;
        if (IsPlain2x2(x.Shape))
            MaxOf2x2.Backward(dy, context.State<LaneBuffer<T>>().Kept, null, dx);
        else
            SlidingWindow.Backward(Window, dy, context.State<LaneBuffer<T>>().Kept, dx, default(MaxPoolGradient<T>));
    }
}
