namespace MiniCnn;

/// <summary>y = x. Used as a branch of <see cref="Concat"/>, it passes x through unchanged.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Identity.html.</remarks>
public sealed class Identity : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => y.CopyFrom(x);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) => dx?.CopyFrom(dy);
}
