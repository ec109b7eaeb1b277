namespace MiniCnn;

/// <summary>Selects the layers of a <see cref="Sequential"/> that run fused.</summary>
static class Fusion
{
    /// <summary>
    /// Returns the steps of these layers. A convolution is fused with the ReLU that follows it and with a 2×2 max pool after that; a batch norm or a
    /// residual is fused with the ReLU that follows it. Every other layer is a step of its own.
    /// </summary>
    public static IEnumerable<Step> Steps(Layer[] layers)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            if (layers[i] is Conv2d conv && layers.ElementAtOrDefault(i + 1) is ReLU)
            {
                MaxPool2d? pool = layers.ElementAtOrDefault(i + 2) is MaxPool2d { Is2x2: true, CeilMode: false } next && conv.CanPool ? next : null;
                yield return new FusedConv2d(conv, pool, i);
                i += pool is null ? 1 : 2;
            }
            else if (layers[i] is BatchNorm norm && layers.ElementAtOrDefault(i + 1) is ReLU)
                yield return new FusedBatchNorm(norm, i++);
            else if (layers[i] is Residual residual && layers.ElementAtOrDefault(i + 1) is ReLU)
                yield return new FusedResidual(residual, i++);
            else
                yield return new(layers[i], i);
        }
    }
}
