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
    readonly Stack<LayerSession> idle = new();

    internal Predictor(ImageClassifier model) => Model = model;

    /// <summary>Whose predictions these are.</summary>
    public ImageClassifier Model { get; }

    /// <summary>What each image of a batch shows, by the softmax of the network's logits.</summary>
    /// <param name="images">[N, C, H, W] of the model's <see cref="ImageClassifier.Input"/>, normalised as its images are.</param>
    /// <exception cref="ArgumentException">Images of another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The network makes NaN or infinity of an image.</exception>
    public IReadOnlyList<Prediction> Predict(Tensor<float> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (int channels, int height, int width) = (Model.Input.Channels, Model.Input.Height, Model.Input.Width);
        if (images.Lengths is not [nint count, nint c, nint h, nint w] || (c, h, w) != (channels, height, width))
            throw new ArgumentException($"the model takes images [N, {channels}, {height}, {width}], not [{string.Join(", ", images.Lengths.ToArray())}]");
        Model.CheckOutput();
        float[] probabilities = new float[count * Model.ClassNames.Count];
        Run(images, Tensor.Create(probabilities, [count, Model.ClassNames.Count]));
        return [.. probabilities.Chunk(Model.ClassNames.Count).Select(Of)];
    }

    void Run(Tensor<float> images, Tensor<float> logits)
    {
        LayerSession? session;
        lock (idle)
            session = idle.TryPop(out LayerSession? kept) ? kept : new(Model.Network);
        if (Model.Network.RunsInDouble)                     // no CustomLayer
            session.Forward(images, training: false, logits);
        else
            lock (Model.OneByOne)
                session.Forward(images, training: false, logits);
        lock (idle)
            if (idle.Count < Environment.ProcessorCount)
                idle.Push(session);                             // not one that threw
    }

    Prediction Of(float[] row)
    {
        if (!TensorPrimitives.IsFiniteAll<float>(row))
            throw new NotFiniteNumberException("the network makes NaN or infinity of an image: its weights are damaged, or the image is not normalised");
        TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), row);          // so that nothing overflows
        TensorPrimitives.SoftMax(row, row);
        int label = TensorPrimitives.IndexOfMax<float>(row);
        return new(label, Model.ClassNames[label], row[label], row);
    }
}
