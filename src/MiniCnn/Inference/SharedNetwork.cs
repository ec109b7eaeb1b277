using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Runs the network of a model, thread-safe: all calls share the weights, and each call has its own buffers, which later calls reuse.</summary>
sealed class SharedNetwork(ImageModel model)
{
    readonly Stack<LayerSession> idle = new();

    /// <summary>Returns the logits of a batch, one channel per class. For two classes with one logit z, they are 0 and z.</summary>
    /// <param name="images">[N, C, H, W], of the input shape of the model.</param>
    /// <exception cref="ArgumentException">The images have another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The output of the network contains NaN or infinity.</exception>
    public Tensor<float> Logits(Tensor<float> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (int channels, int height, int width) = (model.Input.Channels, model.Input.Height, model.Input.Width);
        if (images.Lengths is not [nint count, nint c, nint h, nint w] || (c, h, w) != (channels, height, width))
            throw new ArgumentException($"the model takes images [N, {channels}, {height}, {width}], not [{string.Join(", ", images.Lengths.ToArray())}]");
        model.CheckOutput();
        Tensor<float> logits = Run(images);
        if (count > 0 && !TensorPrimitives.IsFiniteAll<float>(logits.AsSpan()))
            throw new NotFiniteNumberException("the output of the network contains NaN or infinity: its weights are damaged, or the images are not normalized");
        return logits.Lengths[1] == model.ClassNames.Count ? logits : Tensor.ConcatenateOnDimension<float>(1, [Tensor.CreateFromShape<float>(logits.Lengths), logits]);
    }

    Tensor<float> Run(Tensor<float> images)
    {
        LayerSession? session;
        lock (idle)
            session = idle.TryPop(out LayerSession? kept) ? kept : new(model.Network);
        Tensor<float> logits;
        if (model.Network.RunsInDouble)                         // only without a CustomLayer, which need not be thread-safe
            logits = session.Forward(images, training: false, null);
        else
        {
            lock (model.OneByOne)
                logits = session.Forward(images, training: false, null);
        }
        lock (idle)
            if (idle.Count < Environment.ProcessorCount)
                idle.Push(session);                             // a session that threw is not reused
        return logits;
    }
}
