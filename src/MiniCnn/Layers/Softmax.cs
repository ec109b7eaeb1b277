namespace MiniCnn;

/// <summary>y[c] = exp(x[c]) / Σ exp(x[k]) over the channels, for each pixel by itself; dx[c] = y[c] · (dy[c] − Σ dy[k] · y[k]).</summary>
/// <remarks>
/// PyTorch's Softmax(dim=1). The largest x is taken off first, so that nothing overflows. Not before <see cref="CrossEntropyLoss"/>, which has
/// one of its own. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html.
/// </remarks>
public sealed class Softmax : Layer
{
    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input) => input;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => ChannelSoftmax.Forward(x, y, log: false);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        if (dx is not null)
            ChannelSoftmax.Backward(y, dy, dx, log: false);
    }
}
