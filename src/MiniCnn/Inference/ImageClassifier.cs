namespace MiniCnn;

/// <summary>A network that tells images apart. Of two classes it may have one logit, that of class 1.</summary>
/// <inheritdoc/>
public sealed class ImageClassifier : ImageModel
{
    /// <summary>Takes a network and what it was trained on: the images' shape, fit, mean, std and class names.</summary>
    /// <exception cref="ArgumentException">The network does not take such images, or does not give a number for each class.</exception>
    public ImageClassifier(Layer network, LabeledImages images)
        : this(network, (images ?? throw new ArgumentNullException(nameof(images))).Shape, images.Mean, images.Std, images.ClassNames, images.Fit)
    {
    }

    /// <summary>Takes a network, which it does not copy, and what it has to know.</summary>
    /// <param name="network">[N, C, H, W] to [N, classes] logits.</param>
    /// <param name="input">Channels, 1 for grey or 3 for red, green and blue; and the size that pictures are resized to.</param>
    /// <param name="mean">What is subtracted, one value a channel, on the scale of 0 to 1.</param>
    /// <param name="std">What is then divided by, one value a channel, above 0.</param>
    /// <param name="classNames">A name for each class.</param>
    /// <param name="fit">How pictures are brought to the size.</param>
    /// <exception cref="ArgumentException">These do not fit each other; the message says which.</exception>
    public ImageClassifier(
        Layer network, ImageShape input, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, IReadOnlyList<string> classNames, Fit fit = Fit.Stretch)
        : base(network, input, mean, std, classNames, fit)
    {
    }

    /// <summary>Makes a predictor, for any number of threads at once. It shares the weights: make one, and keep it.</summary>
    public Predictor CreatePredictor() => new(this);

    /// <summary>Reads what Save wrote. Nothing in the file is taken on trust, and to load it takes no more memory than a small multiple of its size.</summary>
    /// <remarks>To run it takes what its layers' outputs take: of a stranger's file look at Network.Summary(Input) first.</remarks>
    /// <exception cref="InvalidDataException">The file is damaged or holds no such model. The message is one line that names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImageClassifier Load(string path) =>
        Load<ImageClassifier>(path, (network, input, mean, std, classNames, fit) => new(network, input, mean, std, classNames, fit));

    private protected override ImageShape OutputOf(int channels) => ImageShape.Features(channels);
}
