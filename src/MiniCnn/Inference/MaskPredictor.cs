using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Predicts the class of each pixel, for any number of threads at once, as a <see cref="Predictor"/> does that of an image.</summary>
public sealed class MaskPredictor
{
    readonly SharedNetwork network;

    internal MaskPredictor(ImageSegmenter model) => (Model, network) = (model, new(model));

    /// <summary>Whose predictions these are.</summary>
    public ImageSegmenter Model { get; }

    /// <summary>The probability of each class for each pixel: the softmax of the network's logits.</summary>
    /// <param name="images">[N, C, H, W] of the model's <see cref="ImageModel.Input"/>, normalised as its images are.</param>
    /// <returns>[N, classes, H, W]: those of a pixel add up to 1.</returns>
    /// <exception cref="ArgumentException">Images of another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The network makes NaN or infinity of an image.</exception>
    public Tensor<float> Predict(Tensor<float> images) => new Softmax().Forward(network.Logits(images));
}
