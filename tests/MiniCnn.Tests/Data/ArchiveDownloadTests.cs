using System.Security.Cryptography;

namespace MiniCnn.Tests;

/// <summary>Archives are verified, then unpacked, then moved to their place.</summary>
public sealed class ArchiveDownloadTests : FolderTests
{
    string Folder => PathOf("set");

    static readonly DatasetArchive wanted = new("Pets", ["Cat/#.jpg"], Files: 2, MaxBytes: 100_000);

    static readonly (string, byte[])[] members = [("Pets/Cat/0.jpg", new byte[500]), ("Pets/Cat/1.jpg", [1, 2, 3]), ("readme.txt", [4])];

    static DatasetSource Source(byte[] archive, string name = "pets.zip") => new("pets", "", "", "", ["https://first.example/", "https://second.example/"],
        [new(name, archive.Length, Convert.ToHexStringLower(SHA256.HashData(archive)), wanted)]);

    Task Download(DatasetSource source, HttpMessageHandler network, IProgress<(string, long, long)>? progress = null, CancellationToken cancel = default) =>
        new Downloader(network).DownloadAsync(source, source.Files, Folder, progress, cancel);

    string[] Files => Directory.Exists(Folder)
        ? [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/')).Order(StringComparer.Ordinal)] : [];

    [Theory]
    [InlineData("pets.zip")]
    [InlineData("pets.tar.gz")]
    public async Task An_archive_is_unpacked_and_not_kept(string name)
    {
        byte[] archive = name == "pets.zip" ? Archives.Zip(members) : Archives.TarGz(members);
        using var network = new Asked(archive);
        var told = new DownloadReports();
        await Download(Source(archive, name), network, told);
        Assert.Equal(["Pets/Cat/0.jpg", "Pets/Cat/1.jpg"], Files);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Path.Combine(Folder, "Pets", "Cat", "1.jpg")));
        Assert.Equal([Path.Combine(Folder, "Pets")], Directory.GetFileSystemEntries(Folder));
        Assert.Equal([name, "Pets"], told.Select(t => t.File).Distinct());
        Assert.Contains((name, archive.Length, archive.Length), told);
        Assert.Equal(("Pets", archive.Length, archive.Length), told[^1]);
    }

    // The archive that came is sound, but is not the published one: it is not even opened.
    [Fact]
    public async Task Nothing_is_unpacked_before_the_checksum_is_right()
    {
        byte[] archive = Archives.Zip(members), other = Archives.Zip([("Pets/Cat/0.jpg", new byte[500]), ("Pets/Cat/1.jpg", [3, 2, 1]), members[2]]);
        Assert.Equal(archive.Length, other.Length);
        using var network = new Asked(other);
        var told = new DownloadReports();
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(Source(archive), network, told));
        Assert.Contains("first.example: it sent", e.Message, StringComparison.Ordinal);
        Assert.Contains("of SHA-256", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Pets", told.Select(t => t.File));
        Assert.Equal(2, network.Requests.Count);
        AssertNothing();
    }

    // The bytes are the published ones, so another mirror would send the same.
    [Fact]
    public async Task An_archive_that_cannot_be_unpacked_is_said_so_in_one_line()
    {
        byte[] archive = Archives.Zip(members[1..]);
        using var network = new Asked(archive);
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(Source(archive), network));
        Assert.Equal($"pets.zip of pets was downloaded, but could not be stored in {Folder} (it holds 1 of the 2 expected files)", e.Message);
        Assert.Equal(["https://first.example/pets.zip"], network.Requests);
        AssertNothing();
    }

    [Fact]
    public async Task What_stands_in_the_way_is_said_in_one_line()
    {
        byte[] archive = Archives.Zip(members);
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "Pets"), "mine");
        using var network = new Asked(archive);
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(Source(archive), network));
        Assert.StartsWith($"pets.zip of pets was downloaded, but could not be stored in {Folder} (", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Equal(["Pets"], Files);
    }

    [Theory]
    [InlineData("pets.zip")]
    [InlineData("Pets")]
    public async Task Cancelling_while_it_comes_or_unpacks_leaves_nothing(string at)
    {
        byte[] archive = Archives.Zip(members);
        using var network = new Asked(archive);
        using var cancel = new CancellationTokenSource();
        var told = new DownloadReports { Then = file => { if (file == at) cancel.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Download(Source(archive), network, told, cancel.Token));
        Assert.Equal(at, told[^1].File);
        AssertNothing();
    }

    [Fact]
    public async Task A_folder_that_was_there_stays_when_a_download_fails()
    {
        Directory.CreateDirectory(Folder);
        using var network = new Asked([1, 2, 3]);
        await Assert.ThrowsAsync<DownloadException>(() => Download(Source(Archives.Zip(members)), network));
        Assert.Equal([Folder], Directory.GetFileSystemEntries(folder));
    }

    void AssertNothing() => Assert.Empty(Directory.GetFileSystemEntries(folder));
}
