using System.Runtime.ExceptionServices;

namespace MiniCnn.Imaging;

/// <summary>Finds and reads the pictures of a folder.</summary>
static class PictureFolder
{
    // Formats that are not supported are listed too, so that their files are reported as pictures that cannot be read.
    static readonly string[] extensions =
    [
        ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".webp", ".gif", ".bmp", ".dib",
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2",
    ];

    // Files and folders that operating systems and storage devices create.
    static readonly string[] systems = ["__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

    static readonly EnumerationOptions visible = new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System, IgnoreInaccessible = false };

    /// <summary>The files of a folder, with <paramref name="before"/> as prefix of the names. Files that are not pictures have the reason as Fault.</summary>
    public static IEnumerable<(string Name, string? Fault)> List(string path, string before = "", bool deep = true)
    {
        foreach (FileSystemInfo entry in Entries(path))
        {
            string name = before + entry.Name;
            if (HasNoUtf8Name(entry))
                yield return (name, "its name is not UTF-8; rename it");
            else if (entry is FileInfo file)
                yield return (name, IsPictureName(name) ? null : Sniff(file));
            else if (deep && entry.LinkTarget is not null)
                yield return (name, "a link to a folder, which is not followed");
            else if (deep)
                foreach ((string, string?) below in List(entry.FullName, $"{name}/"))
                    yield return below;
        }
    }

    /// <summary>Whether a name has the extension of a picture format.</summary>
    public static bool IsPictureName(string name) => extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of the files that are pictures.</summary>
    public static IEnumerable<string> Pictures(IEnumerable<(string Name, string? Fault)> files) =>
        files.Where(file => file.Fault is null).Select(file => file.Name);

    /// <summary>The files that are not pictures.</summary>
    public static IEnumerable<SkippedFile> Others(IEnumerable<(string Name, string? Fault)> files, string? className = null) =>
        files.Where(file => file.Fault is not null).Select(file => new SkippedFile(file.Name, file.Fault!, className));

    /// <summary>The entries of a folder in the ordinal order of their names, without hidden and system files.</summary>
    public static IEnumerable<FileSystemInfo> Entries(string path) =>
        new DirectoryInfo(path).EnumerateFileSystemInfos("*", visible).Where(entry => !entry.Name.StartsWith('.') && !systems.Contains(entry.Name))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal);

    /// <summary>Whether a name is not valid UTF-8, so that .NET cannot open the entry.</summary>
    public static bool HasNoUtf8Name(FileSystemInfo entry) => entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !entry.Exists;

    /// <summary>The reason why a file without a picture's extension is not a picture, by its first bytes; null if it is a picture.</summary>
    static string? Sniff(FileInfo file)
    {
        try
        {
            if (file.Length == 0) return "empty";
            using FileStream stream = Open(file.FullName);
            Span<byte> start = stackalloc byte[16];
            PictureFile.FormatOf(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            throw new DirectoryNotFoundException($"{path}: the folder does not exist");
    }

    /// <summary>Throws if two folders are the same or one is inside the other: masks would be listed as pictures.</summary>
    public static void CheckApart(string pictures, string masks)
    {
        string here = Full(pictures), there = Full(masks);
        if (here.StartsWith(there, StringComparison.Ordinal) || there.StartsWith(here, StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"{masks}: expected a folder of masks that is not the folder of pictures, {pictures}, and not inside or around it", nameof(masks));
        }

        static string Full(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;
    }

    /// <summary>The shape of the images. Throws if it is not valid or an image does not fit into an array.</summary>
    public static ImageShape Shape(int channels, int height, int width, Fit fit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        if (!Enum.IsDefined(fit))
            throw new ArgumentOutOfRangeException(nameof(fit), $"expected the fit {string.Join(", ", Enum.GetNames<Fit>())}, got {fit}");
        ImageShape shape = new(channels, height, width);
        return (Int128)channels * height * width <= Array.MaxLength
            ? shape : throw new ArgumentException($"an image of {shape} does not fit into an array; load smaller images", nameof(width));
    }

    /// <summary>Reads files on all threads. <paramref name="read"/> reads the file with an index, and throws if it cannot be read.</summary>
    /// <returns>The indices of the files that were read, and the files that were not read.</returns>
    public static (int[] Kept, SkippedFile[] Skipped) ReadAll(
        string root, IReadOnlyList<string> names, Action<int> read, bool strict, IProgress<(int Done, int Total)>? progress,
        CancellationToken cancellationToken, Func<int, string?>? classOf = null)
    {
        string?[] faults = new string?[names.Count];
        int done = 0;
        Lock reporting = new();
        ParallelOptions options = new() { MaxDegreeOfParallelism = Workers.Count, CancellationToken = cancellationToken };
        AsItself(() => Parallel.For(0, names.Count, options, i =>
        {
            faults[i] = FaultOf(() => read(i));
            if (progress is not null)
                lock (reporting)
                    progress.Report((++done, names.Count));
        }));

        ILookup<bool, int> bad = Enumerable.Range(0, names.Count).ToLookup(i => faults[i] is not null);
        SkippedFile[] skipped = [.. bad[true].Select(i => new SkippedFile(names[i], faults[i]!, classOf?.Invoke(i)))];
        if (strict && skipped.Length > 0)
            throw new InvalidDataException($"{root}: cannot read {SkippedFile.Summary(skipped, names.Count)}");
        return ([.. bad[false]], skipped);
    }

    /// <summary>Runs parallel work, and throws its first exception instead of an <see cref="AggregateException"/>.</summary>
    public static T AsItself<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
            throw;
        }
    }

    /// <summary>The reason why a file cannot be read or processed; null if it can.</summary>
    public static string? FaultOf(Action read)
    {
        try
        {
            read();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotFiniteNumberException)
        {
            return e.Message;
        }
    }

    /// <summary>Opens a file and returns the result of <paramref name="load"/>.</summary>
    public static T Read<T>(string path, Func<Stream, T> load)
    {
        if (new FileInfo(path).Length == 0)                                    // also true for a pipe, on which reading would block forever
            throw new PictureFormatException("empty");
        using FileStream file = Open(path);
        return load(file);
    }

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
}
