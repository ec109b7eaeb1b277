using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Where data sets are looked for, and how those that datasets/sources.json lists are downloaded.</summary>
public static class Datasets
{
    /// <summary>The folder of a set: where it is, or where it is to be.</summary>
    /// <param name="name">The set: mnist, fashion-mnist, cifar10, cats-vs-dogs, or any other name of a folder.</param>
    /// <param name="directory">
    /// The folder itself, if a person named one. If left out: the folder <paramref name="name"/> of the folder that the environment
    /// variable MINICNN_DATASETS names. Without both: datasets/<paramref name="name"/> in the repository (the nearest folder above the
    /// program or the current directory that holds MiniCnn.sln, else the current directory).
    /// </param>
    public static string Locate(string name, string? directory = null) => Find(name, directory).Folder;

    /// <summary>Downloads what of a set is not in a folder yet: checked by size and SHA-256, archives unpacked.</summary>
    /// <param name="name">A set of datasets/sources.json: mnist, fashion-mnist, cifar10 or cats-vs-dogs.</param>
    /// <param name="folder">Where to; it is made. What stands there under the name of a file, or of an archive's folder, is kept.</param>
    /// <param name="progress">
    /// Told about each file: bytes received, and in all. Then about each archive, under the name of its folder: bytes of it unpacked, and in all.
    /// </param>
    /// <param name="cancellationToken">Ends the download; nothing half-written stays.</param>
    /// <exception cref="ArgumentException">No such set is listed.</exception>
    /// <exception cref="DownloadException">No mirror sent the right bytes, or they could not be put where they belong.</exception>
    /// <exception cref="OperationCanceledException">The download was cancelled.</exception>
    public static Task DownloadAsync(
        string name, string folder, Progress? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        DatasetSource source = DatasetSource.All.FirstOrDefault(source => source.Name == name) ?? throw new ArgumentException(
            $"no set “{name}” can be downloaded; there are {string.Join(", ", DatasetSource.All.Select(source => source.Name))}", nameof(name));
        DatasetFile[] files = [.. source.Files.Where(file => !Path.Exists(Path.Combine(folder, file.Gives)))];
        // Task.Run: unpacking takes its time, which is not the caller's thread's.
        return Task.Run(() => new Downloader().DownloadAsync(source, files, folder, progress, cancellationToken), cancellationToken);
    }

    /// <summary>As <see cref="Locate"/>, and whether a person named the folder: then nothing is downloaded into it unasked.</summary>
    internal static (string Folder, bool Given) Find(string name, string? directory) => Find(
        name, directory, Environment.GetEnvironmentVariable("MINICNN_DATASETS"), AppContext.BaseDirectory, Directory.GetCurrentDirectory());

    internal static (string Folder, bool Given) Find(string name, string? directory, string? datasets, string program, string current)
    {
        if (directory is not null)
            return (directory, true);
        if (!string.IsNullOrWhiteSpace(datasets))
            return (Path.Combine(datasets, name), true);
        string root = Root(program) ?? Root(current) ?? current;
        return (Path.Combine(root, "datasets", name), false);

        static string? Root(string? folder)
        {
            while (folder is not null && !File.Exists(Path.Combine(folder, "MiniCnn.sln")))
                folder = Path.GetDirectoryName(folder);
            return folder;
        }
    }

    /// <summary>Downloads the files of a set that are missing, and waits for them. Without a downloader it says that they are missing.</summary>
    /// <param name="name">The set.</param>
    /// <param name="folder">Where its files are to be.</param>
    /// <param name="missing">What is missing now, by the names of the source's files or those that its archives give.</param>
    /// <param name="hint">Said after the names of what is missing.</param>
    /// <param name="downloader">Null: the folder is a person's.</param>
    /// <param name="progress">Told about each file that is downloaded.</param>
    /// <param name="cancel">Ends a download.</param>
    internal static void Complete(
        string name, string folder, Func<string[]> missing, string hint, Downloader? downloader, Progress? progress, CancellationToken cancel)
    {
        string[] names = missing();
        if (names.Length > 0 && downloader is not null)
        {
            DatasetSource source = DatasetSource.All.Single(source => source.Name == name);
            DatasetFile[] files = [.. source.Files.Where(
                file => file.Archive is null ? names.Contains(file.Name) : !Path.Exists(Path.Combine(folder, file.Gives)))];
            // Task.Run: else, on a user interface's thread, the download would wait for the thread that waits for it here.
            Task.Run(() => downloader.DownloadAsync(source, files, folder, progress, cancel), cancel).GetAwaiter().GetResult();
            names = missing();
        }
        if (names.Length > 0)
        {
            string fault = Directory.Exists(folder) ? "it lacks" : "there is no such folder; it should hold";
            throw new FileNotFoundException($"{folder}: {fault} {string.Join(", ", names)}{hint}");
        }
    }
}
