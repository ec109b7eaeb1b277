namespace MiniCnn;

/// <summary>
/// A convolution, its ReLU and perhaps a 2×2 max pool, run as one: what lies between them is never stored. The same numbers to the bit.
/// </summary>
/// <remarks>A step of <see cref="Sequential"/>, never a layer of a model.</remarks>
sealed class FusedConv2d(Conv2d conv, ReLU relu, MaxPool2d? pool) : Layer
{
    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape shape = relu.OutputShape(conv.OutputShape(input));
        return pool is null ? shape : pool.OutputShape(shape);
    }

    internal override Padding InputMargin(ImageShape input) => conv.InputMargin(input);

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        LaneTensor<T>? argMax = pool is not null && context.Training ? context.Buffer(0, y, y.Shape) : null;
        conv.Forward(x, y, context.Child(0), new() { Relu = true, Pooled = pool is not null, ArgMax = argMax });
    }

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        LaneTensor<T> sums = context.Buffer(1, dy, conv.OutputShape(x.Shape), dx is null ? default : conv.GradientMargin(x.Shape));
        if (pool is null)
            relu.Backward(sums, y, dy, sums, context);
        else
            MaxOf2x2.Backward(dy, context.Kept(0), y, sums);
        conv.Backward(x, sums, sums, dx, context.Child(0));
    }
}
