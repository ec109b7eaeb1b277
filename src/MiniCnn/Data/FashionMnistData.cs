using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Loads Fashion-MNIST, images of clothing in the format of MNIST, from a folder or by download on first use (31 MB).</summary>
/// <remarks>
/// 60,000 training and 10,000 test images of 1×28×28 in 10 classes, normalized with the mean 0.2860 and the standard deviation 0.3530 of the training set.
/// Source of the data and of the class names: https://github.com/zalandoresearch/fashion-mnist.
/// </remarks>
public static class FashionMnistData
{
    internal static readonly IdxSet Set = new("fashion-mnist", 0.2860f, 0.3530f,
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]);

    /// <summary>Loads the training set and the test set. Each file may be gzipped (with the extension .gz) or plain.</summary>
    /// <param name="directory">
    /// The folder of the four files. If null, the folder fashion-mnist is located, and missing files are downloaded, as in <see cref="MnistData.Load"/>.
    /// </param>
    /// <param name="progress">Receives, for each downloaded file, the bytes received and the total bytes.</param>
    /// <param name="cancellationToken">Cancels a download. No partial files remain.</param>
    /// <exception cref="FileNotFoundException">A given folder does not exist or lacks files; the message names them.</exception>
    /// <exception cref="DownloadException">The download failed: there is no network, or no mirror sent a file with the correct size and SHA-256.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or has another format; the message names it.</exception>
    /// <exception cref="OperationCanceledException">The download was cancelled.</exception>
    public static (LabeledImages Train, LabeledImages Test) Load(
        string? directory = null, Progress? progress = null, CancellationToken cancellationToken = default) =>
        Set.Load(directory, progress, cancellationToken);
}
