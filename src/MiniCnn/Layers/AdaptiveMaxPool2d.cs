namespace MiniCnn;

/// <summary>
/// y[c,oy,ox] = the largest x[c,iy,ix] of a window that follows from the sizes, as <see cref="AdaptivePool2d"/> says; the gradient goes to that one
/// pixel, of equal ones to the first.
/// </summary>
/// <remarks>
/// A NaN in the window makes y NaN, and the gradient is the last NaN's.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html.
/// </remarks>
/// <param name="outputSize">Rows and columns of y; an int stands for both.</param>
/// <exception cref="ArgumentException">A size below 1.</exception>
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
