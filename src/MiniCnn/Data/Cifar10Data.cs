using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Loads CIFAR-10, binary version, from a folder or by download on first use (170 MB).</summary>
/// <remarks>
/// 50,000 training and 10,000 test images of 3×32×32 in 10 classes. A file is a sequence of records. A record is one byte for the label, then 1,024 bytes each
/// for red, green and blue, row by row. Source: https://www.cs.toronto.edu/~kriz/cifar.html. Images are normalized with the mean (0.4914, 0.4822, 0.4465) and
/// the standard deviation (0.2470, 0.2435, 0.2616) of all pixels of the training set.
/// </remarks>
public static class Cifar10Data
{
    const string Name = "cifar10", Folder = "cifar-10-batches-bin", TestFile = "test_batch.bin";
    const int Classes = 10;

    static readonly ImageShape shape = new(3, 32, 32);
    static readonly string[] trainFiles = [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")];
    static readonly float[] mean = [0.4914f, 0.4822f, 0.4465f], std = [0.2470f, 0.2435f, 0.2616f];
    static readonly string[] classNames =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Loads the training set, data_batch_1.bin to data_batch_5.bin, and the test set, test_batch.bin.</summary>
    /// <param name="directory">
    /// The folder of the six files, or its parent folder if the folder is named cifar-10-batches-bin. If null, the folder cifar10 is located, and missing files
    /// are downloaded, as in <see cref="MnistData.Load"/>.
    /// </param>
    /// <param name="progress">
    /// Receives, for the archive, the bytes received and the total bytes; then, for its folder, the bytes of the archive unpacked and the total bytes.
    /// </param>
    /// <param name="cancellationToken">Cancels a download. No partial files remain.</param>
    /// <exception cref="FileNotFoundException">A given folder does not exist or lacks files; the message names them.</exception>
    /// <exception cref="DownloadException">The download failed: there is no network, or no mirror sent a file with the correct size and SHA-256.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or has another format; the message names it.</exception>
    /// <exception cref="OperationCanceledException">The download was cancelled.</exception>
    public static (LabeledImages Train, LabeledImages Test) Load(
        string? directory = null, Progress? progress = null, CancellationToken cancellationToken = default)
    {
        (string folder, bool given) = Datasets.Find(Name, directory);
        return Load(folder, given ? null : new Downloader(), progress, cancellationToken);
    }

    internal static (LabeledImages Train, LabeledImages Test) Load(
        string folder, Downloader? downloader, Progress? progress = null, CancellationToken cancel = default)
    {
        Datasets.Complete(Name, folder, Missing, "", downloader, progress, cancel);
        return (Read([.. trainFiles.Select(PathOf)]), Read(PathOf(TestFile)));

        string[] Missing() => [.. trainFiles.Append(TestFile).Where(file => !File.Exists(PathOf(file)))];

        string PathOf(string file)
        {
            string unpacked = Path.Combine(folder, Folder);
            return Path.Combine(Directory.Exists(unpacked) ? unpacked : folder, file);
        }
    }

    /// <summary>Reads files with any number of records into one data set.</summary>
    /// <param name="paths">Paths of the files, in the order of the images.</param>
    /// <exception cref="FileNotFoundException">A file does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is empty or does not hold a whole number of records, or a label is above 9; the message names the file.
    /// </exception>
    public static LabeledImages Read(params string[] paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        int length = (int)shape.Length;
        int[] counts = Array.ConvertAll(paths, Count);
        long count = counts.Sum(n => (long)n);
        if (count > Array.MaxLength / length)
            throw new InvalidDataException($"{paths[0]}: {count} images in all are more than an array holds ({Array.MaxLength / length})");

        var pixels = new byte[count * length];       // [N, 3, 32, 32], the order of the records
        var labels = new int[count];
        int n = 0;
        for (int i = 0; i < paths.Length; i++)
        {
            using FileStream file = new(paths[i], FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 20);
            for (int record = 0; record < counts[i]; record++, n++)
            {
                labels[n] = file.ReadByte();
                if (labels[n] is < 0 or >= Classes)
                    throw new InvalidDataException($"{paths[i]}: label {record} is {labels[n]}; expected 0 to {Classes - 1}");
                file.ReadExactly(pixels, n * length, length);
            }
        }
        return new(pixels, labels, shape, Classes, mean, std, classNames);

        int Count(string path)
        {
            if (!File.Exists(path))
                throw new FileNotFoundException($"{path}: there is no such file; expected records of CIFAR-10", path);
            (long records, long rest) = Math.DivRem(new FileInfo(path).Length, 1 + length);
            if (records == 0 || rest > 0 || records > int.MaxValue)
                throw new InvalidDataException(
                    $"{path}: expected records of {1 + length} bytes, one or more; it has {new FileInfo(path).Length} bytes");
            return (int)records;
        }
    }
}
