namespace MiniCnn.Imaging;

/// <summary>What folders of photos have in common: how pictures are found in them, and read into arrays.</summary>
static class PictureFolder
{
    static readonly string[] extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];
    static readonly EnumerationOptions visible = new() { AttributesToSkip = FileAttributes.Hidden | FileAttributes.System, IgnoreInaccessible = false };

    /// <summary>The extensions of pictures, as a message lists them.</summary>
    public static string Extensions => string.Join(", ", extensions);

    /// <summary>The pictures in a folder, each with what is put before its name.</summary>
    public static IEnumerable<string> Find(string path, string before, bool deep)
    {
        foreach (FileSystemInfo entry in Entries(path))
        {
            if (entry is FileInfo && extensions.Contains(entry.Extension, StringComparer.OrdinalIgnoreCase))
                yield return before + entry.Name;
            if (deep && entry is DirectoryInfo && entry.LinkTarget is null)
                foreach (string name in Find(entry.FullName, $"{before}{entry.Name}/", deep))
                    yield return name;
        }
    }

    /// <summary>What is in a folder, but for what is hidden.</summary>
    public static IEnumerable<FileSystemInfo> Entries(string path) =>
        new DirectoryInfo(path).EnumerateFileSystemInfos("*", visible).Where(entry => !entry.Name.StartsWith('.'));

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

    /// <summary>The shape of so many images, which must fit an array.</summary>
    public static ImageShape Shape(int channels, int height, int width, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), $"expected 1 or 3 channels, got {channels}");
        ImageShape shape = new(channels, height, width);
        return shape.Length <= Array.MaxLength / int.Max(count, 1)
            ? shape
            : throw new ArgumentException($"{count} images of {shape} do not fit an array; load them smaller", nameof(width));
    }

    /// <summary>Reads files on all threads: each by its number, by what throws where it cannot.</summary>
    /// <returns>The numbers of the files that were read, and the files that were not.</returns>
    public static (int[] Kept, SkippedFile[] Skipped) ReadAll(
        string root, IReadOnlyList<string> names, Action<int> read, bool strict, IProgress<(int Done, int Total)>? progress,
        CancellationToken cancellationToken)
    {
        string?[] faults = new string?[names.Count];
        int done = 0;
        Lock reporting = new();
        Parallel.For(0, names.Count, new() { MaxDegreeOfParallelism = Workers.Count, CancellationToken = cancellationToken }, i =>
        {
            try
            {
                read(i);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotFiniteNumberException)
            {
                faults[i] = e.Message;
            }
            if (progress is not null)
                lock (reporting)
                    progress.Report((++done, names.Count));
        });

        SkippedFile[] skipped = [.. names.Zip(faults).Where(x => x.Second is not null).Select(x => new SkippedFile(x.First, x.Second!))];
        if (strict && skipped.Length > 0)
            throw new InvalidDataException($"{root}: cannot read {SkippedFile.Summary(skipped, names.Count)}");
        return ([.. Enumerable.Range(0, names.Count).Where(i => faults[i] is null)], skipped);
    }

    /// <summary>What a file holds.</summary>
    public static Picture Read(string path, Func<Stream, Picture> load)
    {
        if (new FileInfo(path).Length == 0)                                    // a pipe too, which would have us wait for ever
            throw new PictureFormatException("empty");
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return load(file);
    }

    /// <summary>Writes a picture as an image: [C, H, W].</summary>
    public static void Write(Picture picture, ImageShape shape, Span<byte> to)
    {
        if (picture.Channels != shape.Channels)
            picture = shape.Channels == 1 ? picture.ToGrey() : picture.ToRgb();
        byte[] pixels = picture.Resize(shape.Width, shape.Height).Pixels;
        int plane = shape.Height * shape.Width;
        for (int c = 0; c < shape.Channels; c++)
            for (int i = 0; i < plane; i++)
                to[c * plane + i] = pixels[i * shape.Channels + c];
    }

    /// <summary>The parts, each of a length, that are kept, moved together.</summary>
    public static byte[] Keep(int[] kept, byte[] parts, int length)
    {
        for (int i = 0; i < kept.Length; i++)
            if (kept[i] > i)
                parts.AsSpan(kept[i] * length, length).CopyTo(parts.AsSpan(i * length));
        Array.Resize(ref parts, kept.Length * length);
        return parts;
    }
}
