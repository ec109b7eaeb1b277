using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A model's network, run by any number of threads at once: they share the weights, and each call has buffers of its own, kept for the next.</summary>
sealed class SharedNetwork(ImageModel model)
{
    readonly Stack<LayerSession> idle = new();

    /// <summary>The logits of a batch, one channel a class: of two classes that have one logit z, 0 and z.</summary>
    /// <param name="images">[N, C, H, W] of the model's input.</param>
    /// <exception cref="ArgumentException">Images of another shape.</exception>
    /// <exception cref="NotFiniteNumberException">The network makes NaN or infinity of an image.</exception>
    public Tensor<float> Logits(Tensor<float> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (int channels, int height, int width) = (model.Input.Channels, model.Input.Height, model.Input.Width);
        if (images.Lengths is not [nint count, nint c, nint h, nint w] || (c, h, w) != (channels, height, width))
            throw new ArgumentException($"the model takes images [N, {channels}, {height}, {width}], not [{string.Join(", ", images.Lengths.ToArray())}]");
        model.CheckOutput();
        Tensor<float> logits = Run(images);
        if (count > 0 && !TensorPrimitives.IsFiniteAll<float>(logits.AsSpan()))
            throw new NotFiniteNumberException("the network makes NaN or infinity of an image: its weights are damaged, or the image is not normalised");
        return logits.Lengths[1] == model.ClassNames.Count ? logits : Tensor.ConcatenateOnDimension<float>(1, [Tensor.CreateFromShape<float>(logits.Lengths), logits]);
    }

    Tensor<float> Run(Tensor<float> images)
    {
        LayerSession? session;
        lock (idle)
            session = idle.TryPop(out LayerSession? kept) ? kept : new(model.Network);
        Tensor<float> logits;
        if (model.Network.RunsInDouble)                         // no CustomLayer
            logits = session.Forward(images, training: false, null);
        else
        {
            lock (model.OneByOne)
                logits = session.Forward(images, training: false, null);
        }
        lock (idle)
            if (idle.Count < Environment.ProcessorCount)
                idle.Push(session);                             // not one that threw
        return logits;
    }
}
