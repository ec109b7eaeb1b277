namespace MiniCnn;

/// <summary>y[c] = exp(x[c]) / Σ exp(x[k]), the sum over the channels k, separately for each pixel; dx[c] = y[c] · (dy[c] − Σ dy[k] · y[k]).</summary>
/// <remarks>
/// Corresponds to PyTorch's Softmax(dim=1). The largest x is subtracted first, so that exp cannot overflow. Do not use it before
/// <see cref="CrossEntropyLoss"/>, which takes logits. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html.
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
