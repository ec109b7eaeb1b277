using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>y[c,oy,ox] = the mean of x[c,iy,ix] under the window; each pixel gets its share of the gradient.</summary>
/// <remarks>
/// The padding's zeros count in the mean unless countIncludePad is false. The stride defaults to the kernel size.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html.
/// </remarks>
public sealed class AvgPool2d : Layer
{
    readonly Window2d window;
    readonly bool countIncludePad;

    /// <summary>An int stands for both axes.</summary>
    /// <exception cref="ArgumentException">Sizes below 1, or a padding of more than half the kernel.</exception>
    public AvgPool2d(Size2d kernelSize, Size2d? stride = null, Padding padding = default, bool countIncludePad = true)
    {
        (window, this.countIncludePad) = (new(kernelSize, stride ?? kernelSize, padding), countIncludePad);
        window.RequirePoolPadding();
    }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => Slide(window, input, input.Channels);

    /// <summary>“AvgPool2d(2×2, stride 2)”.</summary>
    public override string ToString() => $"AvgPool2d({window}{(countIncludePad ? "" : ", padding not counted")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("kernelSize", window.KernelSize.ToJson()), ("stride", window.Stride.ToJson()), ("padding", window.Padding.ToJson()),
        ("countIncludePad", countIncludePad),
    ];

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => AvgPool.Forward(window, Divisor, x, y);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            AvgPool.Backward(window, Divisor, dy, dx);
    }

    /// <summary>What a sum is divided by; 0 for the number of pixels in it.</summary>
    int Divisor => countIncludePad ? window.Taps : 0;
}
