using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace MiniCnn.Tests;

/// <summary>Creates archives with members of any name and kind.</summary>
static class Archives
{
    public static byte[] Zip(params (string Name, byte[] Content)[] members) => Zip(0, members);

    /// <param name="mode">The Unix mode of all members, as Unix's zip programs write it: 0xA1FF is a symbolic link.</param>
    /// <param name="members">In this order.</param>
    public static byte[] Zip(int mode, params (string Name, byte[] Content)[] members)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create))
            foreach (var (name, content) in members)
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = mode << 16;
                entry.LastWriteTime = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
                using var into = entry.Open();
                into.Write(content);
            }
        return stream.ToArray();
    }

    public static byte[] TarGz(params (string Name, byte[] Content)[] members) => Idx.Gzip(Tar(members.Select(m => File(m.Name, m.Content))));

    public static byte[] TarGz(params TarEntry[] entries) => Idx.Gzip(Tar(entries));

    public static byte[] Tar(IEnumerable<TarEntry> entries)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream))
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        return stream.ToArray();
    }

    public static TarEntry File(string name, byte[] content) =>
        new GnuTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), ModificationTime = DateTimeOffset.UnixEpoch };

    public static TarEntry Link(TarEntryType kind, string name, string to) =>
        new GnuTarEntry(kind, name) { LinkName = to, ModificationTime = DateTimeOffset.UnixEpoch };

    /// <summary>Overwrites a field of a tar file's first header, and corrects the checksum of the header.</summary>
    public static byte[] Patched(byte[] tar, int at, ReadOnlySpan<byte> field)
    {
        byte[] patched = [.. tar];
        field.CopyTo(patched.AsSpan(at));
        patched.AsSpan(148, 8).Fill((byte)' ');
        int sum = patched.Take(512).Sum(b => b);
        Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(patched, 148);
        return patched;
    }

    /// <summary>Overwrites the unpacked size that a zip file of one member declares.</summary>
    public static byte[] Declaring(uint size, byte[] zip)
    {
        byte[] lying = [.. zip];
        int directory = lying.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(lying.AsSpan(directory + 24), size);
        BitConverter.TryWriteBytes(lying.AsSpan(22), size);      // the local header is first
        return lying;
    }

    /// <summary>The relative paths of all files and folders in a folder, in ordinal order.</summary>
    public static string[] Entries(string folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
