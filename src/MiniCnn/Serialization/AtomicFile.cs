namespace MiniCnn;

/// <summary>Files that are either whole or not there.</summary>
static class AtomicFile
{
    /// <summary>
    /// Writes <c>path.tmp</c> beside <paramref name="path"/>, flushes it to the disk and renames it over <paramref name="path"/>.
    /// If <paramref name="write"/> throws, what stood at <paramref name="path"/> stays and nothing else is left behind.
    /// </summary>
    /// <exception cref="IOException">The folder does not exist, the disk is full, or another writer is at the same file.</exception>
    public static void Write(string path, Action<Stream> write) => Write(path, previous: null, write);

    /// <summary>The same; what stood at the path stays at another, if that is given. Between two renames nothing stands at the path.</summary>
    internal static void Write(string path, string? previous, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is string folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path}: there is no such folder");
        string temporary = path + ".tmp";
        FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            if (previous is not null && File.Exists(path))
                File.Move(path, previous, overwrite: true);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
