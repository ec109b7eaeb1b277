namespace MiniCnn;

/// <summary>y[c] = x[c] − log Σ exp(x[k]), the sum over the channels k, separately for each pixel; dx[c] = dy[c] − exp(y[c]) · Σ dy[k].</summary>
/// <remarks>
/// Corresponds to PyTorch's LogSoftmax(dim=1). The largest x is subtracted first, so that exp cannot overflow.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html.
/// </remarks>
public sealed class LogSoftmax : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => ChannelSoftmax.Forward(x, y, log: true);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            ChannelSoftmax.Backward(y, dy, dx, log: true);
    }
}
