namespace MiniCnn;

/// <summary>A batch norm fused with its ReLU. The intermediate result is never stored. The output is bit-identical to that of separate layers.</summary>
sealed class FusedBatchNorm(BatchNorm norm, int index) : Step(norm, index)
{
    readonly BatchNorm norm = norm;

    public override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => norm.Forward<T, ReLU.Curve<T>>(x, y, context);

    public override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        norm.Backward<T, ReLU.Curve<T>>(x, dy, dx, context);
}
