using MiniCnn.Imaging;

namespace MiniCnn.Tests;

[Collection("Workers")]                                               // one of these tests turns Workers.Count
public sealed class ImageFolderTests : PhotoFolderTests
{
    string[] Names(string below = "") => [.. new ImageFolder(Path.Combine(root, below)).Files.Select(file => $"{file.Label} {file.Name}")];

    // Ordinal order: capitals before small letters, 10 before 2, '-' before '/'.
    [Fact]
    public void Subfolders_are_classes_in_ordinal_order_and_all_below_them_is_theirs()
    {
        Photos("c/2.png", "c/10.PNG", "c/deep/er/1.jpg", "a/x.Jpeg", "a/Z.png", "a/deep-1.png", "B/1.bmp", "a/deep/3.gif", "a/w.WebP", "a/é ü/日.png");
        Other("a/Thumbs.db");
        Other("a/.hidden.png");
        Other("a/.hidden/1.png");
        Other("a/notes.txt");
        Other("a/png");
        Other(".git/1.png");
        Other("readme.txt");
        Photo("cover.png");
        ImageFolder folder = new(root);
        Assert.Equal(["B", "a", "c"], folder.ClassNames);
        Assert.Equal(root, folder.Root);
        Assert.Equal(
            [
                "0 B/1.bmp", "1 a/Z.png", "1 a/deep-1.png", "1 a/deep/3.gif", "1 a/w.WebP", "1 a/x.Jpeg", "1 a/é ü/日.png",
                "2 c/10.PNG", "2 c/2.png", "2 c/deep/er/1.jpg",
            ], Names());
        string none = "expected JPEG, PNG, WebP, GIF or BMP, found a file that begins with 6E6F2070";
        Assert.Equal(
            [
                new("a/notes.txt", none, "a"), new("a/png", none, "a"), new("cover.png", "next to the class folders"), new("readme.txt", none),
            ], folder.Skipped.OrderBy(file => file.Name, StringComparer.Ordinal));
    }

    [Fact]
    public void Without_subfolders_names_tell_the_classes()
    {
        Photos("train/dog.0.jpg", "train/cat.10.jpg", "train/cat.9.jpg", "train/Cat.1.png", "train/my.cat.3.jpg");
        Other("train/sampleSubmission.csv");
        string[] expected = ["0 Cat.1.png", "1 cat.10.jpg", "1 cat.9.jpg", "2 dog.0.jpg", "3 my.cat.3.jpg"];
        Assert.Equal(expected, Names("train"));
        Assert.Equal(["Cat", "cat", "dog", "my.cat"], new ImageFolder(Path.Combine(root, "train")).ClassNames);
        Assert.Equal(expected, Names());                                      // the folder as the archive unpacks it
    }

    [Fact]
    public void A_folder_around_the_classes_stands_for_them()
    {
        Photos("PetImages/Cat/0.jpg", "PetImages/Dog/0.jpg");
        Other("PetImages/Cat/Thumbs.db");
        Other("readme[1].txt");
        Assert.Equal(["0 Cat/0.jpg", "1 Dog/0.jpg"], Names());
        Assert.Equal(Path.Combine(root, "PetImages"), new ImageFolder(root).Root);
        Assert.Equal(
            [
                new("readme[1].txt", "expected JPEG, PNG, WebP, GIF or BMP, found a file that begins with 6E6F2070"),
            ], new ImageFolder(root).Skipped);
        Assert.Equal(["0 Cat/0.jpg", "1 Dog/0.jpg"], Names("PetImages"));
    }

    [Fact]
    public void One_class_is_a_class()
    {
        Photos("cat/1.jpg", "cat/more/2.jpg");
        Assert.Equal(["0 cat/1.jpg", "0 cat/more/2.jpg"], Names());
        Photos("other/cover.jpg", "other/pets/cat.0.jpg", "other/pets/dog.0.jpg");
        Assert.Equal(["0 pets/cat.0.jpg", "0 pets/dog.0.jpg"], Names("other"));                 // a folder beside a picture is not mere wrapping
    }

