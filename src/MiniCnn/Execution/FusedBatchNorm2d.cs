namespace MiniCnn;

/// <summary>A batch norm and its ReLU, run as one: what lies between them is never stored. The same numbers to the bit.</summary>
/// <remarks>A step of <see cref="Sequential"/>, never a layer of a model.</remarks>
sealed class FusedBatchNorm2d(BatchNorm2d norm) : Layer
{
    public override ImageShape OutputShape(ImageShape input) => norm.OutputShape(input);

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => norm.Forward<T, ReLU.Curve<T>>(x, y, context);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        norm.Backward<T, ReLU.Curve<T>>(x, dy, dx, context);
}
