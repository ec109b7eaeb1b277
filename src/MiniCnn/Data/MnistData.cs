using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Loads MNIST, or another data set of ten classes in the same four IDX files, from a folder or by download on first use.</summary>
/// <remarks>
/// 60,000 training and 10,000 test images of 1×28×28, normalized with the mean 0.1307 and the standard deviation 0.3081 of MNIST's training set.
/// </remarks>
public static class MnistData
{
    internal static readonly IdxSet Set = new("mnist", 0.1307f, 0.3081f);

    /// <summary>Loads the training set and the test set. Each file may be gzipped (with the extension .gz) or plain.</summary>
    /// <param name="directory">
    /// The folder of the four files. If null, the folder mnist in the folder given by the environment variable MINICNN_DATASETS. A folder given in one of these
    /// ways must contain all four files. If neither is given, the folder is datasets/mnist in the repository: the nearest parent folder of the program, or of
    /// the current directory, that contains MiniCnn.sln, otherwise the current directory. Missing files are downloaded there from the mirrors in
    /// datasets/sources.json, and verified by size and SHA-256.
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
