using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>The training photos and the validation photos. Without photos: cats and dogs that the program draws.</summary>
static class Photos
{
    const string Set = "cats-vs-dogs";

    /// <param name="named">The folder of --data, or null.</param>
    /// <param name="download">Whether to download the photos if the folder does not exist.</param>
    /// <param name="strict">Whether a photo that cannot be read is an error.</param>
    /// <param name="size">Height and width that photos are resized to.</param>
    /// <param name="limit">Maximum number of training photos, and of validation photos.</param>
    /// <param name="seed">Seed of the split and of the selection within the limit.</param>
    /// <param name="cancel">Cancels the download and the reading.</param>
    public static LoadedSplits Load(
        string? named, bool download, bool strict, int size, int? limit, int seed, CancellationToken cancel)
    {
        string folder = Datasets.Locate(Set, named);
        string? missing = Directory.Exists(folder) ? null : $"no photos in {folder}";
        if (download && missing is not null)
            missing = Download(folder, cancel);
        if (missing is not null && (named is null || download))
        {
            Console.WriteLine(
                $"{missing}: this run uses cats and dogs that the program draws; --download fetches 25,000 photos (825 MB), --data DIR names your folder");
            return Drawn(DrawnPets.Draw(limit ?? 2000, size, seed: 1), DrawnPets.Draw(limit ?? 500, size, seed: 2));
        }
        ImageSplits photos = new(folder, validation: 0.2, test: 0, seed);
        photos = photos with { Train = Limited(photos.Train), Validation = Limited(photos.Validation!), Test = null };
        ConsoleProgress progress = new($"reading {photos.Train.Files.Count} photos to train on, {photos.Validation.Files.Count} to validate");
        LoadedSplits loaded = photos.Load(size, size, strict: strict, progress: progress, cancellationToken: cancel);
        Console.WriteLine(loaded);
        return loaded;

        ImageFolder Limited(ImageFolder all) => limit < all.Files.Count ? all.Split(1 - (double)limit.Value / all.Files.Count, seed).Train : all;
    }

    /// <summary>Both parts, normalized by the mean and the standard deviation of the training images.</summary>
    static LoadedSplits Drawn(LabeledImages train, LabeledImages validation)
    {
        (float[] mean, float[] std) = train.MeanAndStd();
        return new(Part(train), Part(validation), null);

        LoadedImages<LabeledImages> Part(LabeledImages images) =>
            new(images.WithNormalization(mean, std), [.. Enumerable.Range(1, images.Count).Select(i => $"drawn {i}")], [], images.Count);
    }

    /// <summary>Downloads the photos. Returns null, or the reason why there are none.</summary>
    static string? Download(string folder, CancellationToken cancel)
    {
        try
        {
            Datasets.DownloadAsync(Set, folder, new ConsoleProgress($"downloading photos to {folder}, then unpacking them"), cancel).GetAwaiter().GetResult();
            return null;
        }
        catch (DownloadException e)
        {
            return e.Message;
        }
    }
}
