using System.Numerics.Tensors;

namespace MiniCnn.Reports;

/// <summary>Feature maps of a network, and the regions of an image that support a class (Grad-CAM, saliency).</summary>
static class Looking
{
    /// <summary>The top-level layers of a network that output feature maps larger than 1×1, and these outputs.</summary>
    /// <param name="network">The network. The result is empty if it is not a <see cref="Sequential"/>.</param>
    /// <param name="x">[N, C, H, W].</param>
    public static IReadOnlyList<(Layer Layer, Tensor<float> Maps)> Maps(Layer network, Tensor<float> x) => network is not Sequential sequential ? [] :
        [.. sequential.Layers.Zip(sequential.Trace(x)).Where(pair => pair.Second is { Rank: 4 } && pair.Second.Lengths[2] * pair.Second.Lengths[3] > 1)];

    /// <summary>One feature map of an image, [H, W].</summary>
    public static float[,] Map(Tensor<float> maps, int channel, int image = 0)
    {
        float[,] map = new float[maps.Lengths[2], maps.Lengths[3]];
        for (int y = 0; y < map.GetLength(0); y++)
            for (int x = 0; x < map.GetLength(1); x++)
                map[y, x] = maps[image, channel, y, x];
        return map;
    }

    /// <summary>
    /// Grad-CAM: the regions of the last feature maps that support a class, ReLU(Σ αc · maps[c]), where αc is the mean of ∂logit/∂maps[c]. Null if the
    /// network has no feature maps, or no layer after them. Source: Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    /// Localization, 2017.
    /// </summary>
    /// <param name="network">A network that computes logits of images.</param>
    /// <param name="x">[1, C, H, W].</param>
    /// <param name="label">Index of the class. With two classes and one logit, class 1 has the logit and class 0 its negative.</param>
    public static float[,]? GradCam(Layer network, Tensor<float> x, int label)
    {
        if (network is not Sequential sequential || Maps(network, x) is not [.., (Layer last, Tensor<float> maps)])
            return null;
        Layer[] rest = [.. sequential.Layers.SkipWhile(layer => layer != last).Skip(1)];
        if (rest is [])
            return null;
        return Sum(maps, Frozen(network, () =>
        {
            Tensor<float> y = maps;
            foreach (Layer layer in rest)
                y = layer.Forward(y, differentiable: true);
            return rest.Reverse().Aggregate(OneOf(y, label), (dy, layer) => layer.BackwardToInput(dy));
        }));
    }

    /// <summary>
    /// Saliency: the influence of each pixel on the logit of a class, |∂logit/∂x|, the maximum over the channels, [H, W]. Source: Simonyan et al., Deep Inside
    /// Convolutional Networks: Visualising Image Classification Models and Saliency Maps, 2014.
    /// </summary>
    /// <inheritdoc cref="GradCam"/>
    public static float[,] Saliency(Layer network, Tensor<float> x, int label)
    {
        Tensor<float> dx = Frozen(network, () => network.BackwardToInput(OneOf(network.Forward(x, differentiable: true), label)));
        float[,] most = new float[dx.Lengths[2], dx.Lengths[3]];
        for (int c = 0; c < dx.Lengths[1]; c++)
            for (int y = 0; y < most.GetLength(0); y++)
                for (int column = 0; column < most.GetLength(1); column++)
                    most[y, column] = Math.Max(most[y, column], Math.Abs(dx[0, c, y, column]));
        return most;
    }

    /// <summary>The gradient of the logit of one class with respect to the logits: one-hot, of the shape of the logits.</summary>
    static Tensor<float> OneOf(Tensor<float> logits, int label)
    {
        Tensor<float> dy = Tensor.CreateFromShape<float>(logits.Lengths);
        bool isOne = dy.FlattenedLength == 1;
        dy[0, isOne ? 0 : label] = isOne && label == 0 ? -1 : 1;
        return dy;
    }

    /// <summary>Runs a pass with all parameters frozen, so that it does not change the gradients of the training.</summary>
    static Tensor<float> Frozen(Layer network, Func<Tensor<float>> pass)
    {
        bool[] trainable = [.. network.Parameters.Select(parameter => parameter.Trainable)];
        try
        {
            foreach (Parameter parameter in network.Parameters)
                parameter.Trainable = false;
            return pass();
        }
        finally
        {
            for (int i = 0; i < trainable.Length; i++)
                network.Parameters[i].Trainable = trainable[i];
        }
    }

    static float[,] Sum(Tensor<float> maps, Tensor<float> gradients)
    {
        float[,] sum = new float[maps.Lengths[2], maps.Lengths[3]];
        for (int c = 0; c < maps.Lengths[1]; c++)
        {
            float[,] map = Map(maps, c);
            float weight = Map(gradients, c).Cast<float>().Average();
            for (int y = 0; y < sum.GetLength(0); y++)
                for (int column = 0; column < sum.GetLength(1); column++)
                    sum[y, column] += weight * map[y, column];
        }
        for (int y = 0; y < sum.GetLength(0); y++)
            for (int column = 0; column < sum.GetLength(1); column++)
                sum[y, column] = Math.Max(0, sum[y, column]);
        return sum;
    }
}
