using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Fashion-MNIST, articles of clothing in the form of MNIST: from a folder, or downloaded on first use (31 MB).</summary>
/// <remarks>
/// 60,000 + 10,000 images of 1×28×28 in 10 classes; mean 0.2860 and standard deviation 0.3530, those of the training set.
/// Source: https://github.com/zalandoresearch/fashion-mnist, also for the names of the classes.
/// </remarks>
public static class FashionMnistData
{
    internal static readonly IdxSet Set = new("fashion-mnist", 0.2860f, 0.3530f,
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]);

    /// <summary>Reads the training set and the test set; each file may be gzipped (and end in .gz) or plain.</summary>
    /// <param name="directory">
    /// The folder of the four files. If left out: found or downloaded as <see cref="MnistData.Load"/> has it, the folder's name being
    /// fashion-mnist.
    /// </param>
    /// <param name="progress">Told about each file that is downloaded: bytes received, and in all.</param>
    /// <param name="cancellationToken">Ends a download; nothing half-written stays.</param>
    /// <exception cref="FileNotFoundException">A given folder is not there, is empty, or lacks files; the message names them.</exception>
    /// <exception cref="DownloadException">Nothing could be downloaded: there is no network, or no mirror sent the right bytes.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be; the message names it.</exception>
    /// <exception cref="OperationCanceledException">The download was cancelled.</exception>
    public static (LabeledImages Train, LabeledImages Test) Load(
        string? directory = null, Progress? progress = null, CancellationToken cancellationToken = default) =>
        Set.Load(directory, progress, cancellationToken);
}
