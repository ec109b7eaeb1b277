using System.Text.RegularExpressions;

namespace MiniCnn.Imaging;

/// <summary>A picture file in an <see cref="ImageFolder"/>.</summary>
/// <param name="Name">Its path below the folder, with slashes.</param>
/// <param name="Label">The index of its class.</param>
public readonly record struct ImageFile(string Name, int Label);

/// <summary>A folder of photos, sorted into classes: listed when it is made, read by <see cref="Load"/>.</summary>
/// <remarks>
/// The classes are the subfolders, in the ordinal order of their names: <c>Cat/0.jpg</c>, <c>Dog/other/1.png</c>. Or, where there are no
/// subfolders, what stands before the number in each file's name: <c>cat.0.jpg</c>. A folder that holds nothing but one that is laid out so
/// (as archives unpack: <c>PetImages/Cat/0.jpg</c>, <c>train/cat.0.jpg</c>) stands for that one. For other names there are
/// <see cref="FromNames(string, Func{string, string?})"/> and <see cref="FromCsv"/>; for folders such as <c>train</c> and <c>test</c>
/// <see cref="ImageSplits"/>.
/// Pictures are told by their extension, .jpg, .png, .webp and others in capitals or not, or else by their first bytes, and are read by their content;
/// they come class by class, in the ordinal order of their paths. Files that are no pictures, and pictures of no class, are in <see cref="Skipped"/>.
/// Hidden files and folders are passed over, and what systems leave behind: <c>Thumbs.db</c>, <c>desktop.ini</c>, <c>__MACOSX</c>.
/// Links to files, and to folders in place of a class's, are followed; links to folders further below are not, so no circle has a way in.
/// Immutable.
/// </remarks>
public sealed partial class ImageFolder
{
    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="allowEmpty">Whether a class may hold no pictures.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// It holds no classes, a class without pictures, or parts such as train and test in place of classes; the message names it.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public ImageFolder(string path, bool allowEmpty = false)
    {
        PictureFolder.Check(path);
        (Root, IReadOnlyList<SkippedFile> around) = Unwrapped(path);
        string[] folders = Subfolders(Root);
        if (ImageSplits.AreParts(Root, folders))
        {
            throw new InvalidDataException(
                $"{Root}: {SkippedFile.List(folders)} are parts of a set, not classes: take ImageSplits, or the folder of one part");
        }
        this.allowEmpty = allowEmpty;
        (ClassNames, Files, IEnumerable<SkippedFile> skipped) = List(folders);
        Skipped = [.. around, .. skipped];
    }

    ImageFolder(string root, IEnumerable<(string Name, string ClassName)> files, IEnumerable<SkippedFile> skipped) =>
        (Root, (ClassNames, Files), Skipped) = (root, Sorted(files), [.. skipped]);

    ImageFolder(
        ImageFolder whole, IEnumerable<ImageFile> files, IReadOnlyList<SkippedFile> skipped, IReadOnlyList<string>? classNames = null) =>
        (Root, ClassNames, Files, Skipped, allowEmpty) = (whole.Root, classNames ?? whole.ClassNames, [.. files], skipped, whole.allowEmpty);

    readonly bool allowEmpty;

    /// <summary>The same files with the labels of the set that they are a part of.</summary>
    internal ImageFolder WithClasses(IReadOnlyList<string> classNames, bool allowMissing)
    {
        if (ClassNames.Except(classNames).FirstOrDefault() is string other)
        {
            throw new InvalidDataException(
                $"{Root}: the class {SkippedFile.List([other])} is not among those to train on, {SkippedFile.List([.. classNames])}");
        }
        if (!allowMissing && classNames.Except(ClassNames).FirstOrDefault() is string missing)
        {
            throw new InvalidDataException(
                $"{Root}: the class {SkippedFile.List([missing])} is missing, which is among those to train on; allowEmpty: true takes it as empty");
        }
        List<string> names = [.. classNames];
        return new(this, Files.Select(file => file with { Label = names.IndexOf(ClassNames[file.Label]) }), Skipped, classNames);
    }

    /// <summary>The same, and what was skipped beside it.</summary>
    internal ImageFolder Beside(IReadOnlyList<SkippedFile> skipped) => new(this, Files, [.. skipped, .. Skipped]);

