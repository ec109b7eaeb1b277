using System.Runtime.ExceptionServices;

namespace MiniCnn.Imaging;

/// <summary>What folders of photos have in common: how pictures are found in them, and read into arrays.</summary>
static class PictureFolder
{
    // Those that are not read are pictures that cannot be, and are told of as such.
    static readonly string[] extensions =
    [
        ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".webp", ".gif", ".bmp", ".dib",
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2",
    ];

    // What systems leave beside files.
    static readonly string[] systems = ["__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

    static readonly EnumerationOptions visible = new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System, IgnoreInaccessible = false };

    /// <summary>The files in a folder, each with what is put before its name; and of those that are no pictures, why.</summary>
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

    /// <summary>Whether a name has a picture's extension.</summary>
    public static bool IsPictureName(string name) => extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    /// <summary>The pictures among these.</summary>
    public static IEnumerable<string> Pictures(IEnumerable<(string Name, string? Fault)> files) =>
        files.Where(file => file.Fault is null).Select(file => file.Name);

    /// <summary>The others.</summary>
    public static IEnumerable<SkippedFile> Others(IEnumerable<(string Name, string? Fault)> files, string? className = null) =>
        files.Where(file => file.Fault is not null).Select(file => new SkippedFile(file.Name, file.Fault!, className));

    /// <summary>What is in a folder, but for what is hidden or a system's own, in the ordinal order of the names.</summary>
    public static IEnumerable<FileSystemInfo> Entries(string path) =>
        new DirectoryInfo(path).EnumerateFileSystemInfos("*", visible).Where(entry => !entry.Name.StartsWith('.') && !systems.Contains(entry.Name))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal);

    /// <summary>Whether a name has bytes that are no characters, so that nothing can be opened by it.</summary>
    public static bool HasNoUtf8Name(FileSystemInfo entry) => entry.Name.Contains('\uFFFD', StringComparison.Ordinal) && !entry.Exists;

    /// <summary>Why a file of another extension is no picture, by its first bytes; null if it is one.</summary>
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

    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static void Check(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Directory.Exists(path))
            throw new DirectoryNotFoundException($"{path}: there is no such folder");
    }

    /// <summary>Refuses two folders that are one, or one in the other: masks would be taken for pictures.</summary>
    public static void CheckApart(string pictures, string masks)
    {
        string here = Full(pictures), there = Full(masks);
        if (here.StartsWith(there, StringComparison.Ordinal) || there.StartsWith(here, StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"{masks}: masks need a folder of their own, beside that of the pictures, {pictures}, not in it or around it", nameof(masks));
        }

        static string Full(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) + Path.DirectorySeparatorChar;
    }

    /// <summary>The shape of images, each of which must fit an array.</summary>
    public static ImageShape Shape(int channels, int height, int width, Fit fit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        if (!Enum.IsDefined(fit))
            throw new ArgumentOutOfRangeException(nameof(fit), $"there is no fit {fit}");
        ImageShape shape = new(channels, height, width);
        return (Int128)channels * height * width <= Array.MaxLength
            ? shape : throw new ArgumentException($"an image of {shape} does not fit an array; load them smaller", nameof(width));
    }

    /// <summary>Reads files on all threads: <paramref name="read"/> reads the file of a number, and throws if it cannot.</summary>
    /// <returns>The numbers of the files that were read, and the files that were not.</returns>
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

    /// <summary>Does work on many threads, and throws the first of their exceptions in place of an <see cref="AggregateException"/>.</summary>
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

    /// <summary>Why a file cannot be read, or nothing be made of it; null if it can.</summary>
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

    /// <summary>What is made of a file.</summary>
    public static T Read<T>(string path, Func<Stream, T> load)
    {
        if (new FileInfo(path).Length == 0)                                    // a pipe too, which would have us wait for ever
            throw new PictureFormatException("empty");
        using FileStream file = Open(path);
        return load(file);
    }

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
}
