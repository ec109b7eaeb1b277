using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>MNIST, or another set of ten classes in its four IDX files: from a folder, or downloaded on first use.</summary>
/// <remarks>Images of 1×28×28; mean 0.1307 and standard deviation 0.3081, those of the training set.</remarks>
public static class MnistData
{
    internal static readonly IdxSet Set = new("mnist", 0.1307f, 0.3081f);

    /// <summary>Reads the training set and the test set; each file may be gzipped (and end in .gz) or plain.</summary>
    /// <param name="directory">
    /// The folder of the four files. If left out: the folder mnist of the folder that the environment variable MINICNN_DATASETS names.
    /// A folder given in either way must hold all four, of any content. Without both: datasets/mnist in the repository (the nearest folder
    /// above the program or the current directory that holds MiniCnn.sln, else the current directory), where what is missing is downloaded
    /// as datasets/sources.json says, its SHA-256 checked.
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