    /// <summary>Lists a folder and those below it, where a rule tells the class of each picture.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="classOf">From a picture's path below the folder, with slashes, to the name of its class; null or "": it has none, and is skipped.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">No picture is of a class.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public static ImageFolder FromNames(string path, Func<string, string?> classOf)
    {
        ArgumentNullException.ThrowIfNull(classOf);
        return FromNames(path, classOf, "the rule");
    }

    static ImageFolder FromNames(string path, Func<string, string?> classOf, string rule)
    {
        PictureFolder.Check(path);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(path)];
        (string Name, string? ClassName)[] named =
            [.. PictureFolder.Pictures(all).Select(name => (name, classOf(name) is { Length: > 0 } className ? className : null))];
        if (named.Length == 0)
            throw new InvalidDataException($"{path}: there are no pictures");
        if (named.All(file => file.ClassName is null))
        {
            throw new InvalidDataException(
                $"{path}: {rule} gives none of {named.Length} pictures a class: {SkippedFile.List([.. named.Select(file => file.Name)])}");
        }
        return new(
            path, named.Where(file => file.ClassName is not null)!,
            [
                .. PictureFolder.Others(all),
                .. named.Where(file => file.ClassName is null).Select(file => new SkippedFile(file.Name, "no class by its name")),
            ]);
    }

    /// <summary>
    /// Lists a folder and those below it, where the class of a picture is what the first group that matches of a regular expression is in its file's name:
    /// <c>^(.+)_\d+</c> of <c>images/Abyssinian_1.jpg</c> Abyssinian. What does not match is of no class, and skipped.
    /// </summary>
    /// <param name="path">The folder.</param>
    /// <param name="pattern">The expression.</param>
    /// <inheritdoc cref="FromNames(string, Func{string, string?})" path="/exception"/>
    public static ImageFolder FromNames(string path, Regex pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return FromNames(path, ClassOf, $"{pattern}, which is matched with a file's name and takes a group, (…), for the class,");

        string? ClassOf(string name) => pattern.Match(Path.GetFileName(name)).Groups.Values.Skip(1).FirstOrDefault(group => group.Success)?.Value;
    }

    /// <summary>Lists a folder and those below it, where a file of comma-separated values tells the class of each picture.</summary>
    /// <param name="path">The folder of pictures.</param>
    /// <param name="csv">
    /// The file: in each line the path of a picture below the folder, with its extension or without, and its class. A first line that names no picture is
    /// taken for the columns' names.
    /// </param>
    /// <param name="fileColumn">The name of the column of pictures; the first column if not given.</param>
    /// <param name="classColumn">The name of the column of classes; the second column if not given.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is not as that, has no such column, tells two classes of a picture, or of no picture that is there. The message names file and line.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It, or a folder, may not be read.</exception>
    public static ImageFolder FromCsv(string path, string csv, string? fileColumn = null, string? classColumn = null)
    {
        PictureFolder.Check(path);
        string table = Path.GetFullPath(csv);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(path).Where(file => Path.GetFullPath(Path.Combine(path, file.Name)) != table)];
        string[] pictures = [.. PictureFolder.Pictures(all)];
        (Dictionary<string, string> classes, List<SkippedFile> missing) = ClassTable.Read(csv, pictures, fileColumn, classColumn);
        if (classes.Count == 0)
        {
            throw new InvalidDataException(
                $"{csv}: names none of the {pictures.Length} pictures in {path}: {SkippedFile.List(pictures)}; "
                + $"it names {(missing.Count == 0 ? "nothing" : SkippedFile.List([.. missing.Select(file => file.Name)]))}");
        }
        IEnumerable<string> unnamed = pictures.Where(name => !classes.ContainsKey(name));
        return new(
            path, classes.Select(pair => (pair.Key, pair.Value)),
            [.. PictureFolder.Others(all), .. missing, .. unnamed.Select(name => new SkippedFile(name, $"not in {Path.GetFileName(csv)}"))]);
    }

    /// <summary>The folder whose subfolders, or whose files, are the classes.</summary>
    public string Root { get; }

    /// <summary>The name of each class, in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The pictures, class by class.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <summary>The files that are no pictures, or of no class.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; }

    /// <summary>Splits off a share of the files at random, of each class by itself, before any is read.</summary>
    /// <param name="validation">The share that goes to the second part, between 0 and 1; of two files or more, at least one goes either way.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <returns>Two parts with the same classes, the files of each in the order they had. Skipped files are listed in the first part.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (ImageFolder Train, ImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        int[] labels = [.. Files.Select(file => file.Label)];
        (int[] first, int[] second) = Permutation.Stratified(labels, ClassNames.Count, validation, seed);
        return (new(this, first.Order().Select(i => Files[i]), Skipped), new(this, second.Order().Select(i => Files[i]), []));
    }

    /// <summary>Reads every picture once, on all threads, and keeps it at the size it is trained with.</summary>
    /// <remarks>
    /// Pictures that do not fit the memory budget are read again from their files in each epoch, on all threads: the numbers and their order are the
    /// same to the bit. Leave their files alone meanwhile.
    /// </remarks>
    /// <param name="height">Rows of each image.</param>
    /// <param name="width">Columns of each image.</param>
    /// <param name="channels">3: colour; 1: grey.</param>
    /// <param name="fit">How pictures of other proportions are brought to that size. A model trained on the images does the same.</param>
    /// <param name="strict">A picture that cannot be read is an error; else it is skipped, and told of in the result.</param>
    /// <param name="memoryBudget">Bytes that images in memory may take; if not given, half of what is free now.</param>
    /// <param name="progress">Called after each file, by one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The same whatever the number of threads; normalised to 0 to 1, as torchvision's <c>ToTensor</c>: mean 0, std 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, there are neither 1 nor 3 channels, or the budget is negative.</exception>
    /// <exception cref="ArgumentException">An image of that size does not fit an array.</exception>
    /// <exception cref="InvalidDataException">
    /// No picture of a class can be read, or not every one where it is <paramref name="strict"/>; or there are no pictures.
    /// </exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public LoadedImages<LabeledImages> Load(
        int height, int width, int channels = 3, Fit fit = Fit.Stretch, bool strict = false, long? memoryBudget = null,
        IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default) =>
        LoadPart(PictureFolder.Shape(channels, height, width, fit), fit, strict, new(memoryBudget), progress, cancellationToken);

    internal LoadedImages<LabeledImages> LoadPart(
        ImageShape shape, Fit fit, bool strict, MemoryBudget budget, IProgress<(int Done, int Total)>? progress, CancellationToken cancellationToken)
    {
        if (Files.Count == 0)
            throw new InvalidDataException($"{Root}: no picture is in this part; to split one off, a class needs two");
        string[] names = [.. Files.Select(file => file.Name)];
        PictureStore store = new(Root, names, shape, fit, budget);
        (int[] kept, SkippedFile[] skipped) = PictureFolder.ReadAll(
            Root, names, ReadFile, strict, progress, cancellationToken, i => ClassNames[Files[i].Label]);
        int[] lost = [.. Files.Select(file => file.Label).Except(kept.Select(i => Files[i].Label))];
        if (lost.Length > 0 && (!allowEmpty || kept.Length == 0))
        {
            SkippedFile[] own = [.. skipped.Where(file => file.ClassName == ClassNames[lost[0]])];
            throw new InvalidDataException(
                $"{Root}: no picture of the class {SkippedFile.List([ClassNames[lost[0]]])} can be read; skipped {SkippedFile.Summary(own, own.Length)}");
        }

        float[] mean = new float[shape.Channels], std = [.. Enumerable.Repeat(1f, shape.Channels)];
        LabeledImages images = new(
            store.Source(kept), [.. kept.Select(i => Files[i].Label)], shape, ClassNames.Count, mean, std, ClassNames, fit);
        return new(images, [.. kept.Select(i => names[i])], [.. Skipped, .. skipped], store.InMemory);

        void ReadFile(int i) => store.Add(i, PictureFolder.Read(Path.Combine(Root, names[i]), stream => Picture.Load(stream, store.ToImage)));
    }

    (IReadOnlyList<string>, IReadOnlyList<ImageFile>, IEnumerable<SkippedFile>) List(string[] folders)
    {
        (string Name, string? Fault)[] here = [.. PictureFolder.List(Root, deep: false)];
        if (folders.Length == 0)
        {
            string[] names = [.. PictureFolder.Pictures(here)];
            if (names.FirstOrDefault(name => !Numbered().IsMatch(name)) is string other)
            {
                throw new InvalidDataException(
                    $"{Root}: {SkippedFile.List([other])} is in no class: expected a subfolder for each class, or names such as cat.0.jpg");
            }
            if (names.Length == 0)
                throw new InvalidDataException($"{Root}: no classes: expected a subfolder for each, or files with names such as cat.0.jpg");
            (string[] classes, ImageFile[] sorted) = Sorted(names.Select(name => (name, Numbered().Match(name).Groups[1].Value)));
            return (classes, sorted, PictureFolder.Others(here));
        }
        List<SkippedFile> skipped = [.. here.Select(file => new SkippedFile(file.Name, file.Fault ?? "beside the folders of the classes"))];
        List<ImageFile> files = [];
        for (int label = 0; label < folders.Length; label++)
        {
            (string Name, string? Fault)[] all = [.. PictureFolder.List(Path.Combine(Root, folders[label]), $"{folders[label]}/")];
            ImageFile[] pictures = [.. PictureFolder.Pictures(all).Order(StringComparer.Ordinal).Select(name => new ImageFile(name, label))];
            SkippedFile[] others = [.. PictureFolder.Others(all, folders[label])];
            if (pictures.Length == 0 && !allowEmpty)
            {
                string instead = others.Length == 0 ? "" : $", but {SkippedFile.Summary(others, others.Length)}";
                throw new InvalidDataException(
                    $"{Root}: the class {SkippedFile.List([folders[label]])} holds no pictures{instead}; allowEmpty: true lets it be");
            }
            files.AddRange(pictures);
            skipped.AddRange(others);
        }
        return (folders, files, skipped);
    }

    static (string[] Classes, ImageFile[] Files) Sorted(IEnumerable<(string Name, string ClassName)> files)
    {
        ILookup<string, string> classes = files.ToLookup(file => file.ClassName, file => file.Name);
        string[] names = [.. classes.Select(group => group.Key).Order(StringComparer.Ordinal)];
        return (names, [.. names.SelectMany((name, label) => classes[name].Order(StringComparer.Ordinal).Select(file => new ImageFile(file, label)))]);
    }

    /// <summary>
    /// Goes down while there is one subfolder and no picture, and it holds subfolders alone, or numbered names alone; or while it holds the parts of a set.
    /// </summary>
    /// <returns>Where that ends, and the files that lie around it.</returns>
    internal static (string Root, IReadOnlyList<SkippedFile> Around) Unwrapped(string path)
    {
        List<SkippedFile> around = [];
        while (Subfolders(path) is [string only])
        {
            DirectoryInfo below = new(Path.Combine(path, only));
            (string Name, string? Fault)[] here = [.. PictureFolder.List(path, deep: false)];
            string[] names = [.. PictureFolder.Pictures(PictureFolder.List(below.FullName, deep: false))], folders = Subfolders(below.FullName);
            bool wraps = !PictureFolder.Pictures(here).Any() && (names.Length > 0 ? names.All(Numbered().IsMatch) : folders.Length > 0);
            if (below.LinkTarget is not null || (!wraps && !ImageSplits.AreParts(below.FullName, folders)))
                break;
            around.AddRange(here.Select(file => new SkippedFile(file.Name, file.Fault ?? $"beside {only}, which holds the classes")));
            path = below.FullName;
        }
        return (path, around);
    }

    /// <summary>Whether a folder holds subfolders, or pictures whose names tell classes.</summary>
    internal static bool HasClasses(string path)
    {
        string[] names = [.. PictureFolder.Pictures(PictureFolder.List(path, deep: false))];
        return Subfolders(path).Length > 0 || (names.Length > 0 && names.All(Numbered().IsMatch));
    }

    internal static string[] Subfolders(string path)
    {
        string full = WithSeparator(Path.GetFullPath(path));
        DirectoryInfo[] folders = [.. PictureFolder.Entries(path).OfType<DirectoryInfo>()];
        if (folders.FirstOrDefault(PictureFolder.HasNoUtf8Name) is { } unread)
            throw new InvalidDataException($"{path}: the folder {unread.Name} cannot be opened, as its name is not UTF-8; rename it");
        return [.. folders.Where(folder => !LeadsBack(folder)).Select(folder => folder.Name).Order(StringComparer.Ordinal)];

        bool LeadsBack(DirectoryInfo folder) =>
            folder.ResolveLinkTarget(returnFinalTarget: true) is FileSystemInfo target
            && full.StartsWith(WithSeparator(target.FullName), StringComparison.Ordinal);

        static string WithSeparator(string path) => Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
    }

    [GeneratedRegex(@"^(.+)\.[0-9]+\.[^.]+$", RegexOptions.Singleline)]
    private static partial Regex Numbered();
}
