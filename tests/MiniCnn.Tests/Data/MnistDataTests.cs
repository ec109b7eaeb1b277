namespace MiniCnn.Tests;

public sealed class MnistDataTests : FolderTests
{
    const string TrainImages = "train-images-idx3-ubyte", TrainLabels = "train-labels-idx1-ubyte";
    const string TestImages = "t10k-images-idx3-ubyte", TestLabels = "t10k-labels-idx1-ubyte";

    // Three training images and two test images of 2×3.
    void WriteAll(string ending)
    {
        Write(TrainImages + ending, Idx.Bytes([.. Enumerable.Range(0, 18).Select(i => (byte)i)], 0x803, 3, 2, 3));
        Write(TrainLabels + ending, Idx.Bytes([7, 0, 9], 0x801, 3));
        Write(TestImages + ending, Idx.Bytes([.. Enumerable.Range(100, 12).Select(i => (byte)i)], 0x803, 2, 2, 3));
        Write(TestLabels + ending, Idx.Bytes([1, 2], 0x801, 2));
    }

    void Write(string name, byte[] bytes) =>
        File.WriteAllBytes(PathOf(name), name.EndsWith(".gz", StringComparison.Ordinal) ? Idx.Gzip(bytes) : bytes);

    [Theory]
    [InlineData(".gz")]
    [InlineData("")]
    public void The_four_files_become_two_sets(string ending)
    {
        WriteAll(ending);
        var (train, test) = MnistData.Load(folder);
        Assert.Equal(Enumerable.Range(0, 18).Select(i => (byte)i), train.Pixels.ToArray());
        Assert.Equal([7, 0, 9], train.Labels);
        Assert.Equal(Enumerable.Range(100, 12).Select(i => (byte)i), test.Pixels.ToArray());
        Assert.Equal([1, 2], test.Labels);
        Assert.Equal((new ImageShape(1, 2, 3), new ImageShape(1, 2, 3)), (train.Shape, test.Shape));
        Assert.Equal((10, 10), (train.Classes, test.Classes));
        Assert.Equal((0.1307f, 0.3081f), (train.Mean[0], train.Std[0]));
    }

    // What the published MNIST looks like, where it is at hand: known counts a class, and the mean and deviation everybody normalises by.
    [Fact]
    public void The_real_set_has_the_figures_that_are_known_of_it()
    {
        if (!PublishedData.Has("mnist"))
            return;
        var (train, test) = MnistData.Load();
        Assert.Equal((60000, 10000), (train.Count, test.Count));
        Assert.Equal(new ImageShape(1, 28, 28), train.Shape);
        Assert.Equal([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], train.CountLabels());
        Assert.Equal([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009], test.CountLabels());
        (float[] mean, float[] std) = train.MeanAndStd();
        Assert.Equal(0.1307, mean[0], 4);
        Assert.Equal(0.3081, std[0], 4);
    }

    [Fact]
    public void A_given_folder_that_lacks_files_is_named_with_them()
    {
        string none = PathOf("none");
        AssertFault<FileNotFoundException>($"{none}: the folder does not exist; it should hold {TrainImages}.gz, {TrainLabels}.gz, "
            + $"{TestImages}.gz, {TestLabels}.gz (or the same without .gz)", none);
        AssertFault<FileNotFoundException>($"{folder}: it lacks {TrainImages}.gz, {TrainLabels}.gz, {TestImages}.gz, {TestLabels}.gz "
            + "(or the same without .gz)");
        WriteAll("");
        File.Delete(PathOf(TestLabels));
        AssertFault<FileNotFoundException>($"{folder}: it lacks {TestLabels}.gz (or the same without .gz)");
    }

    [Fact]
    public void Labels_that_do_not_fit_the_images_are_refused()
    {
        WriteAll("");
        Write(TrainLabels, Idx.Bytes([7, 0], 0x801, 2));
        AssertFault<InvalidDataException>($"{PathOf(TrainLabels)}: it holds 2 labels, but {TrainImages} holds 3 images");
        WriteAll("");
        Write(TestLabels, Idx.Bytes([9, 10], 0x801, 2));
        AssertFault<InvalidDataException>($"{PathOf(TestLabels)}: label 1 is 10; expected 0 to 9");
        WriteAll("");
        Write(TestImages, Idx.Bytes(new byte[12], 0x803, 2, 3, 2));
        AssertFault<InvalidDataException>($"{folder}: the training images are 1×2×3, the test images 1×3×2; expected one shape");
        WriteAll("");
        Write(TestImages, Idx.Bytes([1, 2], 0x801, 2));
        AssertFault<InvalidDataException>(
            $"{PathOf(TestImages)}: expected IDX images; it begins with 0x00000801, not with 0x00000803");
    }

    void AssertFault<E>(string message, string? where = null) where E : Exception =>
        Assert.Equal(message, Assert.Throws<E>(() => MnistData.Load(where ?? folder)).Message);

    // Every mirror answers with what the set's own folder holds here: not the published bytes, so nothing of it is kept.
    [Fact]
    public void Only_the_published_bytes_are_accepted_from_the_network()
    {
        WriteAll("");
        File.Delete(PathOf(TestLabels));
        using var mirror = new Asked(new byte[4542]);
        var e = Assert.Throws<DownloadException>(() => MnistData.Set.Load(folder, new Downloader(mirror)));
        Assert.Equal(
            [
                $"https://ossci-datasets.s3.amazonaws.com/mnist/{TestLabels}.gz",
                $"https://storage.googleapis.com/cvdf-datasets/mnist/{TestLabels}.gz",
            ],
            mirror.Requests);
        Assert.Contains("instead of f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, Directory.GetFileSystemEntries(folder).Length);
    }
}
