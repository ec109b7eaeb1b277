using System.Formats.Tar;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Unpacks .zip and .tar.gz archives, detected by their first byte. Archives are treated as untrusted.</summary>
/// <remarks>
/// Only members with listed names are unpacked, so no name can lead out of the folder. A listed member that is a link is refused. The declared size of a member
/// is an upper limit for the bytes written, and <see cref="DatasetArchive.MaxBytes"/> limits their sum.
/// </remarks>
sealed class Unpacker
{
    readonly DatasetArchive wanted;
    readonly string into;
    readonly Regex members;
    readonly CancellationToken cancel;
    readonly byte[] buffer = new byte[1 << 16];
    int files;
    long bytes;

    Unpacker(DatasetArchive wanted, string into, CancellationToken cancel)
    {
        (this.wanted, this.into, this.cancel) = (wanted, into, cancel);
        IEnumerable<string> names = wanted.Members.Select(member => Regex.Escape($"{wanted.Folder}/{member}").Replace(@"\#", "[0-9]{1,9}"));
        members = new($@"\A(?:{string.Join('|', names)})\z", RegexOptions.CultureInvariant);
    }

    /// <summary>Unpacks a folder of an archive into <paramref name="folder"/>. It appears there only when it is complete.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged, or does not hold exactly the expected files.</exception>
    /// <exception cref="IOException">The disk is full, or a file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. No partial files remain, as after any other exception.</exception>
    public static void Unpack(string archive, DatasetArchive wanted, string folder, Progress? progress, CancellationToken cancel)
    {
        string into = Path.Combine(folder, $"{wanted.Folder}.{Path.GetRandomFileName()}.part");
        string from = Path.Combine(into, wanted.Folder), to = Path.Combine(folder, wanted.Folder);
        try
        {
            using (FileStream file = File.OpenRead(archive))
            {
                long size = file.Length;
                new Unpacker(wanted, into, cancel).Unpack(file, at => progress?.Report((wanted.Folder, long.Min(at, size), size)));
            }
            if (!Directory.Exists(to))      // it exists if another process was faster
                Directory.Move(from, to);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or InvalidOperationException or NotSupportedException
            or FormatException or OverflowException)
        {
            // Exceptions of .NET's archive readers for damaged archives.
            throw new InvalidDataException($"it is damaged ({e.Message})", e);
        }
        finally
        {
            if (Directory.Exists(into))
                Directory.Delete(into, recursive: true);
        }
    }

    void Unpack(FileStream file, Action<long> report)
    {
        bool zip = file.ReadByte() == 'P';
        file.Position = 0;
        if (zip)
            UnpackZip(file, report);
        else
            UnpackTar(file, report);
        if (files < wanted.Files)
            throw new InvalidDataException($"it holds {files} of the {wanted.Files} expected files");
        report(long.MaxValue);
    }

    void UnpackZip(FileStream file, Action<long> report)
    {
        using ZipArchive zip = new(file, ZipArchiveMode.Read);
        long packed = 0;
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            int kind = entry.ExternalAttributes >> 28 & 15;      // file type of the Unix mode: 8 is a regular file, 0 is unknown
            if (members.IsMatch(entry.FullName))
                using (Stream content = entry.Open())
                {
                    Write(entry.FullName, kind is 0 or 8, entry.Length, content);
                }
            report(packed += entry.CompressedLength);
        }
    }

    void UnpackTar(FileStream file, Action<long> report)
    {
        using BoundedStream unzipped = new(new GZipStream(file, CompressionMode.Decompress), wanted.MaxBytes, cancel);
        using TarReader tar = new(unzipped);
        while (tar.GetNextEntry() is TarEntry entry)
        {
            if (members.IsMatch(entry.Name))
                Write(entry.Name, entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile, entry.Length, entry.DataStream ?? Stream.Null);
            report(file.Position);
        }
    }

    void Write(string name, bool plain, long length, Stream content)
    {
        if (!plain)
            throw new InvalidDataException($"its {name} is not a regular file");
        if (++files > wanted.Files)
            throw new InvalidDataException($"it holds more than the {wanted.Files} expected files");
        if (length > wanted.MaxBytes - bytes)
            throw new InvalidDataException($"it would unpack to more than {wanted.MaxBytes} bytes");
        bytes += length;

        string path = Path.Combine(into, name);
        if (File.Exists(path))
            throw new InvalidDataException($"it holds {name} twice");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream disk = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        long written = 0;
        int count;
        while ((count = content.Read(buffer)) > 0)
        {
            cancel.ThrowIfCancellationRequested();
            written += count;
            if (written > length)
                throw new InvalidDataException($"its {name} unpacks to more than the {length} bytes that it declares");
            disk.Write(buffer, 0, count);
        }
        if (written < length)
            throw new InvalidDataException($"its {name} unpacks to {written} of the {length} bytes that it declares");
    }

    /// <summary>A stream that throws when more than a maximum number of bytes is read.</summary>
    sealed class BoundedStream(Stream stream, long most, CancellationToken cancel) : Stream
    {
        long read;

        public override int Read(Span<byte> buffer)
        {
            cancel.ThrowIfCancellationRequested();
            int count = stream.Read(buffer);
            read += count;
            return read <= most ? count : throw new InvalidDataException($"it unpacks to more than {most} bytes");
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                stream.Dispose();
            base.Dispose(disposing);
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
