namespace MiniCnn.Tests;

public sealed class FashionMnistDataTests : FolderTests
{
    void WriteAll()
    {
        File.WriteAllBytes(PathOf("train-images-idx3-ubyte.gz"), Idx.Gzip(Idx.Bytes([1, 2, 3, 4, 5, 6], 0x803, 1, 2, 3)));
        File.WriteAllBytes(PathOf("train-labels-idx1-ubyte.gz"), Idx.Gzip(Idx.Bytes([9], 0x801, 1)));
        File.WriteAllBytes(PathOf("t10k-images-idx3-ubyte"), Idx.Bytes([7, 8, 9, 10, 11, 12], 0x803, 1, 2, 3));
        File.WriteAllBytes(PathOf("t10k-labels-idx1-ubyte"), Idx.Bytes([0], 0x801, 1));
    }

    [Fact]
    public void The_four_files_become_two_sets()
    {
        WriteAll();
        var (train, test) = FashionMnistData.Load(folder);
        Assert.Equal([1, 2, 3, 4, 5, 6], train.Pixels.ToArray());
        Assert.Equal([7, 8, 9, 10, 11, 12], test.Pixels.ToArray());
        Assert.Equal("Ankle boot", train.ClassNames[train.Labels[0]]);
        Assert.Equal("T-shirt/top", test.ClassNames[test.Labels[0]]);
        Assert.Equal((0.2860f, 0.3530f), (train.Mean[0], train.Std[0]));
        Assert.Equal((0.2860f, 0.3530f), (test.Mean[0], test.Std[0]));
    }

    // Known counts a class, and the mean and deviation everybody normalises by, where the set is at hand.
    [Fact]
    public void The_real_set_has_the_figures_that_are_known_of_it()
    {
        if (!PublishedData.Has("fashion-mnist"))
            return;
        var (train, test) = FashionMnistData.Load();
        Assert.Equal(new ImageShape(1, 28, 28), train.Shape);
        Assert.Equal(Enumerable.Repeat(6000L, 10), train.CountLabels());
        Assert.Equal(Enumerable.Repeat(1000L, 10), test.CountLabels());
        var (mean, std) = train.MeanAndStd();
        Assert.Equal(train.Mean[0], mean[0], 4);
        Assert.Equal(train.Std[0], std[0], 4);
    }

    [Fact]
    public void Its_own_files_are_asked_for_at_its_own_mirrors()
    {
        using var mirror = new Asked();
        var e = Assert.Throws<DownloadException>(() => FashionMnistData.Set.Load(folder, new Downloader(mirror)));
        Assert.Equal(
            [
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/train-images-idx3-ubyte.gz",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/train-images-idx3-ubyte.gz",
            ],
            mirror.Requests);
        Assert.StartsWith("train-images-idx3-ubyte.gz of fashion-mnist could not be downloaded", e.Message, StringComparison.Ordinal);
    }
}
