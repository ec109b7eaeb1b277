using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MiniCnn.Tests;

public class BatchesTests
{
    // The first ten of torch.randperm(100) after torch.manual_seed(42), of TorchSharp 0.106.0.
    [Fact]
    public void A_permutation_is_TorchSharps() =>
        Assert.Equal([42, 96, 62, 98, 46, 95, 60, 24, 78, 16], Permutation.Random(100, seed: 42)[..10]);

    // torch.manual_seed(seed); torch.randperm(10) of PyTorch 1.13.1.
    [Theory]
    [InlineData(0, new[] { 4, 1, 7, 5, 3, 9, 0, 8, 6, 2 })]
    [InlineData(1, new[] { 5, 6, 1, 2, 0, 8, 9, 3, 7, 4 })]
    [InlineData(42, new[] { 2, 6, 1, 8, 4, 5, 0, 9, 3, 7 })]
    [InlineData(-1, new[] { 1, 4, 6, 2, 0, 5, 8, 7, 9, 3 })]
    [InlineData(int.MaxValue, new[] { 1, 9, 7, 4, 0, 5, 6, 8, 3, 2 })]
    public void A_permutation_is_torch_randperm(int seed, int[] expected) => Assert.Equal(expected, Permutation.Random(10, seed));

    // SHA-256 of torch.randperm(n) as little-endian int32: long ones pass many times through the generator's 624 words.
    [Theory]
    [InlineData(1, 0, "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119")]
    [InlineData(2, 5, "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8")]
    [InlineData(1000, 7, "9474a982d16edc13ae546cc97b13f0d313038c52166429a461526e7553fbef49")]
    [InlineData(60000, 42, "7f455bbc8e543f082c5e5787a6f39d0569027ff6766e60bb3417c9c7e5ac124f")]
    public void A_long_permutation_is_torch_randperm(int n, int seed, string sha256) =>
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(Permutation.Random(n, seed)))));

    [Fact]
    public void Nothing_is_permuted_to_nothing() => Assert.Empty(Permutation.Random(0, seed: 1));

    // torch.manual_seed(seed); torch.empty(4).uniform_(-0.2, 0.3) of PyTorch 1.13.1, by bits.
    [Theory]
    [InlineData(0, new uint[] { 0x3D45222C, 0x3E3C8791, 0xBE1F7FE3, 0xBE09334D })]
    [InlineData(int.MaxValue, new uint[] { 0x3E1DC311, 0xBCBB6FC8, 0xBE16D193, 0x3DCC6F96 })]
    public void Uniform_floats_are_torch_uniform(int seed, uint[] expected)
    {
        var generator = new TorchGenerator(seed);
        Assert.Equal(expected, Enumerable.Range(0, 4).Select(_ => BitConverter.SingleToUInt32Bits(generator.NextUniform(-0.2f, 0.3f))));
    }

    // Ten images of 2×2×3 whose bytes tell image and place.
    static LabeledImages Ten() => new(
        [.. Enumerable.Range(0, 120).Select(i => (byte)(2 * i))],
        [.. Enumerable.Range(0, 10).Select(i => i / 2)],
        new(2, 2, 3), classes: 5, mean: [0.5f, 0.25f], std: [2, 0.125f]);

    // The bytes that a batch was made from, read back.
    static int[] Bytes(Batch batch) => [.. Floats(batch).Select((y, i) =>
        (int)MathF.Round(255 * (i / 6 % 2 == 0 ? 2 * y + 0.5f : 0.125f * y + 0.25f)))];

    static float[] Floats(Batch batch)
    {
        var floats = new float[batch.Images.FlattenedLength];
        batch.Images.FlattenTo(floats);
        return floats;
    }

    static int[] BytesOf(params int[] images) => [.. images.SelectMany(image => Enumerable.Range(12 * image, 12).Select(i => 2 * i))];

    [Fact]
    public void Batches_come_in_order_and_keep_the_tail()
    {
        var batches = Ten().Batches(4).ToArray();
        Assert.Equal([BytesOf(0, 1, 2, 3), BytesOf(4, 5, 6, 7), BytesOf(8, 9)], batches.Select(Bytes));
        Assert.Equal([[0, 0, 1, 1], [2, 2, 3, 3], [4, 4]], batches.Select(b => b.Labels));
        Assert.Equal([[4, 2, 2, 3], [4, 2, 2, 3], [2, 2, 2, 3]], batches.Select(b => b.Images.Lengths.ToArray()));
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(5, 2)]
    [InlineData(10, 1)]
    [InlineData(1000, 1)]
    public void Every_image_comes_once(int batchSize, int batches)
    {
        var all = Ten().Batches(batchSize, seed: 7).ToArray();
        Assert.Equal(batches, all.Length);
        Assert.Equal(BytesOf([.. Enumerable.Range(0, 10)]).Order(), all.SelectMany(Bytes).Order());
    }

    [Fact]
    public void A_seed_shuffles_as_torch_randperm()
    {
        var (images, labels) = Assert.Single(Ten().Batches(10, seed: 42));
        Assert.Equal(BytesOf(2, 6, 1, 8, 4, 5, 0, 9, 3, 7), Bytes(new(images, labels)));
        Assert.Equal([1, 3, 0, 4, 2, 2, 0, 4, 1, 3], labels);
    }

    // ((arange(256) / 255) - 0.1307) / 0.3081 in float32, of PyTorch 1.13.1: SHA-256 of the little-endian floats.
    [Fact]
    public void Bytes_are_normalised_as_torchvision_does()
    {
        var images = new LabeledImages([.. Enumerable.Range(0, 256).Select(i => (byte)i)], [0], new(1, 16, 16), classes: 1);
        var batch = Assert.Single(images.Batches(1));
        Assert.Equal("0103dbab6b16bfcaea0aa75d7377b4b22bb6792081600921bee4a17ff9c4d33e",
            Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(Floats(batch)))));
    }

    [Fact]
    public void A_batch_belongs_to_its_caller()
    {
        var images = Ten();
        var (first, labels) = images.Batches(10).First();
        first[0, 0, 0, 0] = 99;
        labels[0] = 99;
        var again = images.Batches(10).First();
        Assert.Equal(BytesOf([.. Enumerable.Range(0, 10)]), Bytes(again));
        Assert.Equal(0, again.Labels[0]);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    public void Take_keeps_the_first(int count, int kept)
    {
        var some = Ten().Take(count);
        Assert.Equal(kept, some.Count);
        Assert.Equal(BytesOf([.. Enumerable.Range(0, kept)]), some.Batches(4).SelectMany(Bytes));
        Assert.Equal(Ten().Labels[..kept], some.Labels);
        Assert.Equal(5, some.Classes);
    }

    [Fact]
    public void Classes_have_names_that_go_along()
    {
        string[] names = ["ant", "bee", "cow", "dog", "eel"];
        LabeledImages ten = Ten(), named = new(ten.Pixels.ToArray(), ten.Labels.ToArray(), ten.Shape, 5, [0, 0], [1, 1], names);
        var (train, validation) = named.Split(0.3, seed: 3);
        Assert.All([named, named.Take(3), train, validation, named.WithNormalization([1, 1], [2, 2])], set => Assert.Equal(names, set.ClassNames));
        Assert.Equal(["0", "1", "2", "3", "4"], ten.ClassNames);
        names[0] = "ape";
        Assert.Equal("ant", named.ClassNames[0]);
    }

    [Fact]
    public void Another_normalisation_shares_the_pixels()
    {
        LabeledImages ten = Ten(), other = ten.WithNormalization([0.25f, 0.75f], [0.5f, 4]);
        Assert.True(ten.Image(1) == other.Image(1) && ten.Labels == other.Labels);                   // the same memory
        Assert.Equal([0.25f, 0.75f], other.Mean);
        Assert.Equal([0.5f, 4], other.Std);
        float[] floats = Floats(other.Batches(10).Single());
        Assert.Equal(ten.Pixels.ToArray().Select((x, i) => i / 6 % 2 == 0 ? (x / 255f - 0.25f) / 0.5f : (x / 255f - 0.75f) / 4), floats);
    }

    // By hand: channel 0 is 0, 0, 0, 255, …: mean 1/4, std √(1/4 · 3/4); channel 1 is all 51, a fifth.
    [Fact]
    public void Mean_and_std_are_those_of_all_pixels()
    {
        LabeledImages images = new([0, 0, 51, 51, 0, 255, 51, 51], [0, 0], new(2, 1, 2), 1, [0, 0], [1, 1]);
        (float[] mean, float[] std) = images.MeanAndStd();
        Assert.Equal([0.25f, 0.2f], mean);
        Assert.Equal([(float)Math.Sqrt(3 / 16.0), 0], std);
        Assert.StartsWith("the set has no images", Assert.Throws<InvalidOperationException>(() => images.Take(0).MeanAndStd()).Message, StringComparison.Ordinal);
    }

    // 25 million pixels a channel. The first half 0, half 255: n²σ² goes beyond 64 bits. The second 255 but for one: σ² = (1 − 1/n)/n, which
    // a difference of rounded squares would lose.
    [Fact]
    public void Mean_and_std_of_many_pixels_are_exact()
    {
        const int n = 100 * 500 * 500;
        byte[] pixels = new byte[2 * n];
        Array.Fill(pixels, (byte)255);
        for (int image = 0; image < 100; image++)
            for (int row = 0; row < 500; row++)
                pixels.AsSpan((image * 1000 + row) * 500, 250).Clear();
        pixels[^1] = 254;
        (float[] mean, float[] std) = new LabeledImages(pixels, new int[100], new(2, 500, 500), 1, [0, 0], [1, 1]).MeanAndStd();
        Assert.Equal([0.5f, (float)(1 - 1 / (255.0 * n))], mean);
        Assert.Equal([0.5f, (float)(Math.Sqrt((1 - 1.0 / n) / n) / 255)], std);
    }

    // random_split(range(10), [7, 3], generator=Generator().manual_seed(3)) of PyTorch 1.13.1.
    [Fact]
    public void Split_is_torch_random_split()
    {
        var (train, validation) = Ten().Split(0.3, seed: 3);
        Assert.Equal(BytesOf(6, 0, 3, 7, 8, 5, 1), train.Batches(4).SelectMany(Bytes));
        Assert.Equal(BytesOf(9, 2, 4), validation.Batches(4).SelectMany(Bytes));
        Assert.Equal([3, 0, 1, 3, 4, 2, 0], train.Labels);
        Assert.Equal([4, 1, 2], validation.Labels);
    }

    // The same permutation; the first of a class's two goes to the first part.
    [Fact]
    public void A_stratified_split_takes_a_share_of_each_class()
    {
        var (train, validation) = Ten().Split(0.3, seed: 3, stratify: true);
        Assert.Equal(BytesOf(6, 0, 3, 8, 5), train.Batches(4).SelectMany(Bytes));
        Assert.Equal(BytesOf(7, 1, 9, 2, 4), validation.Batches(4).SelectMany(Bytes));
        Assert.Equal([3, 0, 1, 4, 2], train.Labels);
        Assert.Equal([3, 0, 4, 1, 2], validation.Labels);

        int[] labels = [.. Enumerable.Repeat(0, 100), .. Enumerable.Repeat(2, 33), 3];            // class 1 has none
        (train, validation) = new LabeledImages(new byte[134], labels, new(1, 1, 1), 4).Split(0.25, seed: 1, stratify: true);
        Assert.Equal([75, 0, 25, 1], Enumerable.Range(0, 4).Select(label => train.Labels.Count(label)));
        Assert.Equal([25, 0, 8, 0], Enumerable.Range(0, 4).Select(label => validation.Labels.Count(label)));
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        ImageShape shape = new(1, 2, 2);
        Refused("3 labels need 3 images of 1×2×2, 12 bytes in total; got 8", () => new(new byte[8], new int[3], shape, 10));
        Refused("3 labels need 3 images of 1×2×2, 12 bytes in total; got 13", () => new(new byte[13], new int[3], shape, 10));
        Refused("label 1 is 10; with 10 classes it must be 0 to 9", () => new(new byte[12], [9, 10, 11], shape, 10));
        Refused("label 2 is -1; with 10 classes it must be 0 to 9", () => new(new byte[12], [9, 0, -1], shape, 10));
        Refused("images of 2×1×2 need a mean and a std for each channel; the default, MNIST's, is for one channel", () => new(new byte[12], new int[3], new(2, 1, 2), 10));
        Refused("images of 1×2×2 need one mean and one std per channel; got 0 and 1", () => new(new byte[12], new int[3], shape, 10, []));
        Refused("images of 1×2×2 need one mean and one std per channel; got 1 and 2",
            () => new(new byte[12], new int[3], shape, 10, std: [1, 1]));
        Refused("std 0 is 0; it must be above 0", () => new(new byte[12], new int[3], shape, 10, [0], [0]));
        Refused("std 0 is NaN; it must be above 0", () => new(new byte[12], new int[3], shape, 10, [0], [float.NaN]));
        Refused("10 classes need 10 names; got 2", () => new(new byte[12], new int[3], shape, 10, classNames: ["cat", "dog"]));
        Refused("images of 2×2×3 need one mean and one std per channel; got 1 and 2", () => Ten().WithNormalization([1], [1, 2]));
        Refused("std 1 is 0; it must be above 0", () => Ten().WithNormalization([1, 1], [1, 0]));
        Refused("images of 1×0×2: every size must be at least 1", () => new([], [], new(1, 0, 2), 10));
        Refused("the fraction of validation images must be between 0 and 1", () => Ten().Split(0, seed: 1).Train);
        Refused("the fraction of validation images must be between 0 and 1", () => Ten().Split(1, seed: 1, stratify: true).Train);
        Refused("the fraction of validation images must be between 0 and 1", () => Ten().Split(1, seed: 1).Train);
        Refused("the fraction of validation images must be between 0 and 1", () => Ten().Split(double.NaN, seed: 1).Train);
        Assert.Throws<ArgumentOutOfRangeException>(() => Ten().Take(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Ten().Batches(0));

        static void Refused(string fault, Func<LabeledImages> make) =>
            Assert.StartsWith(fault, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
    }
}
