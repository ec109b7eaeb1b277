using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Tells what images show, for any number of threads at once: they share the weights, and each call has buffers of its own.</summary>
/// <remarks>
/// Buffers are kept for the next call, for as many calls at once as there are processors. A call gives the same bits whatever runs beside it.
/// The weights are the model's own: whoever trains it, or replaces a layer, waits until no call is running. A <see cref="CustomLayer"/> may keep what it likes of a run,
/// so where there is one in the network, calls wait for one another.
/// </remarks>
public sealed class Predictor
{
    readonly SharedNetwork network;

    internal Predictor(ImageClassifier model) => (Model, network) = (model, new(model));

    /// <summary>Whose predictions these are.</summary>
    public ImageClassifier Model { get; }

    /// <summary>What each image of a batch shows, by the softmax of the network's logits.</summary>
    /// <param name="images">[N, C, H, W] of the model's <see cref="ImageModel.Input"/>, normalised as its images are.</param>
    /// <exception cref="ArgumentException">Images of another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The network makes NaN or infinity of an image.</exception>
    public IReadOnlyList<Prediction> Predict(Tensor<float> images)
    {
        Tensor<float> logits = network.Logits(images);
        return [.. logits.AsSpan().ToArray().Chunk(Model.ClassNames.Count).Select(Of)];
    }

    Prediction Of(float[] row)
    {
        TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), row);          // so that nothing overflows
        TensorPrimitives.SoftMax(row, row);
        int label = TensorPrimitives.IndexOfMax<float>(row);
        return new(label, Model.ClassNames[label], row[label], row);
    }
}
