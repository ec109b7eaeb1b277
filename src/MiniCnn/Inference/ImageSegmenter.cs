namespace MiniCnn;

/// <summary>A network that predicts the class of each pixel of an image. For two classes it may have one channel, the logits of class 1.</summary>
/// <inheritdoc/>
public sealed class ImageSegmenter : ImageModel
{
    /// <summary>Takes a network and what it was trained on: the images' shape, fit, mean, std and class names.</summary>
    /// <exception cref="ArgumentException">The network does not take such images, or does not give a number for each class and pixel.</exception>
    public ImageSegmenter(Layer network, MaskedImages images)
        : this(network, (images ?? throw new ArgumentNullException(nameof(images))).Shape, images.Mean, images.Std, images.ClassNames, images.Fit)
    {
    }

    /// <summary>Takes a network, which it does not copy, and what it has to know.</summary>
    /// <param name="network">[N, C, H, W] to [N, classes, H, W] logits.</param>
    /// <param name="input">Channels, 1 for grey or 3 for red, green and blue; and the size that pictures are resized to.</param>
    /// <param name="mean">What is subtracted, one value a channel, on the scale of 0 to 1.</param>
    /// <param name="std">What is then divided by, one value a channel, above 0.</param>
    /// <param name="classNames">A name for each class.</param>
    /// <param name="fit">How pictures are brought to the size.</param>
    /// <exception cref="ArgumentException">These do not fit each other; the message says which.</exception>
    public ImageSegmenter(
        Layer network, ImageShape input, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, IReadOnlyList<string> classNames, Fit fit = Fit.Stretch)
        : base(network, input, mean, std, classNames, fit)
    {
        if (classNames.Count > MaskedImages.Ignored)
            throw new ArgumentException($"a mask tells up to {MaskedImages.Ignored} classes apart, not {classNames.Count}");
    }

    /// <summary>Makes a predictor, for any number of threads at once. It shares the weights: make one, and keep it.</summary>
    public MaskPredictor CreatePredictor() => new(this);

    /// <summary>Reads what Save wrote, as <see cref="ImageClassifier.Load"/> does.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or holds no such model. The message is one line that names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImageSegmenter Load(string path) =>
        Load<ImageSegmenter>(path, (network, input, mean, std, classNames, fit) => new(network, input, mean, std, classNames, fit));

    private protected override ImageShape OutputOf(int channels) => new(channels, Input.Height, Input.Width);
}
