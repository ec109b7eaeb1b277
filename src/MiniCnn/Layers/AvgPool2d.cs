using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[c,oy,ox] = the mean of x[c,iy,ix] under the window; each pixel gets its share of the gradient.</summary>
/// <remarks>
/// The padding's zeros count in the mean unless countIncludePad is false. The stride defaults to the kernel size. With ceilMode the number of outputs is
/// rounded up, as <see cref="MaxPool2d"/> says; a window that reaches beyond the padding is divided by the pixels of the image, and of the padding if it counts.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.
/// </remarks>
public sealed class AvgPool2d : WindowLayer
{
    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">Sizes below 1, or a padding of more than half the kernel.</exception>
    public AvgPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, bool countIncludePad = true, bool ceilMode = false)
        : base(new(kernelSize, stride ?? kernelSize, padding) { CeilMode = ceilMode })
    {
        Window.RequirePoolPadding();
        CountIncludePad = countIncludePad;
    }

    /// <summary>Whether the padding's zeros count in the mean.</summary>
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
