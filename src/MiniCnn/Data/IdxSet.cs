using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>A data set of ten classes in four IDX files with MNIST's names, each gzipped or plain.</summary>
sealed class IdxSet(string name, float mean, float std, string[]? classNames = null)
{
    const int Classes = 10;

    static readonly string[] names =
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

    public (LabeledImages Train, LabeledImages Test) Load(string? directory, Progress? progress, CancellationToken cancel)
    {
        (string folder, bool given) = Datasets.Find(name, directory);
        return Load(folder, given ? null : new Downloader(), progress, cancel);
    }

    public (LabeledImages Train, LabeledImages Test) Load(
        string folder, Downloader? downloader, Progress? progress = null, CancellationToken cancel = default)
    {
        Datasets.Complete(name, folder, Missing, " (or the same without .gz)", downloader, progress, cancel);
        Task<LabeledImages> reading = Task.Run(() => Read(folder, "t10k"), CancellationToken.None);
        LabeledImages train = Read(folder, "train"), test = reading.GetAwaiter().GetResult();
        if (train.Shape != test.Shape)
            throw new InvalidDataException(
                $"{folder}: the training images are {train.Shape}, the test images {test.Shape}; expected one shape");
        return (train, test);

        string[] Missing() => [.. names.Where(name => PathOf(folder, name) is null).Select(name => $"{name}.gz")];
    }

    static string? PathOf(string folder, string name) =>
        new[] { Path.Combine(folder, $"{name}.gz"), Path.Combine(folder, name) }.FirstOrDefault(File.Exists);

    LabeledImages Read(string folder, string part)
    {
        string imagesPath = PathOf(folder, $"{part}-images-idx3-ubyte")!, labelsPath = PathOf(folder, $"{part}-labels-idx1-ubyte")!;
        (byte[] pixels, int count, int rows, int columns) = IdxFile.ReadImages(imagesPath);
        byte[] labels = IdxFile.ReadLabels(labelsPath);
        if (labels.Length != count)
            throw new InvalidDataException(
                $"{labelsPath}: it holds {labels.Length} labels, but {Path.GetFileName(imagesPath)} holds {count} images");
        int bad = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(Classes - 1));
        if (bad >= 0)
            throw new InvalidDataException($"{labelsPath}: label {bad} is {labels[bad]}; expected 0 to {Classes - 1}");
        return new(pixels, Array.ConvertAll(labels, label => (int)label), new(1, rows, columns), Classes, [mean], [std], classNames);
    }
}
