namespace MiniCnn.Tests;

/// <summary>Archives with bytes changed, cut, inserted and repeated at random either unpack or throw one exception.</summary>
public sealed class MutatedArchivesTests : FolderTests
{
    static readonly DatasetArchive wanted = new("Pets", ["Cat/#.jpg", "note.txt"], Files: 2, MaxBytes: 50_000);

    [Theory]
    [InlineData("zip")]
    [InlineData("tar.gz")]
    [InlineData("tar")]     // mutated before it is gzipped: else gzip's checksum finds nearly all
    public void Mutated_archives_never_reach_beyond_their_folder(string kind)
    {
        byte[] noise = new byte[3_000];
        new Random(1).NextBytes(noise);
        (string, byte[])[] members = [("Pets/Cat/0.jpg", noise), ("Pets/note.txt", new byte[9_000]), ("../evil", [1]), ("Pets/Thumbs.db", [2])];
        byte[] archive = kind == "zip" ? Archives.Zip(members)
            : kind == "tar.gz" ? Archives.TarGz(members) : Archives.Tar(members.Select(m => Archives.File(m.Item1, m.Item2)));
        string set = PathOf("set"), path = Path.Combine(set, "archive");
        Directory.CreateDirectory(set);
        int runs = int.TryParse(Environment.GetEnvironmentVariable("MINICNN_FUZZ"), out int n) ? n : 500, whole = 0;
        for (int run = 0; run < runs; run++)
        {
            byte[] mutated = MutatedFiles.Mutate([archive], run);
            File.WriteAllBytes(path, kind == "tar" ? Idx.Gzip(mutated) : mutated);
            try
            {
                Unpacker.Unpack(path, wanted, set, null, default);
                whole++;
                AssertEntries(["set", "set/Pets", "set/Pets/Cat", "set/Pets/Cat/#.jpg", "set/Pets/note.txt", "set/archive"]);
                Directory.Delete(Path.Combine(set, "Pets"), recursive: true);
            }
            catch (InvalidDataException)
            {
                AssertEntries(["set", "set/archive"]);
            }
        }
        Assert.InRange(whole, runs / 100, runs - runs / 100);       // both ways are walked
    }

    // The numbers in names may have been mutated to other numbers.
    void AssertEntries(string[] expected) => Assert.Equal(expected, Archives.Entries(folder)
        .Select(path => path.StartsWith("set/Pets/Cat/", StringComparison.Ordinal) ? "set/Pets/Cat/#.jpg" : path).Order(StringComparer.Ordinal));
}
