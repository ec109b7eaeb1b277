using System.Diagnostics;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Classes by a rule and by a file of comma-separated values; names and extensions as people have them.</summary>
public sealed class LabeledFolderTests : PhotoFolderTests
{
    static string[] Names(ImageFolder folder) => [.. folder.Files.Select(file => $"{folder.ClassNames[file.Label]} {file.Name}")];

    [Fact]
    public void A_rule_tells_classes()
    {
        Photos("images/Abyssinian_1.jpg", "images/Abyssinian_10.jpg", "images/great_dane_2.png", "more/deep/great_dane_1.jpg", "cover.jpg");
        Other("list.txt");
        Assert.Equal(["Abyssinian", "dane"], ImageFolder.FromNames(root, new Regex("(Abyssinian)|(dane)")).ClassNames);
        string[] expected =
        [
            "Abyssinian images/Abyssinian_1.jpg", "Abyssinian images/Abyssinian_10.jpg", "great_dane images/great_dane_2.png",
            "great_dane more/deep/great_dane_1.jpg",
        ];
        ImageFolder folder = ImageFolder.FromNames(root, new Regex(@"^(.+)_\d+"));
        Assert.Equal(expected, Names(folder));
        Assert.Equal(["Abyssinian", "great_dane"], folder.ClassNames);
        Assert.Equal([("list.txt", true), ("cover.jpg", false)], folder.Skipped.Select(file => (file.Name, file.Reason != "its name gives no class")));
        Assert.Equal(
            expected, Names(ImageFolder.FromNames(root, name => name.LastIndexOf('_') is > 0 and int end ? name[(name.LastIndexOf('/') + 1)..end] : null)));
        Assert.Equal([0, 0, 1, 1], folder.Load(2, 2).Images.Labels);
        Assert.Equal(4, new ImageSplits(folder, 0.3, 0).Load(2, 2).Train.Files.Count + 2);
        Assert.Equal(
            $"{root}: the pattern no group, matched against the file name, with the class in a group (…), gives none of the 5 pictures a class: cover.jpg, "
            + "images/Abyssinian_1.jpg, images/Abyssinian_10.jpg and 2 more",
            Assert.Throws<InvalidDataException>(() => ImageFolder.FromNames(root, new Regex("no group"))).Message);
        Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.FromNames(At("none"), name => name));
        Assert.Equal(["cover.jpg"], ImageFolder.FromNames(root, name => name == "cover.jpg" ? "x" : "").Files.Select(file => file.Name));
        Directory.CreateDirectory(At("empty"));
        Assert.Equal(
            $"{At("empty")}: the folder has no pictures", Assert.Throws<InvalidDataException>(() => ImageFolder.FromNames(At("empty"), name => name)).Message);
    }

    [Theory]
    [InlineData("file,label\na/1.jpg,cat\n2.png,dog\n\"b, c/3.jpg\",\"big \"\"dog\"\"\"\n", null, null)]
    [InlineData("a/1.jpg,cat\r\n2.png,dog\r\n\"b, c/3.jpg\",\"big \"\"dog\"\"\"", null, null)]
    [InlineData("id,breed\n2,dog\na\\1,cat\n\n\"b, c/3\",\"big \"\"dog\"\"\"", null, null)]
    [InlineData("split,breed,id\nx,dog,2\nx,cat,a/1\ny,\"big \"\"dog\"\"\",\"b, c/3\"", "id", "breed")]
    [InlineData("\uFEFF2,dog\n2,dog\n./a/1.jpg,cat\n\"b, c/3\",\"big \"\"dog\"\"\"", null, null)]
    public void A_file_tells_classes(string csv, string? fileColumn, string? classColumn)
    {
        Photos("a/1.jpg", "2.png", "b, c/3.jpg", "4.png");
        Other("labels.csv", csv);
        ImageFolder folder = ImageFolder.FromCsv(root, At("labels.csv"), fileColumn, classColumn);
        Assert.Equal(["big \"dog\" b, c/3.jpg", "cat a/1.jpg", "dog 2.png"], Names(folder));
        Assert.Equal([new("4.png", "not in labels.csv")], folder.Skipped);
        Assert.Equal(3, folder.Load(2, 2).Images.Count);
    }

    [Fact]
    public void A_file_of_classes_that_does_not_fit_is_refused_with_its_line()
    {
        Photos("1.jpg", "2.png", "2.jpg");
        Refused($"labels.csv: expected names of the 3 pictures in {root}: 1.jpg, 2.jpg, 2.png; found no names", "");
        Refused("; found 7, 8", "id,label\n7,cat\n8,dog");
        Refused("line 5: expected a picture and its class, found 2.png", "\n1,cat\n\n\n2.png");
        Refused("line 2: expected a picture and its class, separated by a comma, found 1;cat", "id;label\n1;cat\n2.png;dog");
        Refused("line 3: 2.png has no class", "1,cat\n\n2.png,\n\n");
        Refused("line 3: 1.jpg is dog here, but cat in an earlier line", "1,cat\n2.png,cat\n1.jpg,dog");
        Refused("line 3: 2 matches several pictures, ", "id,label\n1,cat\n2,dog");
        Refused("line 2: a quotation mark is not closed", "1,cat\n\"2.png,dog");
        Refused("expected a column breed, found the columns id, label", "id,label\n1,cat", "breed");
        Other("labels.csv", "1,cat\n2.png,dog\n9.jpg,dog");
        ImageFolder folder = ImageFolder.FromCsv(root, At("labels.csv"));
        Assert.Equal([new("9.jpg", "named in labels.csv, but the file does not exist", "dog"), new("2.jpg", "not in labels.csv")], folder.Skipped);
        Assert.EndsWith(
            "\nnot read, dog: 1 of 2 files: 9.jpg (named in labels.csv, but the file does not exist)\nnot read: 1 of 1 files: 2.jpg (not in labels.csv)",
            folder.Load(1, 1).ToString(), StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => ImageFolder.FromCsv(root, At("none.csv")));
        Other("labels.csv", "0.jpg,cat\n2.png,dog");                        // a picture's name is no column's
        Assert.Equal(["0.jpg", "1.jpg", "2.jpg"], ImageFolder.FromCsv(root, At("labels.csv")).Skipped.Select(file => file.Name).Order());

        void Refused(string fault, string csv, string? column = null)
        {
            Other("labels.csv", csv);
            string message = Assert.Throws<InvalidDataException>(() => ImageFolder.FromCsv(root, At("labels.csv"), classColumn: column)).Message;
            Assert.StartsWith(At("labels.csv"), message, StringComparison.Ordinal);
            Assert.Contains(fault, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pictures_have_many_extensions_or_none()
    {
        string[] pictures = ["a/1.jfif", "a/2.JPE", "a/3.dib", "a/4", "a/5.photo", "a/6.tiff", "a/7.heic", "b/1.webp"];
        Photos(pictures);
        foreach (string system in (string[])["__MACOSX/a/1.jpg", "a/__MACOSX/._1.jpg", "a/Thumbs.db", "a/desktop.ini", ".DS_Store", "a/.DS_Store", "@eaDir/1.jpg"])
            Other(system, "\0\u0005\u0016\u0007");
        Other("a/8.tif", "II*\0");
        Other("a/9.heic", "\0\0\0\u0018ftypheic");
        Other("a/x.svg", "<svg/>");
        Other("a/y.bin", "");
        LoadedImages<LabeledImages> loaded = new ImageFolder(root).Load(2, 2);
        Assert.Equal(pictures, loaded.Files);
        Assert.Equal(["a", "b"], loaded.Images.ClassNames);
        const string Read = "expected JPEG, PNG, WebP, GIF or BMP, found ";
        Assert.Equal(
            [
                new("a/8.tif", Read + "a TIFF or a camera RAW file", "a"), new("a/9.heic", Read + "a HEIC", "a"),
                new("a/x.svg", Read + "a web page or an SVG", "a"),
                new("a/y.bin", "empty", "a"),
            ], loaded.Skipped.OrderBy(file => file.Name, StringComparer.Ordinal));
    }

    // .NET cannot write such names.
    [Fact]
    public void Names_that_are_not_UTF8_are_named()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Photos("a/1.png", "b/1.png");
        Shell(@"cp a/1.png ""a/$(printf 'caf\351').png""; mkdir ""a/$(printf 'd\351')""; cp a/1.png ""a/$(printf 'd\351')/2.png""");
        LoadedImages<LabeledImages> loaded = new ImageFolder(root).Load(2, 2);
        Assert.Equal(["a/1.png", "b/1.png"], loaded.Files);
        Assert.Equal(
            [new("a/caf\uFFFD.png", "its name is not UTF-8; rename it", "a"), new("a/d\uFFFD", "its name is not UTF-8; rename it", "a")],
            loaded.Skipped.OrderBy(file => file.Name, StringComparer.Ordinal));
        Shell(@"mkdir ""$(printf 'chi\350n')""");
        Assert.Equal(
            $"{root}: the folder chi\uFFFDn cannot be opened because its name is not UTF-8; rename it",
            Assert.Throws<InvalidDataException>(() => new ImageFolder(root)).Message);
        Shell("rm -r a chi*");
        Photos("real\uFFFD/a/1.png", "real\uFFFD/b/1.png");
        Assert.Equal(2, new ImageFolder(At("real\uFFFD")).Files.Count);               // the character itself is one

        void Shell(string script)
        {
            using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", script]) { WorkingDirectory = root })!;
            shell.WaitForExit();
            Assert.Equal(0, shell.ExitCode);
        }
    }
}
