using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>CIFAR-10 in its binary version: from a folder, or downloaded on first use (170 MB).</summary>
/// <remarks>
/// 50,000 + 10,000 images of 3×32×32 in 10 classes. A record is one byte of label and 1,024 each of red, green and blue, row by row;
/// a file is records and nothing else. Source: https://www.cs.toronto.edu/~kriz/cifar.html.
/// Mean (0.4914, 0.4822, 0.4465) and standard deviation (0.2470, 0.2435, 0.2616) are those of all pixels of the training set.
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

    /// <summary>Reads the training set, data_batch_1.bin to data_batch_5.bin, and the test set, test_batch.bin.</summary>
    /// <param name="directory">
    /// The folder of the six files, or one that holds it as cifar-10-batches-bin. If left out: found or downloaded as
    /// <see cref="MnistData.Load"/> has it, the folder's name being cifar10.
    /// </param>
    /// <param name="progress">Told about the archive: bytes received, then, under the name of its folder, unpacked; and in all.</param>
    /// <param name="cancellationToken">Ends a download; nothing half-written stays.</param>
    /// <exception cref="FileNotFoundException">A folder is not there or lacks files; the message names them.</exception>
    /// <exception cref="DownloadException">Nothing could be downloaded: there is no network, or no mirror sent the right bytes.</exception>
    /// <exception cref="InvalidDataException">A file is not what it should be; the message names it.</exception>
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

    /// <summary>Reads files of records, however many a file holds, as one set.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A file is empty or no whole number of records, or a label is above 9; the message names it.</exception>
    public static LabeledImages Read(params string[] paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        int length = (int)shape.Length;
        int[] counts = Array.ConvertAll(paths, Count);
        long count = counts.Sum(n => (long)n);
        if (count > Array.MaxLength / length)
            throw new InvalidDataException($"{paths[0]}: {count} images in all are more than an array holds ({Array.MaxLength / length})");

        var pixels = new byte[count * length];       // [N, 3, 32, 32], as the records have it
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
