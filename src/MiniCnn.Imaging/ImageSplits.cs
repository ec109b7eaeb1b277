using System.Text.RegularExpressions;

namespace MiniCnn.Imaging;

/// <summary>A folder of photos in three parts: training, validation and test.</summary>
/// <remarks>
/// The folder has subfolders named <c>train</c>, <c>val</c> (or <c>valid</c>, <c>validation</c>, <c>dev</c>) and <c>test</c>, or variants such as
/// <c>training_set</c> and <c>test1</c>. Each has the layout of an <see cref="ImageFolder"/>. A validation or test part that is missing or has no classes is
/// split off the training part. Otherwise the whole folder has the layout of one <see cref="ImageFolder"/>, and both parts are split off it.
/// </remarks>
public sealed partial record ImageSplits
{
    /// <summary>Lists a folder.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="validation">Fraction of the photos that is split off for validation if the folder has no such part: 0 (none) to below 1.</param>
    /// <param name="test">The same for the test part.</param>
    /// <param name="seed">Random seed. The same seed gives the same split.</param>
    /// <param name="allowEmpty">Whether a class may have no pictures, or be missing from the validation and test parts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A fraction is negative, or the two add up to 1 or more.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// There is no training part with classes, two folders are the same part, or a part has other classes than the training part; or the constructor
    /// <see cref="ImageFolder(string, bool)"/> throws it for a part.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to a folder is denied.</exception>
    public ImageSplits(string path, double validation = 0.1, double test = 0.1, int seed = 0, bool allowEmpty = false)
    {
        PictureFolder.Check(path);
        (string root, IReadOnlyList<SkippedFile> around) = ImageFolder.Unwrapped(path);
        string[] folders = ImageFolder.Subfolders(root);
        if (!AreParts(root, folders))
        {
            (Train, Validation, Test) = Split(new ImageFolder(root, allowEmpty).Beside(around), validation, test, seed);
            return;
        }
        ILookup<string?, string> named = folders.ToLookup(PartOf);
        if (named.FirstOrDefault(part => part.Count() > 1) is { } twice)
            throw new InvalidDataException($"{root}: {string.Join(" and ", twice)} are the same part of the data set; remove or rename one");
        ImageFolder train = new(In("train")!, allowEmpty);
        (Validation, Test) = (Part("val"), Part("test"));
        (ImageFolder first, ImageFolder? split, ImageFolder? last) = Split(train, Validation is null ? validation : 0, Test is null ? test : 0, seed);
        (Validation, Test) = (Validation ?? split, Test ?? last);
        Train = first.Beside(
        [
            .. around,
            .. PictureFolder.List(root, deep: false).Select(file => new SkippedFile(file.Name, file.Fault ?? "next to the folders of the parts")),
            .. folders.Where(folder => !ImageFolder.HasClasses(Path.Combine(root, folder)))
                .Select(folder => new SkippedFile(folder, "a part without classes; PredictFolder can predict them")),
        ]);

        string? In(string part) => named[part].FirstOrDefault() is string folder ? Path.Combine(root, folder) : null;

        ImageFolder? Part(string part) =>
            In(part) is string folder && ImageFolder.HasClasses(folder) ? new ImageFolder(folder, allowEmpty).WithClasses(train.ClassNames, allowEmpty) : null;
    }

    /// <summary>Splits a folder that is already listed, for example by file names or by a CSV file.</summary>
    /// <param name="all">The folder to split.</param>
    /// <param name="validation">Fraction of the photos that is split off for validation, 0 (none) to below 1.</param>
    /// <param name="test">The same for the test part.</param>
    /// <param name="seed">Random seed. The same seed gives the same split.</param>
    /// <exception cref="ArgumentOutOfRangeException">A fraction is negative, or the two add up to 1 or more.</exception>
    public ImageSplits(ImageFolder all, double validation = 0.1, double test = 0.1, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(all);
        (Train, Validation, Test) = Split(all, validation, test, seed);
    }

    /// <summary>Photos of the training part.</summary>
    public ImageFolder Train { get; init => field = value ?? throw new ArgumentNullException(nameof(Train)); }

    /// <summary>Photos of the validation part; null if there is none.</summary>
    public ImageFolder? Validation { get; init; }

    /// <summary>Photos of the test part; null if there is none.</summary>
    public ImageFolder? Test { get; init; }

