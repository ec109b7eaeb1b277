namespace MiniCnn;

/// <summary>
/// A convolution fused with its ReLU and, optionally, a 2×2 max pool. The intermediate results are never stored. The output is bit-identical to that of
/// separate layers.
/// </summary>
sealed class FusedConv2d(Conv2d conv, MaxPool2d? pool, int index) : Step(conv, index)
{
    readonly Conv2d conv = conv;

    public override ImageShape OutputShape(ImageShape input)
    {
        ImageShape shape = conv.OutputShape(input);
        return pool is null ? shape : pool.OutputShape(shape);
    }

    public override Padding GradientMargin(ImageShape input) => default;

    public override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        LaneTensor<T>? argMax = pool is not null && context.Differentiable ? context.State<LaneBuffer<T>>().Take(y, y.Shape) : null;
        conv.Forward(x, y, context.Child(0), new() { Relu = true, Pooled = pool is not null, ArgMax = argMax });
    }

    public override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        LayerContext<T> inner = context.Child(0);
        LaneTensor<T> sums = inner.Dy.Take(dy, conv.OutputShape(x.Shape), dx is null ? default : conv.GradientMargin(x.Shape));
        if (pool is null)
            Elementwise.Backward(sums, y, dy, sums, default(ReLU.Curve<T>));
        else
            MaxOf2x2.Backward(dy, context.State<LaneBuffer<T>>().Kept, y, sums);
        conv.Backward(x, sums, sums, dx, inner);
    }
}