    [Fact]
    public void What_has_no_classes_or_an_empty_one_is_refused()
    {
        Assert.StartsWith(At("none"), Assert.Throws<DirectoryNotFoundException>(() => Names("none")).Message, StringComparison.Ordinal);
        Refused("no classes: expected a subfolder for each class, or files with names such as cat.0.jpg");
        Other("dog/notes.txt");
        Refused(
            "the class dog has no pictures, only 1 of 1 files: dog/notes.txt (expected JPEG, PNG, WebP, GIF or BMP, found a file that begins with 6E6F2070); "
            + "allowEmpty: true accepts it");
        Directory.Delete(Path.Combine(root, "dog"), recursive: true);
        Other("notes.txt");
        Refused("no classes: expected a subfolder for each class, or files with names such as cat.0.jpg");
        Photos("cat.0.jpg", "cover.jpg");
        Refused("cover.jpg has no class: expected a subfolder for each class, or names such as cat.0.jpg");
        Photos("cat/0.jpg");
        Other("dog/Thumbs.db");
        Refused("the class dog has no pictures; allowEmpty: true accepts it");
        ImageFolder allowed = new(root, allowEmpty: true);
        Assert.Equal(["cat", "dog"], allowed.ClassNames);
        Assert.Equal([0], allowed.Load(2, 2).Images.Labels);
        Directory.Delete(Path.Combine(root, "dog"), recursive: true);
        Assert.Equal(["0 cat/0.jpg"], Names());

        void Refused(string fault) => Assert.Equal($"{root}: {fault}", Assert.Throws<InvalidDataException>(() => Names()).Message);
    }

