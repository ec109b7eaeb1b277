using System.Text.RegularExpressions;

namespace MiniCnn.Imaging;

/// <summary>A folder of photos in three parts: to train on, to choose by, and to test on once at the end.</summary>
/// <remarks>
/// The folder holds folders named <c>train</c>, <c>val</c> (or <c>valid</c>, <c>validation</c>, <c>dev</c>) and <c>test</c>, or as <c>training_set</c> and
/// <c>test1</c>, each laid out as an <see cref="ImageFolder"/>; a part that is missing, or holds no classes, is split off from that to train on. Or it is one
/// <see cref="ImageFolder"/>, from which both are split off.
/// </remarks>
public sealed partial record ImageSplits
{
    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="validation">The share of the photos to train on that is split off if there is no such part, from 0, none, to below 1.</param>
    /// <param name="test">The same for the test part.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <param name="allowEmpty">Whether a class may hold no pictures, or be missing from the parts for validation and test.</param>
    /// <exception cref="ArgumentOutOfRangeException">A share is negative, or both together leave nothing.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// There is no part with classes to train on, two folders are one part, or a part has other classes than that to train on; or what
    /// <see cref="ImageFolder(string, bool)"/> refuses.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
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
            throw new InvalidDataException($"{root}: {string.Join(" and ", twice)} are the same part of a set; leave one");
        ImageFolder train = new(In("train")!, allowEmpty);
        (Validation, Test) = (Part("val"), Part("test"));
        (ImageFolder first, ImageFolder? split, ImageFolder? last) = Split(train, Validation is null ? validation : 0, Test is null ? test : 0, seed);
        (Validation, Test) = (Validation ?? split, Test ?? last);
        Train = first.Beside(
        [
            .. around,
            .. PictureFolder.List(root, deep: false).Select(file => new SkippedFile(file.Name, file.Fault ?? "beside the folders of the parts")),
            .. folders.Where(folder => !ImageFolder.HasClasses(Path.Combine(root, folder)))
                .Select(folder => new SkippedFile(folder, "a part without classes, which PredictFolder takes")),
        ]);

        string? In(string part) => named[part].FirstOrDefault() is string folder ? Path.Combine(root, folder) : null;

        ImageFolder? Part(string part) =>
            In(part) is string folder && ImageFolder.HasClasses(folder) ? new ImageFolder(folder, allowEmpty).WithClasses(train.ClassNames, allowEmpty) : null;
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
    public ImageFolder Train { get; init => field = value ?? throw new ArgumentNullException(nameof(Train)); }

    /// <summary>Photos that tell during a training how it goes; null if there are none.</summary>
    public ImageFolder? Validation { get; init; }

    /// <summary>Photos for the score at the end; null if there are none.</summary>
    public ImageFolder? Test { get; init; }

    /// <summary>Reads all pictures, as <see cref="ImageFolder.Load"/> does.</summary>
    /// <returns>
    /// The parts, with the classes of the training part, all normalised by its mean and standard deviation; a channel whose pixels are all equal is
    /// divided by 1.
    /// </returns>
    /// <exception cref="InvalidDataException">
    /// A part has a class that the training part does not have; or what <see cref="ImageFolder.Load"/> refuses of a part.
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

    /// <summary>Whether folders, all that there are, are parts of a set and not classes.</summary>
    /// <exception cref="InvalidDataException">They are named so, but that to train on holds no classes; or one of them is a part, and another is none.</exception>
    internal static bool AreParts(string root, string[] folders)
    {
        string[] named = [.. folders.Where(folder => PartOf(folder) is not null)];
        string[] holding = [.. named.Where(folder => ImageFolder.HasClasses(Path.Combine(root, folder)))];
        if (named.Length == 0 || (named.Length < folders.Length && holding.Length == 0))
            return false;
        if (named.Length == folders.Length && holding.Any(folder => PartOf(folder) == "train"))
            return true;
        string why = named.Length < folders.Length
            ? $"{holding[0]} holds classes, as a part of a set does, but {SkippedFile.List([.. folders.Except(named)])} is no part: move it away"
            : $"{string.Join(" and ", folders)} are named as parts of a set, but none of them is a folder train that holds classes: name it so";
        throw new InvalidDataException(
            $"{root}: {why}, give the folder of one part, or, where these are classes, take ImageFolder.FromNames(path, name => name.Split('/')[0])");
    }

    /// <summary>“train”, “val” or “test”, which a folder's name stands for; null if for none.</summary>
    static string? PartOf(string folder) =>
        PartName().Match(folder) is { Success: true } match ? match.Groups.Values.Skip(1).First(group => group.Success).Name : null;

    // train, val, test; training_set, seg_test, test1.
    [GeneratedRegex(
        "^(?:seg[_-])?(?:(?<train>train(?:ing)?)|(?<val>val(?:id(?:ation)?)?|dev)|(?<test>test(?:ing)?))(?:[_-]?(?:set|data|images|photos))?[0-9]*$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PartName();

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
