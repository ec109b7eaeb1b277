namespace MiniCnn;

/// <summary>A residual fused with its ReLU. The sum of the branches is never stored. The output is bit-identical to that of separate layers.</summary>
sealed class FusedResidual(Residual residual, int index) : Step(residual, index)
{
    readonly Residual residual = residual;

    public override Padding GradientMargin(ImageShape input) => default;

    public override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) =>
        residual.Forward(x, y, context, default(ReLU.Curve<T>));

    public override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        LaneTensor<T> sum = context.Dy.Take(dy, dy.Shape, residual.GradientMargin(x.Shape));     // both branches read it
        Elementwise.Backward(sum, y, dy, sum, default(ReLU.Curve<T>));
        residual.Backward(x, y, sum, dx, context);
    }
}
