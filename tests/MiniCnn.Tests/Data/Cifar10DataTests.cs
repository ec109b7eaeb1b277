namespace MiniCnn.Tests;

public sealed class Cifar10DataTests : FolderTests
{
    static readonly string[] names =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];

    // A label, and pixels that tell channel, row and column apart.
    static byte[] Record(int label, int salt) => [(byte)label, .. Enumerable.Range(0, 3072).Select(i => (byte)(7 * i + i / 256 + salt))];

    string Write(string name, params byte[][] records)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, [.. records.SelectMany(r => r)]);
        return path;
    }

    [Fact]
    public void Records_become_labelled_images()
    {
        var images = Cifar10Data.Read(Write("any name", Record(3, 0), Record(9, 50)), Write("another", Record(0, 99)));
        Assert.Equal((3, new ImageShape(3, 32, 32), 10), (images.Count, images.Shape, images.Classes));
        Assert.Equal([3, 9, 0], images.Labels);
        Assert.Equal([.. Record(3, 0)[1..], .. Record(9, 50)[1..], .. Record(0, 99)[1..]], images.Pixels.ToArray());
        Assert.Equal(["cat", "truck", "airplane"], images.Labels.ToArray().Select(label => images.ClassNames[label]));
        Assert.Equal([0.4914f, 0.4822f, 0.4465f], images.Mean);
        Assert.Equal([0.2470f, 0.2435f, 0.2616f], images.Std);
        // Channel 2, row 1, column 5 of image 1 in a batch, normalised by the channel's own figures.
        float expected = (Record(9, 50)[1 + 2 * 1024 + 32 + 5] / 255f - 0.4465f) / 0.2616f;
        Assert.Equal(expected, images.Batches(3).Single().Images[1, 2, 1, 5]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cifar-10-batches-bin")]
    public void The_six_files_become_two_sets(string inside)
    {
        for (int i = 0; i < names.Length; i++)
            Write(Path.Combine(inside, names[i]), Record(i, i), Record(9 - i, i));
        var (train, test) = Cifar10Data.Load(folder);
        Assert.Equal([0, 9, 1, 8, 2, 7, 3, 6, 4, 5], train.Labels);
        Assert.Equal([5, 4], test.Labels);
        Assert.Equal(Record(4, 4)[1..], train.Image(8).ToArray());
    }

    [Fact]
    public void Files_that_are_missing_are_named()
    {
        string none = PathOf("none");
        var e = Assert.Throws<FileNotFoundException>(() => Cifar10Data.Load(none));
        Assert.Equal($"{none}: the folder does not exist; it should hold {string.Join(", ", names)}", e.Message);
        foreach (string name in names.Where(name => name[^5] != '3'))
            Write(name, Record(0, 0));
        e = Assert.Throws<FileNotFoundException>(() => Cifar10Data.Load(folder));
        Assert.Equal($"{folder}: it lacks data_batch_3.bin", e.Message);
        e = Assert.Throws<FileNotFoundException>(() => Cifar10Data.Read(none));
        Assert.Equal($"{none}: there is no such file; expected records of CIFAR-10", e.Message);
    }

    [Fact]
    public void What_is_not_exactly_records_is_refused()
    {
        byte[] two = [.. Record(1, 1), .. Record(1, 1)];
        foreach (int length in new[] { 0, 1, 3072, 3074, 2 * 3073 - 1 })
        {
            string path = Write("wrong", two[..length]);
            AssertFault($"{path}: expected records of 3073 bytes, one or more; it has {length} bytes", path);
        }
        string bad = Write("bad", Record(9, 0), Record(10, 0));
        AssertFault($"{bad}: label 1 is 10; expected 0 to 9", bad);
        AssertFault($"{bad}: label 1 is 10; expected 0 to 9", Write("good", Record(9, 0)), bad);
    }

    // Too many images for an array, without a byte on the disk.
    [Fact]
    public void More_than_an_array_holds_is_refused_before_memory_is_taken()
    {
        string path = PathOf("huge");
        using (var file = File.Create(path))
            file.SetLength(3073L * 400_000);
        AssertFault($"{path}: 800000 images in all are more than an array holds (699050)", path, path);
    }

    static void AssertFault(string message, params string[] paths) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => Cifar10Data.Read(paths)).Message);

    // The first 4,000 records of the published set, where they are at hand.
    [Fact]
    public void Real_records_have_the_figures_that_are_known_of_them()
    {
        if (!PublishedData.Has("cifar10-subset"))
            return;
        string subset = Datasets.Locate("cifar10-subset");
        var train = Cifar10Data.Read(Path.Combine(subset, "train-3000.bin"));
        var test = Cifar10Data.Read(Path.Combine(subset, "test-1000.bin"));
        Assert.Equal([299, 287, 322, 285, 311, 279, 312, 297, 308, 300], train.CountLabels());
        Assert.Equal([97, 79, 98, 99, 111, 114, 102, 88, 99, 113], test.CountLabels());
        Assert.Equal(File.ReadAllLines(Path.Combine(subset, "batches.meta.txt")).Where(line => line != ""), train.ClassNames);
        Assert.Equal([59, 62, 63], Enumerable.Range(0, 3).Select(c => (int)train.Pixels[1024 * c]));       // the frog that the set begins with
        Assert.Equal(6, train.Labels[0]);
        // The mean and deviation of the whole set are those of a part, nearly: 3 of 50 thousand images here.
        var (mean, std) = train.MeanAndStd();
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(train.Mean[c], mean[c], 0.01);
            Assert.Equal(train.Std[c], std[c], 0.01);
        }
    }

    [Fact]
    public void The_archive_is_asked_for_at_its_home()
    {
        using var mirror = new Asked();
        var e = Assert.Throws<DownloadException>(() => Cifar10Data.Load(folder, new Downloader(mirror)));
        Assert.Equal(["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"], mirror.Requests);
        Assert.StartsWith("cifar-10-binary.tar.gz of cifar10 could not be downloaded", e.Message, StringComparison.Ordinal);
    }

    // A folder that lacks files is a person's doing: it is neither overwritten nor taken for whole.
    [Fact]
    public void A_folder_that_was_unpacked_and_lacks_files_is_named_with_them()
    {
        Write(Path.Combine("cifar-10-batches-bin", names[0]), Record(0, 0));
        using var mirror = new Asked();
        var e = Assert.Throws<FileNotFoundException>(() => Cifar10Data.Load(folder, new Downloader(mirror)));
        Assert.Equal($"{folder}: it lacks {string.Join(", ", names[1..])}", e.Message);
        Assert.Empty(mirror.Requests);
    }
}