    // Links need a right on Windows that few have.
    [Fact]
    public void Links_lead_to_classes_but_never_in_circles()
    {
        if (OperatingSystem.IsWindows())
            return;
        Photos("there/1.png", "set/a/1.png", "set/a/more/2.png");
        Directory.CreateSymbolicLink(At("set/b"), Path.Combine(root, "there"));
        Directory.CreateSymbolicLink(At("set/circle"), Path.Combine(root, "set"));
        Directory.CreateSymbolicLink(At("set/up"), root);
        Directory.CreateSymbolicLink(At("set/a/circle"), "..");
        Directory.CreateSymbolicLink(At("there/self"), Path.Combine(root, "there"));
        File.CreateSymbolicLink(At("set/a/3.png"), Path.Combine(root, "there", "1.png"));
        File.CreateSymbolicLink(At("set/a/4.png"), "nowhere.png");
        Directory.CreateSymbolicLink(At("only/only"), ".");
        Assert.Equal(["0 a/1.png", "0 a/3.png", "0 a/4.png", "0 a/more/2.png", "1 b/1.png"], Names("set"));
        Assert.Equal(["a/circle", "b/self", "a/4.png"], new ImageFolder(Path.Combine(root, "set")).Load(2, 2).Skipped.Select(file => file.Name));
        Assert.Contains("no classes", Assert.Throws<InvalidDataException>(() => Names("only")).Message, StringComparison.Ordinal);
        Directory.CreateSymbolicLink(At("real/self"), Path.Combine(root, "real"));
        Directory.CreateSymbolicLink(At("alias"), "real");                    // a circle that does not pass through the folder's own name
        string fault = Assert.Throws<InvalidDataException>(() => Names("alias")).Message;
        Assert.StartsWith($"{At("alias")}: the class self has no pictures", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_keeps_the_pictures_at_the_size_asked_for()
    {
        Picture photo = new(7, 5);
        new Random(1).NextBytes(photo.Pixels);
        Save("a/1.png", photo);
        Save("b/1.png", photo.ToGrey());
        LabeledImages images = new ImageFolder(root).Load(height: 3, width: 4).Images;
        byte[] small = photo.Resize(4, 3).Pixels, grey = photo.ToGrey().Resize(4, 3).Pixels;
        byte[] Planes(byte[] pixels, int channels) => [.. Enumerable.Range(0, 36).Select(i => pixels[channels == 3 ? i % 12 * 3 + i / 12 : i % 12])];
        Assert.Equal([.. Planes(small, 3), .. Planes(grey, 1)], images.Pixels.ToArray());
        Assert.Equal(new ImageShape(3, 3, 4), images.Shape);
        Assert.Equal([0, 1], images.Labels);
        Assert.Equal(["a", "b"], images.ClassNames);
        Assert.Equal([0, 0, 0], images.Mean);
        Assert.Equal([1, 1, 1], images.Std);
        Assert.Equal([.. grey, .. grey], new ImageFolder(root).Load(3, 4, channels: 1).Images.Pixels.ToArray());
    }

    [Fact]
    public void What_cannot_be_read_is_skipped_and_told()
    {
        Photo("Cat/1.jpg", red: 1);
        Photo("Cat/7.jpg", red: 7);
        Photo("Dog/3.jpg", red: 3);
        Other("Cat/666.jpg", "");
        Other("Dog/11702.jpg", "");
        Other("Dog/2.jpg");
        ImageFolder folder = new(root);
        LoadedImages<LabeledImages> loaded = folder.Load(1, 1);
        Assert.Equal(["Cat/1.jpg", "Cat/7.jpg", "Dog/3.jpg"], loaded.Files);
        Assert.Equal([1, 20, 30, 7, 20, 30, 3, 20, 30], loaded.Images.Pixels.ToArray());
        Assert.Equal([0, 0, 1], loaded.Images.Labels);
        Assert.Equal(["Cat/666.jpg", "Dog/11702.jpg", "Dog/2.jpg"], loaded.Skipped.Select(file => file.Name));
        string reason = Assert.Throws<PictureFormatException>(() => Picture.Load(new MemoryStream("no picture"u8.ToArray()))).Message;
        Assert.Equal(
            "3 images: Cat 2, Dog 1; in memory: all (0.0 MB)\nnot read, Cat: 1 of 3 files: Cat/666.jpg (empty)\n"
            + $"not read, Dog: 2 of 3 files: Dog/11702.jpg (empty), Dog/2.jpg ({reason})", loaded.ToString());
        string fault = Assert.Throws<InvalidDataException>(() => folder.Load(1, 1, strict: true)).Message;
        Assert.Equal($"{root}: cannot read 3 of 6 files: Cat/666.jpg (empty), Dog/11702.jpg (empty), Dog/2.jpg ({reason})", fault);

        string odd = OperatingSystem.IsWindows() ? "9-9" : "9\n9";
        Other($"Cat/{odd}.jpg", "");
        foreach (int i in (int[])[1, 2, 3])
            Other($"Cat/9{i}.jpg", "");
        Assert.Contains(
            $"\nnot read, Cat: 5 of 7 files: Cat/666.jpg (empty), Cat/{odd.Replace('\n', '?')}.jpg (empty), Cat/91.jpg (empty) and 2 more\n",
            new ImageFolder(root).Load(1, 1).ToString(), StringComparison.Ordinal);
        Other("Dog/3.jpg", "");
        Assert.StartsWith(
            $"{root}: no picture of the class Dog can be read; skipped 3 of 3 files: ",
            Assert.Throws<InvalidDataException>(() => new ImageFolder(root).Load(1, 1)).Message, StringComparison.Ordinal);
        Assert.Equal([0, 0], new ImageFolder(root, allowEmpty: true).Load(1, 1).Images.Labels);
    }

    [Fact]
    public void Of_many_classes_the_first_are_told_of_and_the_others_counted()
    {
        for (int i = 0; i < 15; i++)
        {
            Photo($"c{i:D2}/1.png");
            Other($"c{i:D2}/2.png", "");
        }
        string[] lines = new ImageFolder(root).Load(1, 1).ToString().Split('\n');
        Assert.Equal("15 images of 15 classes, 1 to 1 of each; in memory: all (0.0 MB)", lines[0]);
        Assert.Equal("not read, c11: 1 of 2 files: c11/2.png (empty)", lines[12]);
        Assert.Equal("not read, 3 more classes: 3 files", lines[13]);
        Assert.Equal(14, lines.Length);
    }

    [Fact]
    public void Where_all_can_be_read_there_is_nothing_to_tell()
    {
        Photos("a/1.png", "b/1.png");
        LoadedImages<LabeledImages> loaded = new ImageFolder(root).Load(2, 2, strict: true);
        Assert.Equal("2 images: a 1, b 1; in memory: all (0.0 MB)", loaded.ToString());
        Assert.Empty(loaded.Skipped);
        Assert.Equal(2, loaded.Images.Count);
    }

    [Fact]
    public void The_number_of_threads_changes_nothing()
    {
        for (int i = 0; i < 60; i++)
            Photo($"{i % 3}/{i}.png", red: (byte)(4 * i), width: 1 + i % 7 * 9);
        Other("1/x.png");
        Other("2/y.png", "");
        ImageFolder folder = new(root);
        int before = Workers.Count;
        try
        {
            LoadedImages<LabeledImages>[] loaded = [.. new[] { 1, 2, 3, 8 }.Select(threads =>
            {
                Workers.Count = threads;
                return folder.Load(3, 5);
            })];
            Assert.Equal(60, loaded[0].Images.Count);
            Assert.All(loaded, other => Assert.Equal(loaded[0].Images.Pixels.ToArray(), other.Images.Pixels.ToArray()));
            Assert.All(loaded, other => Assert.Equal(loaded[0].Files, other.Files));
            Assert.All(loaded, other => Assert.Equal(loaded[0].ToString(), other.ToString()));
        }
        finally
        {
            Workers.Count = before;
        }
    }

    [Fact]
    public void Progress_counts_every_file_in_turn()
    {
        for (int i = 0; i < 40; i++)
            Photo($"a/{i}.png");
        Other("a/x.png", "");
        Reports reports = new();
        new ImageFolder(root).Load(2, 2, progress: reports);
        Assert.Equal(Enumerable.Range(1, 41).Select(i => (i, 41)), reports.All);
    }

    [Fact]
    public void A_cancelled_reading_ends()
    {
        for (int i = 0; i < 200; i++)
            Photo($"a/{i}.png");
        using CancellationTokenSource source = new();
        Reports reports = new(() => source.Cancel());
        Assert.ThrowsAny<OperationCanceledException>(() => new ImageFolder(root).Load(2, 2, progress: reports, cancellationToken: source.Token));
        Assert.InRange(reports.All.Count, 1, 100);
    }

    [Fact]
    public void Split_takes_a_share_of_each_class_and_keeps_the_order()
    {
        for (int i = 0; i < 50; i++)
            Photo($"a/{i}.png");
        for (int i = 0; i < 13; i++)
            Photo($"b/{i}.png");
        Photos("c/1.png", "c/2.png", "d/1.png");
        ImageFolder folder = new(root);
        (ImageFolder train, ImageFolder validation) = folder.Split(0.2, seed: 1);
        Assert.Equal([40, 10, 1, 1], Counts(train));
        Assert.Equal([10, 3, 1, 0], Counts(validation));
        Assert.Equal(folder.Files.Except(validation.Files), train.Files);     // in the folder's order, each file once
        Assert.Equal(folder.Files.Except(train.Files), validation.Files);
        Assert.Equal(folder.ClassNames, validation.ClassNames);
        Assert.Equal(validation.Files, folder.Split(0.2, seed: 1).Validation.Files);
        Assert.NotEqual(validation.Files, folder.Split(0.2, seed: 2).Validation.Files);
        Assert.NotEqual(Enumerable.Range(0, 10), Places(validation, 0));       // at random
        Assert.NotEqual(Places(validation, 0).Take(3), Places(validation, 1));
        Assert.Equal(14, validation.Load(1, 1).Images.Count);
        Assert.Equal([1, 1, 1, 0], Counts(folder.Split(0.001, seed: 1).Validation));
        Assert.Equal([1, 1, 1, 1], Counts(folder.Split(0.999, seed: 1).Train));
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Split(1, seed: 1));

        int[] Counts(ImageFolder part) => [.. Enumerable.Range(0, 4).Select(label => part.Files.Count(file => file.Label == label))];
        IEnumerable<int> Places(ImageFolder part, int label) =>
            part.Files.Where(file => file.Label == label).Select(file => folder.Files.Where(other => other.Label == label).ToList().IndexOf(file));
    }

    [Fact]
    public void Sizes_that_make_no_sense_are_refused()
    {
        Photos("a/1.png", "a/2.png", "a/3.png");
        ImageFolder folder = new(root);
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Load(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Load(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Load(1, 1, channels: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Load(1, 1, fit: (Fit)3));
        string fault = Assert.Throws<ArgumentException>(() => folder.Load(30_000, 30_000)).Message;
        Assert.StartsWith("an image of 3×30000×30000 does not fit into an array", fault, StringComparison.Ordinal);
    }
}
