using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>The photos to train on and those to be scored on; where there are none, cats and dogs that the program draws itself.</summary>
static class Photos
{
    const string Set = "cats-vs-dogs";

    /// <param name="named">The folder that a person named, if one did.</param>
    /// <param name="download">Whether the whole set may be downloaded.</param>
    /// <param name="strict">A photo that cannot be read is an error.</param>
    /// <param name="size">What photos are resized to, each way.</param>
    /// <param name="limit">Photos of each part at most.</param>
    /// <param name="seed">Splits photos that are not split yet, and picks those within the limit.</param>
    /// <param name="cancel">Ends downloading and reading.</param>
    public static LoadedSplits Load(
        string? named, bool download, bool strict, int size, int? limit, int seed, CancellationToken cancel)
    {
        string folder = Datasets.Locate(Set, named);
        string? why = Directory.Exists(folder) ? null : $"no photos in {folder}";
        if (download && why is not null)
            why = Download(folder, cancel);
        if (why is not null && (named is null || download))
        {
            Console.WriteLine(
                $"{why}: this run learns cats and dogs that the program draws; --download fetches 25,000 photos (825 MB), --data DIR takes yours");
            return Drawn(DrawnPets.Draw(limit ?? 2000, size, seed: 1), DrawnPets.Draw(limit ?? 500, size, seed: 2));
        }
        ImageSplits photos = new(folder, validation: 0.2, test: 0, seed);
        photos = photos with { Train = Within(photos.Train), Validation = Within(photos.Validation!), Test = null };
        ConsoleProgress progress = new($"reading {photos.Train.Files.Count} photos to train on, {photos.Validation.Files.Count} to validate");
        LoadedSplits loaded = photos.Load(size, size, strict: strict, progress: progress, cancellationToken: cancel);
        Console.WriteLine(loaded);
        return loaded;

        ImageFolder Within(ImageFolder all) => limit < all.Files.Count ? all.Split(1 - (double)limit.Value / all.Files.Count, seed).Train : all;
    }

    /// <summary>Both parts by the mean and std of the training photos.</summary>
    static LoadedSplits Drawn(LabeledImages train, LabeledImages validation)
    {
        (float[] mean, float[] std) = train.MeanAndStd();
        return new(Part(train), Part(validation), null);

        LoadedImages<LabeledImages> Part(LabeledImages images) =>
            new(images.WithNormalization(mean, std), [.. Enumerable.Range(1, images.Count).Select(i => $"drawn {i}")], [], images.Count);
    }

    /// <summary>Returns why there are no photos now, if there are none.</summary>
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
