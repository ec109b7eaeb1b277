using System.Formats.Tar;
using System.Text;

namespace MiniCnn.Tests;

public sealed class UnpackerTests : FolderTests
{
    // folder/set is where archives are unpacked; nothing else in folder may change.

    string Folder => PathOf("set");

    public UnpackerTests()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(PathOf("mine"), "mine");
    }

    static readonly DatasetArchive wanted = new("Pets", ["Cat/#.jpg", "Dog/#.jpg", "note.txt"], Files: 4, MaxBytes: 100_000);

    static readonly byte[] noise = Noise(70_000);

    static readonly (string Name, byte[] Content)[] good =
        [("Pets/Cat/0.jpg", noise), ("Pets/Cat/12499.jpg", [1, 2, 3]), ("Pets/Dog/0.jpg", []), ("Pets/note.txt", [4, 5])];

    static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_wanted_comes_out(bool zip)
    {
        Unpack(Pack(zip, good));
        AssertUnpacked();
    }

    // Names that are not listed letter by letter are left in the archive, wherever they would lead.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_name_leads_elsewhere(bool zip)
    {
        string[] names =
        [
            "../evil", "../../evil", "Pets/../evil", "Pets/../../evil.jpg", "Pets/Cat/../../../evil.jpg", "Pets/Cat/../1.jpg", "./Pets/Cat/1.jpg",
            "Pets/./Cat/1.jpg", "Pets//Cat/1.jpg", "/Pets/Cat/1.jpg", "//Pets/Cat/1.jpg", PathOf("evil"), PathOf("evil.jpg"),
            "C:/Pets/Cat/1.jpg", "C:Pets/Cat/1.jpg", @"C:\Pets\Cat\1.jpg", @"Pets\Cat\1.jpg", @"Pets/Cat\1.jpg", @"..\evil", @"Pets/Cat/..\..\..\evil.jpg",
            "Pets/Cat/1.jpg/", "Pets/Cat/1.jpg/1.jpg", "Pets/Cat/1.jpg.exe", "Pets/Cat/1_jpg", "Pets/Cat/.jpg", "Pets/Cat/a.jpg", "Pets/Cat/-1.jpg",
            "Pets/Cat/1.jpg\n", "Pets/Cat/1.jpg ", "Pets/Cat/1.jpg.", "Pets/Cat/1.jpg:stream", "Pets/Cat/\u0661.jpg", "Pets/Cat/1234567890.jpg",
            "pets/cat/1.jpg", "Pets/Cat/Thumbs.db", "Pets/Bird/1.jpg", "Pets/Cat", "Pets/Cat/", "Pets", "evil/Pets/Cat/1.jpg", "readme[1].txt", ".", "..",
        ];
        foreach (string name in names)
        {
            Unpack(Pack(zip, [(name, "evil"u8.ToArray()), .. good]));
            AssertUnpacked();
        }
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Directory)]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.CharacterDevice)]
    public void A_listed_member_that_is_no_plain_file_is_refused(TarEntryType kind)
    {
        var entry = kind is TarEntryType.SymbolicLink or TarEntryType.HardLink
            ? Archives.Link(kind, "Pets/Cat/0.jpg", "../../../mine") : new GnuTarEntry(kind, "Pets/Cat/0.jpg");
        AssertRefused("its Pets/Cat/0.jpg is not a regular file", Archives.TarGz([entry, .. good[1..].Select(m => Archives.File(m.Name, m.Content))]));
    }

    [Fact]
    public void A_listed_member_that_is_a_link_in_a_zip_is_refused()
    {
        AssertRefused("its Pets/Cat/0.jpg is not a regular file", Archives.Zip(0xA1FF, good));
        Unpack(Archives.Zip(0x81A4, good));
        AssertUnpacked();
    }

    // A link that is not wanted itself is not made, so what comes after it does not go through it.
    [Theory]
    [InlineData("Pets")]
    [InlineData("Pets/Cat")]
    [InlineData("Pets/Cat/")]
    public void A_link_to_elsewhere_is_not_followed(string name)
    {
        Unpack(Archives.TarGz([Archives.Link(TarEntryType.SymbolicLink, name, folder), .. good.Select(m => Archives.File(m.Name, m.Content))]));
        AssertUnpacked();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void More_or_fewer_files_than_wanted_are_refused(bool zip)
    {
        AssertRefused("it holds more than the 4 expected files", Pack(zip, [.. good, ("Pets/Cat/1.jpg", [])]));
        AssertRefused("it holds 3 of the 4 expected files", Pack(zip, good[1..]));
        AssertRefused("it holds 0 of the 4 expected files", Pack(zip, [("else", noise)]));
        AssertRefused("it holds Pets/Cat/0.jpg twice", Pack(zip, [good[0], (good[0].Name, [1]), .. good[1..]]));
    }

    [Fact]
    public void A_zip_that_would_unpack_to_too_much_is_refused()
    {
        AssertRefused("it would unpack to more than 100000 bytes", Archives.Zip([good[0], ("Pets/Cat/1.jpg", new byte[30_001]), .. good[2..]]));
        AssertRefused("it would unpack to more than 100000 bytes", Archives.Zip([("Pets/Cat/1.jpg", new byte[50_000_000])]));
        AssertRefused("it would unpack to more than 100000 bytes", Archives.Declaring(uint.MaxValue - 1, Archives.Zip(("Pets/note.txt", [1]))));
    }

    // Wanted or not, with a header or not: a tar file has to be unpacked to see what comes next.
    [Fact]
    public void A_tar_that_would_unpack_to_too_much_is_refused()
    {
        byte[] zeros = new byte[50_000_000];
        AssertRefused("it unpacks to more than 100000 bytes", Archives.TarGz([good[0], ("Pets/Cat/1.jpg", new byte[29_900]), .. good[2..]]));
        AssertRefused("it unpacks to more than 100000 bytes", Archives.TarGz([("else", zeros), .. good]));
        AssertRefused("it unpacks to more than 100000 bytes", Archives.TarGz([new PaxTarEntry(TarEntryType.RegularFile, "else",
            [KeyValuePair.Create("long", new string(' ', 10_000_000))]), .. good.Select(m => Archives.File(m.Name, m.Content))]));
        AssertRefused("would unpack to more than 100000 bytes", Archives.TarGz([("Pets/Cat/0.jpg", zeros)]));
    }

    // The platform's reader ends a zip's member where it declares to end, so a bomb gives no more than that; less than declared is an error.
    [Fact]
    public void A_member_never_gives_more_than_it_declares()
    {
        var note = wanted with { Members = ["note.txt"], Files = 1 };
        byte[] zip = Archives.Zip(("Pets/note.txt", new byte[50_000]));
        foreach (uint declared in new uint[] { 0, 10, 49_999 })
        {
            try
            {
                Unpack(Archives.Declaring(declared, zip), note);
                Assert.Equal(declared, new FileInfo(Path.Combine(Folder, "Pets", "note.txt")).Length);
                Directory.Delete(Path.Combine(Folder, "Pets"), recursive: true);
            }
            catch (InvalidDataException)
            {
            }
            AssertNothing();
        }
        AssertRefused("its Pets/note.txt unpacks to 50000 of the 50001 bytes that it declares", Archives.Declaring(50_001, zip), note);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cut_archive_is_refused(bool zip)
    {
        byte[] whole = Pack(zip, good);
        foreach (int length in Enumerable.Range(0, 60).Concat(Enumerable.Range(1, 200).Select(i => (int)((long)whole.Length * i / 201))))
            AssertRefused("", whole[..length]);
    }

    // Fields of 12 bytes: octal digits, or a number in binary where the first bit is set.
    [Theory]
    [InlineData(TarEntryType.RegularFile, 124, "20000000005\0")]       // its size: 2 GiB + 5
    [InlineData(TarEntryType.ExtendedAttributes, 124, "20000000005\0")]
    [InlineData(TarEntryType.LongPath, 124, "20000000005\0")]
    [InlineData(TarEntryType.RegularFile, 124, "\u0080\0\0\0\u007F\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF")]
    [InlineData(TarEntryType.RegularFile, 124, "\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF")]     // −1
    [InlineData(TarEntryType.RegularFile, 124, "999999999999")]
    public void A_header_that_declares_nonsense_is_refused(TarEntryType kind, int at, string field)
    {
        byte[] tar = Archives.Patched(Archives.Tar(good.Select(m => Archives.File(m.Name, m.Content))), at, Encoding.Latin1.GetBytes(field));
        AssertRefused("", Idx.Gzip(Archives.Patched(tar, 156, [(byte)kind])));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>no such bucket</html>")]
    [InlineData("PK")]
    [InlineData("Pets/Cat/0.jpg")]
    public void What_is_no_archive_is_refused(string content) => AssertRefused("", Encoding.UTF8.GetBytes(content));

    // What stands there already was whole when it came, and is a person's now.
    [Fact]
    public void A_folder_that_is_there_stays()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "Pets"));
        File.WriteAllText(Path.Combine(Folder, "Pets", "mine"), "mine");
        Unpack(Archives.Zip(good));
        Assert.Equal(["Pets", "Pets/mine"], Archives.Entries(Folder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Progress_is_told_to_the_end(bool zip)
    {
        byte[] archive = Pack(zip, good);
        var told = new DownloadReports();
        Unpack(archive, progress: told);
        Assert.Equal(("Pets", archive.Length, archive.Length), told[^1]);
        Assert.True(told.Count > 4);
        Assert.All(told, t => Assert.Equal(("Pets", archive.Length), (t.File, t.Total)));
        Assert.Equal(told.Select(t => t.Received).Order(), told.Select(t => t.Received));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Cancelling_leaves_nothing(bool zip)
    {
        byte[] archive = Pack(zip, good);
        for (int reports = 0; reports < good.Length; reports++)
        {
            using var cancel = new CancellationTokenSource();
            int left = reports;
            if (reports == 0)
                cancel.Cancel();
            var told = new DownloadReports { Then = _ => { if (--left <= 0) cancel.Cancel(); } };
            Assert.ThrowsAny<OperationCanceledException>(() => Unpack(archive, progress: told, cancel: cancel.Token));
            AssertNothing();
        }
    }

    static byte[] Pack(bool zip, params (string Name, byte[] Content)[] members) => zip ? Archives.Zip(members) : Archives.TarGz(members);

    void Unpack(byte[] archive, DatasetArchive? what = null, IProgress<(string, long, long)>? progress = null, CancellationToken cancel = default)
    {
        string path = Path.Combine(Folder, "archive");
        File.WriteAllBytes(path, archive);
        try
        {
            Unpacker.Unpack(path, what ?? wanted, Folder, progress, cancel);
        }
        finally
        {
            File.Delete(path);
        }
    }

    void AssertUnpacked()
    {
        Assert.Equal(
            [
                "mine", "set", "set/Pets", "set/Pets/Cat", "set/Pets/Cat/0.jpg", "set/Pets/Cat/12499.jpg",
                "set/Pets/Dog", "set/Pets/Dog/0.jpg", "set/Pets/note.txt",
            ],
            Archives.Entries(folder));
        Assert.All(good, member => Assert.Equal(member.Content, File.ReadAllBytes(Path.Combine(Folder, member.Name))));
        Directory.Delete(Path.Combine(Folder, "Pets"), recursive: true);
    }

    void AssertRefused(string fault, byte[] archive, DatasetArchive? what = null)
    {
        var e = Assert.Throws<InvalidDataException>(() => Unpack(archive, what));
        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
        AssertNothing();
    }

    void AssertNothing() => Assert.Equal(["mine", "set"], Archives.Entries(folder));
}
