using System.Text.RegularExpressions;

namespace MiniCnn.Imaging;

/// <summary>A picture file in an <see cref="ImageFolder"/>.</summary>
/// <param name="Name">The path relative to the folder, with slashes.</param>
/// <param name="Label">The index of its class.</param>
public readonly record struct ImageFile(string Name, int Label);

/// <summary>A folder of photos with a class for each photo. The constructor lists the files, <see cref="Load"/> reads them.</summary>
/// <remarks>
/// The classes are the subfolders, in the ordinal order of their names: <c>Cat/0.jpg</c>, <c>Dog/other/1.png</c>. If there are no
/// subfolders, the class is the part of the file name before the number: <c>cat.0.jpg</c>. If the folder has only one subfolder, with this layout
/// (as archives unpack: <c>PetImages/Cat/0.jpg</c>, <c>train/cat.0.jpg</c>), that subfolder is used. For other names, use
/// <see cref="FromNames(string, Func{string, string?})"/> or <see cref="FromCsv"/>; for folders such as <c>train</c> and <c>test</c>, use
/// <see cref="ImageSplits"/>.
/// A file is a picture if it has a picture's extension (.jpg, .png, .webp and others, in upper or lower case) or, with another extension, if its first bytes
/// are those of a picture. The content of the file alone determines how it is decoded. The pictures are ordered by class, then by path (ordinal). Files that
/// are not pictures, and pictures without a class, are listed in <see cref="Skipped"/>.
/// Hidden files and folders are ignored, and files of the operating system such as <c>Thumbs.db</c>, <c>desktop.ini</c> and <c>__MACOSX</c>.
/// Links to files are followed, and links to folders that are class folders; links to deeper folders are not, which rules out cycles.
/// Immutable.
/// </remarks>
public sealed partial class ImageFolder
{
    /// <summary>Lists a folder.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="allowEmpty">Whether a class may have no pictures.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// The folder has no classes, a class without pictures, or parts such as train and test instead of classes. The message names them.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to a folder is denied.</exception>
    public ImageFolder(string path, bool allowEmpty = false)
    {
        PictureFolder.Check(path);
        (Root, IReadOnlyList<SkippedFile> around) = Unwrapped(path);
        string[] folders = Subfolders(Root);
        if (ImageSplits.AreParts(Root, folders))
        {
            throw new InvalidDataException(
                $"{Root}: expected class folders, found the parts of a data set, {SkippedFile.List(folders)}; use ImageSplits, or the folder of one part");
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

    /// <summary>The same files, with labels that are indices into the given class names.</summary>
    internal ImageFolder WithClasses(IReadOnlyList<string> classNames, bool allowMissing)
    {
        if (ClassNames.Except(classNames).FirstOrDefault() is string other)
        {
            throw new InvalidDataException(
                $"{Root}: the class {SkippedFile.List([other])} is not a class of the training part, {SkippedFile.List([.. classNames])}");
        }
        if (!allowMissing && classNames.Except(ClassNames).FirstOrDefault() is string missing)
        {
            throw new InvalidDataException(
                $"{Root}: the class {SkippedFile.List([missing])} of the training part is missing; allowEmpty: true treats it as empty");
        }
        List<string> names = [.. classNames];
        return new(this, Files.Select(file => file with { Label = names.IndexOf(ClassNames[file.Label]) }), Skipped, classNames);
    }

    /// <summary>The same folder, with further skipped files listed first.</summary>
    internal ImageFolder Beside(IReadOnlyList<SkippedFile> skipped) => new(this, Files, [.. skipped, .. Skipped]);

    /// <summary>Lists a folder and its subfolders. A function returns the class of each picture.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="classOf">Maps the path of a picture relative to the folder, with slashes, to a class name. Null or "" skips the picture.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">There are no pictures, or none has a class.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a folder is denied.</exception>
    public static ImageFolder FromNames(string path, Func<string, string?> classOf)
    {
        ArgumentNullException.ThrowIfNull(classOf);
        return FromNames(path, classOf, "the function");
    }

    static ImageFolder FromNames(string path, Func<string, string?> classOf, string rule)
    {
        PictureFolder.Check(path);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(path)];
        (string Name, string? ClassName)[] named =
            [.. PictureFolder.Pictures(all).Select(name => (name, classOf(name) is { Length: > 0 } className ? className : null))];
        if (named.Length == 0)
            throw new InvalidDataException($"{path}: the folder has no pictures");
        if (named.All(file => file.ClassName is null))
        {
            throw new InvalidDataException(
                $"{path}: {rule} gives none of the {named.Length} pictures a class: {SkippedFile.List([.. named.Select(file => file.Name)])}");
        }
        return new(
            path, named.Where(file => file.ClassName is not null)!,
            [
                .. PictureFolder.Others(all),
                .. named.Where(file => file.ClassName is null).Select(file => new SkippedFile(file.Name, "its name gives no class")),
            ]);
    }

    /// <summary>
    /// Lists a folder and its subfolders. A regular expression is matched against the file name of each picture; the class is the first group that matches.
    /// For example, <c>^(.+)_\d+</c> gives <c>images/Abyssinian_1.jpg</c> the class Abyssinian. Pictures that do not match are skipped.
    /// </summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="pattern">The regular expression, with at least one group.</param>
    /// <inheritdoc cref="FromNames(string, Func{string, string?})" path="/exception"/>
    public static ImageFolder FromNames(string path, Regex pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return FromNames(path, ClassOf, $"the pattern {pattern}, matched against the file name, with the class in a group (…),");

        string? ClassOf(string name) => pattern.Match(Path.GetFileName(name)).Groups.Values.Skip(1).FirstOrDefault(group => group.Success)?.Value;
    }

    /// <summary>Lists a folder and its subfolders. A CSV file contains the class of each picture.</summary>
    /// <param name="path">Path of the folder of pictures.</param>
    /// <param name="csv">
    /// Path of the CSV file. Each line has the path of a picture relative to the folder, with or without extension, and its class. The first line is a
    /// header if a column name is given, or if it does not start with a picture.
    /// </param>
    /// <param name="fileColumn">Name of the column of pictures. The default is the first column.</param>
    /// <param name="classColumn">Name of the column of classes. The default is the second column.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// A line is malformed, a column does not exist, a picture has two classes, or the file names no picture of the folder. The message names the file and,
    /// where there is one, the line.
    /// </exception>
    /// <exception cref="IOException">The CSV file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the CSV file or a folder is denied.</exception>
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
                $"{csv}: expected names of the {pictures.Length} pictures in {path}: {SkippedFile.List(pictures)}; "
                + $"found {(missing.Count == 0 ? "no names" : SkippedFile.List([.. missing.Select(file => file.Name)]))}");
        }
        IEnumerable<string> unnamed = pictures.Where(name => !classes.ContainsKey(name));
        return new(
            path, classes.Select(pair => (pair.Key, pair.Value)),
            [.. PictureFolder.Others(all), .. missing, .. unnamed.Select(name => new SkippedFile(name, $"not in {Path.GetFileName(csv)}"))]);
    }

    /// <summary>Path of the folder with the class subfolders or the pictures. Names in <see cref="Files"/> are relative to it.</summary>
    public string Root { get; }

    /// <summary>The class names, in ordinal order. A label is an index into them.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The pictures, ordered by class, then by path.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <summary>The files that are not pictures or have no class.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; }

    /// <summary>Splits the files at random, stratified by class. No file is read.</summary>
    /// <param name="validation">Fraction of the files in the second part, between 0 and 1. With two files or more, a class is in both parts.</param>
    /// <param name="seed">Random seed. The same seed gives the same split.</param>
    /// <returns>Two parts with the same classes, in the order of <see cref="Files"/>. The skipped files are listed in the first part.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (ImageFolder Train, ImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        int[] labels = [.. Files.Select(file => file.Label)];
        (int[] first, int[] second) = Permutation.Stratified(labels, ClassNames.Count, validation, seed);
        return (new(this, first.Order().Select(i => Files[i]), Skipped), new(this, second.Order().Select(i => Files[i]), []));
    }

    /// <summary>Reads all pictures on all threads and resizes them to the training size.</summary>
    /// <remarks>
    /// Pictures that do not fit into the memory budget are read again from their files in each epoch, on all threads. The batches are bit-identical in both
    /// cases. Do not change the files during the training.
    /// </remarks>
    /// <param name="height">Height of each image in pixels.</param>
    /// <param name="width">Width of each image in pixels.</param>
    /// <param name="channels">3 for RGB, 1 for grey.</param>
    /// <param name="fit">How pictures with another aspect ratio are resized. A model trained on the images uses the same fit.</param>
    /// <param name="strict">Whether to throw if a picture cannot be read. By default it is skipped and reported in the result.</param>
    /// <param name="memoryBudget">Maximum size of the images in memory, in bytes. The default is half of the memory that is free now.</param>
    /// <param name="progress">Called after each file, by one thread at a time, with the number of files done and the total.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The images, scaled to 0 to 1 as by torchvision's <c>ToTensor</c> (mean 0, std 1), independent of the number of threads.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, channels are not 1 or 3, the fit is undefined, or the budget is negative.</exception>
    /// <exception cref="ArgumentException">An image of this size does not fit into an array.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no pictures; no picture of a class can be read and the class may not be empty; or, if <paramref name="strict"/>, a picture cannot be read.
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
            throw new InvalidDataException($"{Root}: this part has no pictures; a split needs at least two pictures of a class");
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
                    $"{Root}: {SkippedFile.List([other])} has no class: expected a subfolder for each class, or names such as cat.0.jpg");
            }
            if (names.Length == 0)
                throw new InvalidDataException($"{Root}: no classes: expected a subfolder for each class, or files with names such as cat.0.jpg");
            (string[] classes, ImageFile[] sorted) = Sorted(names.Select(name => (name, Numbered().Match(name).Groups[1].Value)));
            return (classes, sorted, PictureFolder.Others(here));
        }
        List<SkippedFile> skipped = [.. here.Select(file => new SkippedFile(file.Name, file.Fault ?? "next to the class folders"))];
        List<ImageFile> files = [];
        for (int label = 0; label < folders.Length; label++)
        {
            (string Name, string? Fault)[] all = [.. PictureFolder.List(Path.Combine(Root, folders[label]), $"{folders[label]}/")];
            ImageFile[] pictures = [.. PictureFolder.Pictures(all).Order(StringComparer.Ordinal).Select(name => new ImageFile(name, label))];
            SkippedFile[] others = [.. PictureFolder.Others(all, folders[label])];
            if (pictures.Length == 0 && !allowEmpty)
            {
                string instead = others.Length == 0 ? "" : $", only {SkippedFile.Summary(others, others.Length)}";
                throw new InvalidDataException(
                    $"{Root}: the class {SkippedFile.List([folders[label]])} has no pictures{instead}; allowEmpty: true accepts it");
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
    /// Descends while the folder has only one subfolder and no pictures, and that subfolder has only subfolders or only numbered file names; or while that
    /// subfolder has the parts of a data set.
    /// </summary>
    /// <returns>The last folder, and the files in the folders above it.</returns>
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
            around.AddRange(here.Select(file => new SkippedFile(file.Name, file.Fault ?? $"next to {only}, which has the classes")));
            path = below.FullName;
        }
        return (path, around);
    }

    /// <summary>Whether a folder has subfolders, or pictures with a class in the file name.</summary>
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
            throw new InvalidDataException($"{path}: the folder {unread.Name} cannot be opened because its name is not UTF-8; rename it");
        return [.. folders.Where(folder => !LeadsBack(folder)).Select(folder => folder.Name).Order(StringComparer.Ordinal)];

        bool LeadsBack(DirectoryInfo folder) =>
            folder.ResolveLinkTarget(returnFinalTarget: true) is FileSystemInfo target
            && full.StartsWith(WithSeparator(target.FullName), StringComparison.Ordinal);

        static string WithSeparator(string path) => Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
    }

    [GeneratedRegex(@"^(.+)\.[0-9]+\.[^.]+$", RegexOptions.Singleline)]
    private static partial Regex Numbered();
}
