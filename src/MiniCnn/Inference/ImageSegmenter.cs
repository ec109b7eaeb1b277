namespace MiniCnn;

/// <summary>A network that predicts the class of each pixel of an image. For two classes, the output may have one channel: the logits of class 1.</summary>
/// <inheritdoc/>
public sealed class ImageSegmenter : ImageModel
{
    /// <summary>Creates a model from a network and the images it was trained on: their shape, fit, mean, std and class names.</summary>
    /// <exception cref="ArgumentException">The network does not accept these images, or its output does not have a logit for each class and pixel.</exception>
    public ImageSegmenter(Layer network, MaskedImages images)
        : this(network, (images ?? throw new ArgumentNullException(nameof(images))).Shape, images.Mean, images.Std, images.ClassNames, images.Fit)
    {
    }

    /// <summary>Creates a model from a network and the properties of its images. The network is not copied.</summary>
    /// <param name="network">Maps images [N, C, H, W] to logits [N, classes, H, W].</param>
    /// <param name="input">Number of channels, 1 (grayscale) or 3 (RGB), and the height and width that pictures are resized to.</param>
    /// <param name="mean">Mean to subtract, one value per channel, for pixels scaled to 0 to 1.</param>
    /// <param name="std">Standard deviation to divide by, one value per channel, above 0.</param>
    /// <param name="classNames">Name of each class.</param>
    /// <param name="fit">How pictures are resized to the input size. The default is <see cref="Fit.Stretch"/>.</param>
    /// <exception cref="ArgumentException">The arguments contradict each other; the message names them.</exception>
    public ImageSegmenter(
        Layer network, ImageShape input, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, IReadOnlyList<string> classNames, Fit fit = Fit.Stretch)
        : base(network, input, mean, std, classNames, fit)
    {
        if (classNames.Count > MaskedImages.Ignored)
            throw new ArgumentException($"a mask has at most {MaskedImages.Ignored} classes, not {classNames.Count}");
    }

    /// <summary>Creates a thread-safe predictor, which shares the weights of the model. Create one and reuse it.</summary>
    public MaskPredictor CreatePredictor() => new(this);

    /// <summary>Loads a model file that <see cref="ImageModel.Save"/> wrote, with the checks of <see cref="ImageClassifier.Load"/>.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or does not hold an image segmenter. The message is one line that names the file.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImageSegmenter Load(string path) =>
        Load<ImageSegmenter>(path, (network, input, mean, std, classNames, fit) => new(network, input, mean, std, classNames, fit));

    private protected override ImageShape OutputOf(int channels) => new(channels, Input.Height, Input.Width);
}
