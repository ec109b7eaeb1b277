using System.Numerics.Tensors;

namespace MiniCnn.Benchmarks;

/// <summary>The passes of a convolution: on lane tensors, as inside a model, and on NCHW tensors, as a caller runs them.</summary>
static class ConvWork
{
    public const string Forward = "forward", BackwardData = "backward-data", BackwardWeights = "backward-weights";
    public const string FromForward = "NCHW forward", FromBackward = "NCHW backward";

    /// <summary>Returns the figures of a shape.</summary>
    public static Group Group(ConvShape shape)
    {
        Figure Pass(string pass) => new(shape.Name, pass, Layout.Nchw) { Flops = shape.Flops };
        Figure Whole(string pass) => new(shape.Name, pass, Layout.Nchw, Layout.Nhwc);
        return new(
            shape.Name,
            [Pass(Forward), Pass(BackwardData), Pass(BackwardWeights), Whole(FromForward), Whole(FromBackward)],
            figure => figure.Pass is FromForward or FromBackward ? FromNchw(shape, figure.Pass) : OverLanes(shape, figure.Pass));
    }

    static Work OverLanes(ConvShape shape, string pass)
    {
        Conv2d layer = shape.Layer();
        LaneTensor<float> x = Packed(shape.Batch, shape.Input, layer.InputMargin(shape.Input));
        LaneTensor<float> y = Packed(shape.Batch, layer.OutputShape(shape.Input), default);
        LayerContext<float> around = new() { Training = true };
        layer.Forward(x, y, around);                                            // the backward pass uses tensors that this pass keeps
        if (pass == Forward)
            return new(() => layer.Forward(x, y, around));

        bool data = pass == BackwardData;
        layer.Weight.Trainable = !data;
        layer.Bias!.Trainable = false;
        LaneTensor<float> dy = Packed(shape.Batch, y.Shape, data ? layer.GradientMargin(shape.Input) : default);
        LaneTensor<float>? dx = data ? Packed(shape.Batch, shape.Input, default) : null;
        return new(() => layer.Backward(x, y, dy, dx, around));
    }

    static Work FromNchw(ConvShape shape, string pass)
    {
        Conv2d layer = shape.Layer();
        Tensor<float> x = RandomImages.Tensor(shape.Batch, shape.Input), dy = RandomImages.Tensor(shape.Batch, layer.OutputShape(shape.Input));
        // Into the same memory every time, as with the peer's allocator.
        Tensor<float> y = Tensor.CreateFromShape<float>(dy.Lengths), dx = Tensor.CreateFromShape<float>(x.Lengths);
        return pass == FromForward
            ? new(() => layer.Forward(x, destination: y))
            : new(() => layer.BackwardToInput(dy, dx), Before: () => layer.Forward(x, training: true, y));
    }

    static LaneTensor<float> Packed(int batch, ImageShape shape, Padding margin)
    {
        LaneTensor<float> tensor = new(LaneTensor<float>.LanesFor(batch), shape, margin);
        tensor.Resize(batch).Pack(RandomImages.Numbers(batch, shape));
        return tensor;
    }
}
