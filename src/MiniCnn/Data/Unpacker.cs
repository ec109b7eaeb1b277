using System.Formats.Tar;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>Unpacks archives, .zip and .tar.gz, which are told apart by their first bytes. No archive is trusted.</summary>
/// <remarks>
/// Only members whose names are listed, letter by letter, are unpacked, so no name leads out of the folder; a listed member that is a link
/// is refused. What members declare is believed only as a bound: no more is written, and no more than was said in all.
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

    /// <summary>Unpacks the wanted folder of an archive into <paramref name="folder"/>, where it appears when it is whole.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged, or does not hold exactly what is wanted.</exception>
    /// <exception cref="IOException">The disk is full, or something is in the way.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; as after any other exception, nothing is left behind.</exception>
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
            if (!Directory.Exists(to))      // else another program was faster
                Directory.Move(from, to);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or InvalidOperationException or NotSupportedException
            or FormatException or OverflowException)
        {
            // What the readers of the platform throw at archives that are no such thing.
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
            throw new InvalidDataException($"it holds {files} of the {wanted.Files} files that are wanted");
        report(long.MaxValue);
    }

    void UnpackZip(FileStream file, Action<long> report)
    {
        using ZipArchive zip = new(file, ZipArchiveMode.Read);
        long packed = 0;
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            int kind = entry.ExternalAttributes >> 28 & 15;      // of the Unix mode; 0: not said
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
            throw new InvalidDataException($"its {name} is not a plain file");
        if (++files > wanted.Files)
            throw new InvalidDataException($"it holds more than the {wanted.Files} files that are wanted");
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

    /// <summary>The first bytes of a stream; to ask for more is an error.</summary>
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
