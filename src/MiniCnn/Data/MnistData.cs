using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>MNIST, or another set in its four IDX files (Fashion-MNIST): from a folder, or downloaded on first use.</summary>
public static class MnistData
{
    const int Classes = 10;

    static readonly string[] names =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

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
        string? directory = null, Progress? progress = null, CancellationToken cancellationToken = default)
    {
        (string folder, bool given) = Locate(
            directory, Environment.GetEnvironmentVariable("MINICNN_DATASETS"), AppContext.BaseDirectory, Directory.GetCurrentDirectory());
        return Load(folder, given ? null : new Downloader(), progress, cancellationToken);
    }

    /// <summary>Where the files are to be, and whether a person said so.</summary>
    internal static (string Folder, bool Given) Locate(string? directory, string? datasets, string program, string current)
    {
        if (directory is not null)
            return (directory, true);
        if (!string.IsNullOrWhiteSpace(datasets))
            return (Path.Combine(datasets, "mnist"), true);
        string root = Root(program) ?? Root(current) ?? current;
        return (Path.Combine(root, "datasets", "mnist"), false);

        static string? Root(string? folder)
        {
            while (folder is not null && !File.Exists(Path.Combine(folder, "MiniCnn.sln")))
                folder = Path.GetDirectoryName(folder);
            return folder;
        }
    }

    internal static (LabeledImages Train, LabeledImages Test) Load(
        string folder, Downloader? downloader, Progress? progress = null, CancellationToken cancellationToken = default)
    {
        string[] missing = [.. names.Where(name => Find(folder, name) is null).Select(name => $"{name}.gz")];
        if (missing.Length > 0 && downloader is null)
        {
            string fault = Directory.Exists(folder) ? "it lacks" : "there is no such folder; it should hold";
            throw new FileNotFoundException($"{folder}: {fault} {string.Join(", ", missing)} (or the same without .gz)");
        }
        if (missing.Length > 0)
        {
            DatasetSource source = DatasetSource.All.Single(source => source.Name == "mnist");
            IEnumerable<DatasetFile> files = source.Files.Where(file => missing.Contains(file.Name));
            // Task.Run: else, on a user interface's thread, the download would wait for the thread that waits for it here.
            Task.Run(() => downloader!.DownloadAsync(source, files, folder, progress, cancellationToken), cancellationToken)
                .GetAwaiter().GetResult();
        }

        Task<LabeledImages> reading = Task.Run(() => Read(folder, "t10k"), CancellationToken.None);
        LabeledImages train = Read(folder, "train"), test = reading.GetAwaiter().GetResult();
        if (train.Shape != test.Shape)
            throw new InvalidDataException(
                $"{folder}: the training images are {train.Shape}, the test images {test.Shape}; expected one shape");
        return (train, test);
    }

    static string? Find(string folder, string name) =>
        new[] { Path.Combine(folder, $"{name}.gz"), Path.Combine(folder, name) }.FirstOrDefault(File.Exists);

    static LabeledImages Read(string folder, string part)
    {
        string imagesPath = Find(folder, $"{part}-images-idx3-ubyte")!, labelsPath = Find(folder, $"{part}-labels-idx1-ubyte")!;
        (byte[] pixels, int count, int rows, int columns) = IdxFile.ReadImages(imagesPath);
        byte[] labels = IdxFile.ReadLabels(labelsPath);
        if (labels.Length != count)
            throw new InvalidDataException(
                $"{labelsPath}: it holds {labels.Length} labels, but {Path.GetFileName(imagesPath)} holds {count} images");
        int bad = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(Classes - 1));
        if (bad >= 0)
            throw new InvalidDataException($"{labelsPath}: label {bad} is {labels[bad]}; expected 0 to {Classes - 1}");
        return new(pixels, Array.ConvertAll(labels, label => (int)label), new(1, rows, columns), Classes);
    }
}
