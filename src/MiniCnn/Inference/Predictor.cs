using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Predicts the classes of images. It is thread-safe: all calls share the weights, and each call has its own buffers.</summary>
/// <remarks>
/// Buffers are reused by later calls; at most one set per processor is kept. Results are bit-identical with any number of concurrent calls. The weights are
/// those of the model, not a copy: do not train it or replace a layer while a call is running. A <see cref="CustomLayer"/> may store state during a call, so
/// calls run one after the other if the network contains one.
/// </remarks>
public sealed class Predictor
{
    readonly SharedNetwork network;

    internal Predictor(ImageClassifier model) => (Model, network) = (model, new(model));

    /// <summary>The model that makes the predictions.</summary>
    public ImageClassifier Model { get; }

    /// <summary>Predicts the class of each image of a batch. The probabilities are the softmax of the logits.</summary>
    /// <param name="images">[N, C, H, W], of the shape <see cref="ImageModel.Input"/>, normalized with the mean and std of the model.</param>
    /// <returns>One prediction per image, in the order of the batch.</returns>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The output of the network contains NaN or infinity.</exception>
    public IReadOnlyList<Prediction> Predict(Tensor<float> images)
    {
        Tensor<float> logits = network.Logits(images);
        return [.. logits.AsSpan().ToArray().Chunk(Model.ClassNames.Count).Select(Of)];
    }

    Prediction Of(float[] row)
    {
        TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), row);          // prevents overflow of exp
        TensorPrimitives.SoftMax(row, row);
        int label = TensorPrimitives.IndexOfMax<float>(row);
        return new(label, Model.ClassNames[label], row[label], row);
    }
}
