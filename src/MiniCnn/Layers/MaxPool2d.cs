using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// Max pooling: y[c,oy,ox] = maximum of x[c,iy,ix] over the window. The gradient goes to the largest pixel, or to the first of several equal ones.
/// </summary>
/// <remarks>
/// Padding pixels are −∞. If the window has a NaN, y is NaN and the gradient goes to the last NaN.
/// The number of output rows is ⌊(H + top + bottom − dilation·(kernel − 1) − 1) / stride⌋ + 1; columns are computed in the same way. With ceilMode it is
/// rounded up instead, and a last window that would begin in the padding after the image is dropped. The output of a window without image pixels is −∞.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html.
/// </remarks>
public sealed class MaxPool2d : WindowLayer
{
    /// <summary>Creates a max pooling layer. An int is used for both axes, a tuple for (height, width).</summary>
    /// <param name="kernelSize">Rows and columns of the window, without dilation.</param>
    /// <param name="stride">Pixels from one window to the next. The default is the kernel size.</param>
    /// <param name="padding">Pixels of −∞ added around x, at most half the kernel size on each side.</param>
    /// <param name="dilation">Pixels from one element of the window to the next. The default is 1.</param>
    /// <param name="ceilMode">Whether the number of outputs is rounded up.</param>
    /// <exception cref="ArgumentException">A size is below 1, the padding is negative, or the padding is larger than half the kernel.</exception>
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

    /// <summary>Whether the windows are 2×2 with stride 2, the most common case.</summary>
    internal bool Is2x2 => KernelSize == 2 && Stride == 2 && Dilation == 1 && Padding == default;

    /// <summary>Throws if a window has more than 2²⁴ pixels: the index of the largest pixel is stored as a float, which is exact up to 2²⁴.</summary>
    internal static void CheckTaps(Layer layer, long taps)
    {
        if (taps > 1 << 24)
            layer.Refuse($"a window can have at most {1 << 24} pixels, not {taps}; pool in two steps");
    }

    /// <summary>Whether the windows are 2×2 with stride 2 and all of them lie inside the image.</summary>
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
