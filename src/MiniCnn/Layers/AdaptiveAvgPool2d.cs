namespace MiniCnn;

/// <summary>
/// Average pooling to a given output size: y[c,oy,ox] = mean of x[c,iy,ix] over a window that is computed from the input and output sizes.
/// <see cref="AdaptivePool2d"/> has the formula.
/// </summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html.</remarks>
/// <param name="outputSize">Rows and columns of y. An int is used for both.</param>
/// <exception cref="ArgumentException">A size is below 1.</exception>
public sealed class AdaptiveAvgPool2d(Size2d outputSize) : AdaptivePool2d(outputSize)
{
    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        AdaptiveWindow.Forward(x, y, null, new AvgPool<T>(Divisor.Pixels));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            AdaptiveWindow.Backward(dy, null, dx, new AvgPoolGradient<T>(Divisor.Pixels));
    }
}
