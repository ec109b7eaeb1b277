namespace MiniCnn;

/// <summary>
/// Max pooling to a given output size: y[c,oy,ox] = maximum of x[c,iy,ix] over a window that is computed from the input and output sizes.
/// <see cref="AdaptivePool2d"/> has the formula. The gradient goes to the largest pixel, or to the first of several equal ones.
/// </summary>
/// <remarks>
/// If the window has a NaN, y is NaN and the gradient goes to the last NaN.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html.
/// </remarks>
/// <param name="outputSize">Rows and columns of y. An int is used for both.</param>
/// <exception cref="ArgumentException">A size is below 1.</exception>
public sealed class AdaptiveMaxPool2d(Size2d outputSize) : AdaptivePool2d(outputSize)
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape output = base.OutputShape(input);
        MaxPool2d.CheckTaps(this, Largest(input.Height, output.Height) * Largest(input.Width, output.Width));
        return output;

        static long Largest(int size, int outputs) => (size + outputs - 1L) / outputs + (size % outputs == 0 ? 0 : 1);
    }

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        AdaptiveWindow.Forward(x, y, context.State<LaneBuffer<T>>().Take(y, y.Shape), default(MaxPool<T>));

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            AdaptiveWindow.Backward(dy, context.State<LaneBuffer<T>>().Kept, dx, default(MaxPoolGradient<T>));
    }
}
