namespace MiniCnn;

/// <summary>Writes files atomically.</summary>
static class AtomicFile
{
    /// <summary>
    /// Writes <c>path.tmp</c>, flushes it to the disk and renames it to <paramref name="path"/>. If <paramref name="write"/> throws, an existing file at
    /// <paramref name="path"/> is kept and the temporary file is deleted.
    /// </summary>
    /// <exception cref="IOException">The folder does not exist, the disk is full, or another process is writing the same file.</exception>
    public static void Write(string path, Action<Stream> write) => Write(path, previous: null, write);

    /// <summary>
    /// Writes a file atomically, and first renames an existing file to <paramref name="previous"/> if that is not null. Between the two renames, there is no
    /// file at <paramref name="path"/>.
    /// </summary>
    internal static void Write(string path, string? previous, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is string folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{path}: the folder does not exist");
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
