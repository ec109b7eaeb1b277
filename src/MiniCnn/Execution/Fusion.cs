namespace MiniCnn;

/// <summary>Which layers of a <see cref="Sequential"/> run as one.</summary>
static class Fusion
{
    /// <summary>The layers: each convolution with the ReLU and the pool that follow it, each batch norm and each residual with its ReLU.</summary>
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
