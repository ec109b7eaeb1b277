using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Locates the folders of data sets, and downloads the data sets listed in datasets/sources.json.</summary>
public static class Datasets
{
    /// <summary>Returns the folder of a data set. It need not exist.</summary>
    /// <param name="name">Name of the data set: mnist, fashion-mnist, cifar10, cats-vs-dogs, or another folder name.</param>
    /// <param name="directory">
    /// The folder itself, if the user gave one. If null, the folder is <paramref name="name"/> in the folder given by the environment variable
    /// MINICNN_DATASETS. If that is not set either, it is datasets/<paramref name="name"/> in the repository: the nearest parent folder of the program, or of
    /// the current directory, that contains MiniCnn.sln, otherwise the current directory.
    /// </param>
    public static string Locate(string name, string? directory = null) => Find(name, directory).Folder;

    /// <summary>Downloads the missing files of a data set into a folder. Files are verified by size and SHA-256; archives are unpacked.</summary>
    /// <param name="name">Name of a data set in datasets/sources.json: mnist, fashion-mnist, cifar10 or cats-vs-dogs.</param>
    /// <param name="folder">The target folder, which is created. Existing files, and existing folders of archives, are kept.</param>
    /// <param name="progress">
    /// Receives, for each file, the bytes received and the total bytes; then, for an archive, the name of its folder, the bytes unpacked and the total bytes.
    /// </param>
    /// <param name="cancellationToken">Cancels the download. No partial files remain.</param>
    /// <exception cref="ArgumentException">datasets/sources.json has no such data set.</exception>
    /// <exception cref="DownloadException">No mirror sent a file with the correct size and SHA-256, or a file could not be stored.</exception>
    /// <exception cref="OperationCanceledException">The download was cancelled.</exception>
    public static Task DownloadAsync(
        string name, string folder, Progress? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        DatasetSource source = DatasetSource.All.FirstOrDefault(source => source.Name == name) ?? throw new ArgumentException(
            $"there is no data set “{name}” to download; the data sets are {string.Join(", ", DatasetSource.All.Select(source => source.Name))}", nameof(name));
        DatasetFile[] files = [.. source.Files.Where(file => !Path.Exists(Path.Combine(folder, file.Gives)))];
        // Task.Run: unpacking is synchronous and must not block the caller's thread.
        return Task.Run(() => new Downloader().DownloadAsync(source, files, folder, progress, cancellationToken), cancellationToken);
    }

    /// <summary>Like <see cref="Locate"/>; also returns whether the user gave the folder. Nothing is downloaded automatically into such a folder.</summary>
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

    /// <summary>Downloads the missing files of a data set and waits for them. Throws if files are missing and there is no downloader.</summary>
    /// <param name="name">Name of the data set.</param>
    /// <param name="folder">Folder of its files.</param>
    /// <param name="missing">Returns the names of the files that are missing now, packed or unpacked.</param>
    /// <param name="hint">Text after the names of the missing files in the message.</param>
    /// <param name="downloader">Null if the user gave the folder.</param>
    /// <param name="progress">Receives the progress of each download.</param>
    /// <param name="cancel">Cancels a download.</param>
    internal static void Complete(
        string name, string folder, Func<string[]> missing, string hint, Downloader? downloader, Progress? progress, CancellationToken cancel)
    {
        string[] names = missing();
        if (names.Length > 0 && downloader is not null)
        {
            DatasetSource source = DatasetSource.All.Single(source => source.Name == name);
            DatasetFile[] files = [.. source.Files.Where(
                file => file.Archive is null ? names.Contains(file.Name) : !Path.Exists(Path.Combine(folder, file.Gives)))];
            // Task.Run avoids a deadlock on a user interface thread: the download would wait for the thread that waits for it here.
            Task.Run(() => downloader.DownloadAsync(source, files, folder, progress, cancel), cancel).GetAwaiter().GetResult();
            names = missing();
        }
        if (names.Length > 0)
        {
            string fault = Directory.Exists(folder) ? "it lacks" : "the folder does not exist; it should hold";
            throw new FileNotFoundException($"{folder}: {fault} {string.Join(", ", names)}{hint}");
        }
    }
}