    /// <summary>Reads the pictures of all parts; see <see cref="ImageFolder.Load"/>. The parts share the memory budget, the training part first.</summary>
    /// <returns>
    /// The parts, with the classes of the training part. All parts are normalized by the mean and the standard deviation of the training part, per channel. If
    /// all pixels of a channel are equal, its standard deviation is taken as 1.
    /// </returns>
    /// <exception cref="InvalidDataException">
    /// A part has a class that the training part does not have; or <see cref="ImageFolder.Load"/> throws it for a part.
    /// </exception>
    /// <inheritdoc cref="ImageFolder.Load"/>
    public LoadedSplits Load(
        int height, int width, int channels = 3, Fit fit = Fit.Stretch, bool strict = false, long? memoryBudget = null,
        IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ImageShape shape = PictureFolder.Shape(channels, height, width, fit);
        MemoryBudget budget = new(memoryBudget);
        int total = Train.Files.Count + (Validation?.Files.Count ?? 0) + (Test?.Files.Count ?? 0), before = 0;
        (ImageFolder? second, ImageFolder? third) =
            (Validation?.WithClasses(Train.ClassNames, allowMissing: true), Test?.WithClasses(Train.ClassNames, allowMissing: true));
        LoadedImages<LabeledImages> train = Read(Train)!;
        (float[] mean, float[] std) = train.Images.MeanAndStd();
        std.AsSpan().Replace(0, 1);
        return new(Normalized(train)!, Normalized(Read(second)), Normalized(Read(third)));

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

    /// <summary>Whether the subfolders of a folder are parts of a data set and not classes.</summary>
    /// <exception cref="InvalidDataException">
    /// All names are names of parts, but there is no training part with classes; or only some of the folders are parts.
    /// </exception>
    internal static bool AreParts(string root, string[] folders)
    {
        string[] named = [.. folders.Where(folder => PartOf(folder) is not null)];
        string[] holding = [.. named.Where(folder => ImageFolder.HasClasses(Path.Combine(root, folder)))];
        if (named.Length == 0 || (named.Length < folders.Length && holding.Length == 0))
            return false;
        if (named.Length == folders.Length && holding.Any(folder => PartOf(folder) == "train"))
            return true;
        string why = named.Length < folders.Length
            ? $"{holding[0]} is a part of a data set with classes, but {SkippedFile.List([.. folders.Except(named)])} is not a part: move it elsewhere"
            : $"{string.Join(" and ", folders)} are named as parts of a data set, but there is no folder train with classes: rename the training part";
        throw new InvalidDataException(
            $"{root}: {why}, pass the folder of one part, or, if these are classes, use ImageFolder.FromNames(path, name => name.Split('/')[0])");
    }

    /// <summary>The part that a folder name stands for, “train”, “val” or “test”; null if it is not a part.</summary>
    static string? PartOf(string folder) =>
        PartName().Match(folder) is { Success: true } match ? match.Groups.Values.Skip(1).First(group => group.Success).Name : null;

    // Examples: train, val, test, training_set, seg_test, test1.
    [GeneratedRegex(
        "^(?:seg[_-])?(?:(?<train>train(?:ing)?)|(?<val>val(?:id(?:ation)?)?|dev)|(?<test>test(?:ing)?))(?:[_-]?(?:set|data|images|photos))?[0-9]*$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PartName();

    static (ImageFolder Train, ImageFolder? Validation, ImageFolder? Test) Split(ImageFolder all, double validation, double test, int seed)
    {
        if (!(validation >= 0 && test >= 0 && validation + test < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(validation), $"expected fractions to split off that are 0 or more and add up to less than 1, got {validation} and {test}");
        }
        (ImageFolder rest, ImageFolder? last) = test > 0 ? all.Split(test, seed) : (all, null);
        (ImageFolder train, ImageFolder? middle) = validation > 0 ? rest.Split(validation / (1 - test), seed) : (rest, null);
        return (train, middle, last);
    }

    /// <summary>Converts the progress of one part into the progress of all parts.</summary>
    sealed class Rest(IProgress<(int Done, int Total)> whole, int before, int total) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) => whole.Report((before + value.Done, total));
    }
}

/// <summary>The result of <see cref="ImageSplits.Load"/>.</summary>
/// <param name="Train">The training images.</param>
/// <param name="Validation">The validation images; null if there is no such part.</param>
/// <param name="Test">The test images; null if there is no such part.</param>
public sealed record LoadedSplits(LoadedImages<LabeledImages> Train, LoadedImages<LabeledImages>? Validation, LoadedImages<LabeledImages>? Test)
{
    /// <summary>A summary of each part and of the files that were not read; see <see cref="LoadedImages{T}.ToString"/>.</summary>
    public override string ToString() =>
        $"train: {Train}{(Validation is null ? "" : $"\nvalidation: {Validation}")}{(Test is null ? "" : $"\ntest: {Test}")}";
}
