using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Predicts the class of each pixel of images. It is thread-safe like <see cref="Predictor"/>.</summary>
public sealed class MaskPredictor
{
    readonly SharedNetwork network;

    internal MaskPredictor(ImageSegmenter model) => (Model, network) = (model, new(model));

    /// <summary>The model that makes the predictions.</summary>
    public ImageSegmenter Model { get; }

    /// <summary>Predicts the probability of each class for each pixel: the softmax of the logits.</summary>
    /// <param name="images">[N, C, H, W], of the shape <see cref="ImageModel.Input"/>, normalized with the mean and std of the model.</param>
    /// <returns>Probabilities [N, classes, H, W]. Those of a pixel sum to 1.</returns>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The output of the network contains NaN or infinity.</exception>
    public Tensor<float> Predict(Tensor<float> images) => new Softmax().Forward(network.Logits(images));
}
