namespace MiniCnn.Imaging;

/// <summary>A folder of photos in three parts: to train on, to choose by, and to test on once at the end.</summary>
/// <remarks>
/// The folder holds folders named <c>train</c>, <c>val</c> (or <c>valid</c>, <c>validation</c>, <c>dev</c>) and <c>test</c>, each laid out as an
/// <see cref="ImageFolder"/>, in capitals or not; a part that is missing is split off from that to train on. Or it is one
/// <see cref="ImageFolder"/>, from which both are split off.
/// </remarks>
public sealed record ImageSplits
{
    static readonly Dictionary<string, int> parts = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = 0, ["training"] = 0, ["val"] = 1, ["valid"] = 1, ["validation"] = 1, ["dev"] = 1, ["test"] = 2, ["testing"] = 2,
    };

    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="validation">The share of the photos to train on that is split off if there is no such part, from 0, none, to below 1.</param>
    /// <param name="test">The same for the test part.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <param name="allowEmpty">Whether a class may hold no pictures, or be missing from the parts for validation and test.</param>
    /// <exception cref="ArgumentOutOfRangeException">A share is negative, or both together leave nothing.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// There is no part to train on, two folders are one part, a part holds no classes, or other ones than that to train on; or what
    /// <see cref="ImageFolder(string, bool)"/> refuses.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public ImageSplits(string path, double validation = 0.1, double test = 0.1, int seed = 0, bool allowEmpty = false)
    {
        PictureFolder.Check(path);
        string root = ImageFolder.Unwrapped(path);
        string[] folders = ImageFolder.Subfolders(root);
        if (!AreParts(root, folders))
        {
            (Train, Validation, Test) = Split(new(root, allowEmpty), validation, test, seed);
            return;
        }
        ILookup<int, string> named = folders.ToLookup(folder => parts[folder]);
        if (named.FirstOrDefault(part => part.Count() > 1) is { } twice)
            throw new InvalidDataException($"{root}: {string.Join(" and ", twice)} are the same part of a set; leave one");
        if (!named.Contains(0))
            throw new InvalidDataException($"{root}: {string.Join(" and ", folders)}, but no part to train on; name its folder train");
        ImageFolder train = new(In(0)!, allowEmpty);
        (Validation, Test) = (Part(1), Part(2));
        (Train, ImageFolder? split, ImageFolder? last) = Split(train, Validation is null ? validation : 0, Test is null ? test : 0, seed);
        (Validation, Test) = (Validation ?? split, Test ?? last);

        string? In(int part) => named[part].FirstOrDefault() is string folder ? Path.Combine(root, folder) : null;

        ImageFolder? Part(int part) => In(part) is string folder ? new(folder, train.ClassNames, allowEmpty) : null;
    }

    /// <summary>Splits a folder that was listed by names or by a file of classes.</summary>
    /// <param name="all">The folder.</param>
    /// <param name="validation">The share that is split off, from 0, none, to below 1.</param>
    /// <param name="test">The same for the test part.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <exception cref="ArgumentOutOfRangeException">A share is negative, or both together leave nothing.</exception>
    public ImageSplits(ImageFolder all, double validation = 0.1, double test = 0.1, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(all);
        (Train, Validation, Test) = Split(all, validation, test, seed);
    }

    /// <summary>Photos to train on.</summary>
    public ImageFolder Train { get; init; }

    /// <summary>Photos that tell during a training how it goes; null if there are none.</summary>
    public ImageFolder? Validation { get; init; }

    /// <summary>Photos for the score at the end; null if there are none.</summary>
    public ImageFolder? Test { get; init; }

    /// <summary>Reads all pictures, as <see cref="ImageFolder.Load"/> does.</summary>
    /// <returns>
    /// The parts, all normalised by the mean and the standard deviation of the training part; a channel whose pixels are all equal is divided by 1.
    /// </returns>
    /// <inheritdoc cref="ImageFolder.Load"/>
    public LoadedSplits Load(
        int height, int width, int channels = 3, Fit fit = Fit.Stretch, bool strict = false, long? memoryBudget = null,
        IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ImageShape shape = PictureFolder.Shape(channels, height, width, fit);
        MemoryBudget budget = new(memoryBudget);
        int total = Train.Files.Count + (Validation?.Files.Count ?? 0) + (Test?.Files.Count ?? 0), before = 0;
        LoadedImages<LabeledImages> train = Read(Train)!;
        (float[] mean, float[] std) = train.Images.MeanAndStd();
        std.AsSpan().Replace(0, 1);
        return new(Normalized(train)!, Normalized(Read(Validation)), Normalized(Read(Test)));

        LoadedImages<LabeledImages>? Read(ImageFolder? part)
        {
            LoadedImages<LabeledImages>? read =
                part?.LoadPart(shape, fit, strict, budget, progress is null ? null : new Rest(progress, before, total), cancellationToken);
            before += part?.Files.Count ?? 0;
            return read;
        }

        LoadedImages<LabeledImages>? Normalized(LoadedImages<LabeledImages>? part) =>
            part is null ? null : part with { Images = part.Images.WithNormalization(mean, std) };
    }

    /// <summary>Whether folders, all that there are, are parts of a set and not classes.</summary>
    /// <exception cref="InvalidDataException">They are named so, but one holds no classes; or one of them is such a part, and another is none.</exception>
    internal static bool AreParts(string root, string[] folders)
    {
        if (!folders.All(parts.ContainsKey) || folders.Length == 0)
        {
            if (folders.FirstOrDefault(folder => parts.ContainsKey(folder) && ImageFolder.HoldsClasses(Path.Combine(root, folder))) is string part)
            {
                string other = folders.First(folder => !parts.ContainsKey(folder));
                throw new InvalidDataException(
                    $"{root}: {part} holds classes, as a part of a set does, but {SkippedFile.List([other])} is no part: move it away, or, where these are "
                    + "classes, take ImageFolder.FromNames(path, name => name.Split('/')[0])");
            }
            return false;
        }
        string[] without = [.. folders.Where(folder => !ImageFolder.HoldsClasses(Path.Combine(root, folder)))];
        return without.Length == 0 ? true : throw new InvalidDataException(
            $"{root}: {string.Join(" and ", folders)} are named as parts of a set, but {string.Join(" and ", without)} "
            + $"{(without.Length == 1 ? "holds" : "hold")} no classes: give the folder of one part, or, where these are classes, ImageFolder.FromNames(path, name => name.Split('/')[0])");
    }

    static (ImageFolder Train, ImageFolder? Validation, ImageFolder? Test) Split(ImageFolder all, double validation, double test, int seed)
    {
        if (!(validation >= 0 && test >= 0 && validation + test < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(validation), $"the shares split off must be 0 or more, and less than 1 together, not {validation} and {test}");
        }
        (ImageFolder rest, ImageFolder? last) = test > 0 ? all.Split(test, seed) : (all, null);
        (ImageFolder train, ImageFolder? middle) = validation > 0 ? rest.Split(validation / (1 - test), seed) : (rest, null);
        return (train, middle, last);
    }

    /// <summary>Progress of a part, as that of the whole.</summary>
    sealed class Rest(IProgress<(int Done, int Total)> whole, int before, int total) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => whole.Report((before + value.Done, total));
    }
}

/// <summary>What <see cref="ImageSplits.Load"/> read.</summary>
/// <param name="Train">To train on.</param>
/// <param name="Validation">To choose by; null if there is no such part.</param>
/// <param name="Test">To test on; null if there is no such part.</param>
public sealed record LoadedSplits(LoadedImages<LabeledImages> Train, LoadedImages<LabeledImages>? Validation, LoadedImages<LabeledImages>? Test)
{
    /// <summary>What each part holds, and what of it was not read.</summary>
    public override string ToString() =>
        $"train: {Train}{(Validation is null ? "" : $"\nvalidation: {Validation}")}{(Test is null ? "" : $"\ntest: {Test}")}";
}
