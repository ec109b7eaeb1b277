using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Photos that memory does not hold, which are read again in each epoch.</summary>
public sealed class MemoryBudgetTests : PhotoFolderTests
{
    const int Length = 3 * 6 * 8;      // bytes of an image

    static readonly Augmentation augmentation = new() { HorizontalFlip = true, Scale = 0.5, Contrast = 0.3 };

    void Many(int count)
    {
        Random random = new(3);
        for (int i = 0; i < count; i++)
        {
            Picture picture = new(9 + i % 5, 7 + i % 3);
            random.NextBytes(picture.Pixels);
            Save($"pictures/{(i % 3 == 0 ? "a" : "b")}/{i}.png", picture);
            Picture mask = new(picture.Width, picture.Height, 1);
            for (int pixel = 0; pixel < mask.Pixels.Length; pixel++)
                mask.Pixels[pixel] = (byte)(random.Next(5) is 4 ? 255 : random.Next(2));
            Save($"masks/{(i % 3 == 0 ? "a" : "b")}/{i}.png", mask);
        }
    }

    static string[] Batches(ImageDataset images) => [.. new (int?, Augmentation?)[] { (null, null), (1, null), (2, augmentation) }.SelectMany(how =>
        images.Batches(7, how.Item1, how.Item2).Select(batch => $"{string.Join(' ', batch.Labels)}: {string.Join(' ', batch.Images.AsSpan().ToArray())}"))];

    [Fact]
    public void Numbers_and_order_are_those_of_a_set_in_memory()
    {
        Many(40);
        Other("pictures/a/x.png", "");
        ImageFolder folder = new(At("pictures"));
        LabeledImages all = folder.Load(6, 8, fit: Fit.CenterCrop).Images;
        foreach ((long budget, int kept) in ((long, int)[])[(0, 0), (Length * 13 + Length - 1, 13), (Length * 40, 40)])
        {
            LoadedImages<LabeledImages> loaded = folder.Load(6, 8, fit: Fit.CenterCrop, memoryBudget: budget);
            Assert.Equal(kept, loaded.InMemory);
            Assert.Equal(Batches(all), Batches(loaded.Images));
            Assert.Equal(all.MeanAndStd().Mean, loaded.Images.MeanAndStd().Mean);
            Assert.Equal(all.MeanAndStd().Std, loaded.Images.MeanAndStd().Std);
            Assert.Equal(all.Describe(), loaded.Images.Describe());
            Assert.Equal(Batches(all.Split(0.3, seed: 4).Validation), Batches(loaded.Images.Split(0.3, seed: 4).Validation));
            string told = kept == 40 ? "in memory: all (0.0 MB)\n" : $"in memory: {kept} (0.0 MB), the others are read again in each epoch\n";
            Assert.Contains(told, loaded.ToString(), StringComparison.Ordinal);
        }
        (LabeledImages train, LabeledImages other) = (all, folder.Load(6, 8, fit: Fit.CenterCrop, memoryBudget: 0).Images);
        float[][] learnt = [.. new[] { train, other }.Select(images =>
        {
            Sequential net = new(new Conv2d(3, 4, 3), new ReLU(), new Flatten(), new Linear(96, 2));
            new Trainer(net, new Sgd(net.Parameters, 0.05f)) { Epochs = 2, BatchSize = 8 }.Run(images);
            return net.Parameters.SelectMany(parameter => parameter.Value.AsSpan().ToArray()).ToArray();
        })];
        Assert.Equal(learnt[0], learnt[1]);
    }

    [Fact]
    public void Parts_share_the_budget()
    {
        Many(40);
        LoadedSplits loaded = new ImageSplits(At("pictures")).Load(6, 8, memoryBudget: Length * 35);
        Assert.Equal(35, loaded.Train.InMemory + loaded.Validation!.InMemory + loaded.Test!.InMemory);
        Assert.Equal(loaded.Train.Files.Count, loaded.Train.InMemory);
    }

    [Fact]
    public void Masks_stay_in_memory()
    {
        Many(40);
        MaskedImageFolder folder = new(At("pictures"), At("masks"), ["ground", "thing"]);
        MaskedImages all = folder.Load(6, 8, fit: Fit.Letterbox, strict: false).Images;
        Assert.Contains(MaskedImages.Ignored, all.Masks.ToArray());
        foreach ((long budget, int kept) in ((long, int)[])[(40 * 48, 0), (40 * 48 + Length * 9, 9)])
        {
            LoadedImages<MaskedImages> loaded = folder.Load(6, 8, fit: Fit.Letterbox, strict: false, memoryBudget: budget);
            Assert.Equal(kept, loaded.InMemory);
            Assert.Equal(Batches(all), Batches(loaded.Images));
            Assert.Equal(all.Describe(), loaded.Images.Describe());
            Assert.Equal(all.CountLabels(), loaded.Images.CountLabels());
        }
    }

    [Fact]
    public void A_file_that_is_another_or_gone_when_it_is_read_again_ends_the_run()
    {
        Many(12);
        LabeledImages images = new ImageFolder(At("pictures")).Load(6, 8, memoryBudget: 0).Images;
        Save("pictures/b/4.png", new(9, 9));
        Assert.StartsWith(
            $"{At("pictures/b/4.png")}: cannot be read again: the picture has changed; pictures outside the memory budget are read in each epoch: ",
            Assert.Throws<IOException>(() => Batches(images)).Message, StringComparison.Ordinal);
        File.Delete(At("pictures/b/4.png"));
        Assert.StartsWith(At("pictures/b/4.png"), Assert.Throws<IOException>(() => Batches(images)).Message, StringComparison.Ordinal);
    }
}
