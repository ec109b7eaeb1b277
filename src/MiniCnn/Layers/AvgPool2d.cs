using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>Average pooling: y[c,oy,ox] = Σ x[c,iy,ix] / n over the window of n pixels. Each pixel of the window receives the gradient dy / n.</summary>
/// <remarks>
/// With ceilMode the number of outputs is rounded up, with the formula of <see cref="MaxPool2d"/>. The part of a window beyond the padding
/// is not counted in n.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.
/// </remarks>
public sealed class AvgPool2d : WindowLayer
{
    /// <summary>Creates an average pooling layer. An int is used for both axes, a tuple for (height, width).</summary>
    /// <param name="kernelSize">Rows and columns of the window.</param>
    /// <param name="stride">Pixels from one window to the next. The default is the kernel size.</param>
    /// <param name="padding">Zeros added around x, at most half the kernel size on each side.</param>
    /// <param name="countIncludePad">Whether the zeros of the padding are counted in the mean.</param>
    /// <param name="ceilMode">Whether the number of outputs is rounded up.</param>
    /// <exception cref="ArgumentException">A size is below 1, the padding is negative, or the padding is larger than half the kernel.</exception>
    public AvgPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, bool countIncludePad = true, bool ceilMode = false)
        : base(new(kernelSize, stride ?? kernelSize, padding) { CeilMode = ceilMode })
    {
        Window.RequirePoolPadding();
        CountIncludePad = countIncludePad;
    }

    /// <summary>Whether the zeros of the padding are counted in the mean.</summary>
    public bool CountIncludePad { get; }

    /// <summary>Whether the number of outputs is rounded up.</summary>
    public bool CeilMode => Window.CeilMode;

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => Slide(Window, input, input.Channels);

    /// <summary>“AvgPool2d(2×2, stride 2)”.</summary>
    public override string ToString() => $"AvgPool2d({Window}{(CountIncludePad ? "" : ", padding not counted")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("kernelSize", KernelSize.ToJson()), ("stride", Stride.ToJson()), ("padding", Padding.ToJson()), ("countIncludePad", CountIncludePad),
        ("ceilMode", CeilMode),
    ];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        SlidingWindow.Forward(Window, x, y, null, new AvgPool<T>(Divisor));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            SlidingWindow.Backward(Window, dy, null, dx, new AvgPoolGradient<T>(Divisor));
    }

    Divisor Divisor => CountIncludePad ? Divisor.PaddedPixels : Divisor.Pixels;
}
