using System.Text.RegularExpressions;

namespace MiniCnn.Imaging;

/// <summary>A file of pictures' folder.</summary>
/// <param name="Name">Its path below the folder, with slashes.</param>
/// <param name="Label">The index of its class.</param>
public readonly record struct ImageFile(string Name, int Label);

/// <summary>A folder of photos, sorted into classes: listed when it is made, read by <see cref="Load"/>.</summary>
/// <remarks>
/// The classes are the subfolders, in the ordinal order of their names: <c>Cat/0.jpg</c>, <c>Dog/other/1.png</c>. Or, where there are no
/// subfolders, what stands before the number in each file's name: <c>cat.0.jpg</c>. A folder that holds nothing but one that is laid out so
/// (as archives unpack: <c>PetImages/Cat/0.jpg</c>, <c>train/cat.0.jpg</c>) stands for that one.
/// Pictures end in .jpg, .jpeg, .png, .webp, .gif or .bmp, in capitals or not, and are read by their content; they come class by class, in
/// the ordinal order of their paths.
/// Everything else is passed over: hidden files and folders, other extensions, pictures beside the classes' subfolders.
/// Links to files, and to folders in place of a class's, are followed; links to folders further below are not, so no circle has a way in.
/// Immutable, and free of what is in the files.
/// </remarks>
public sealed partial class ImageFolder
{
    /// <summary>Lists a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">It holds no classes, or a class without pictures; the message names it.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public ImageFolder(string path)
    {
        PictureFolder.Check(path);
        Root = Unwrapped(path);
        string[] folders = Subfolders(Root);
        (ClassNames, IEnumerable<ImageFile> files) = folders.Length > 0 ? (folders, ByFolder(folders)) : ByName();
        Files = [.. files.OrderBy(file => file.Label).ThenBy(file => file.Name, StringComparer.Ordinal)];
    }

    ImageFolder(ImageFolder whole, IEnumerable<ImageFile> files) => (Root, ClassNames, Files) = (whole.Root, whole.ClassNames, [.. files]);

    /// <summary>The folder whose subfolders, or whose files, are the classes.</summary>
    public string Root { get; }

    /// <summary>The name of each class, in ordinal order.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The pictures, class by class.</summary>
    public IReadOnlyList<ImageFile> Files { get; }

    /// <summary>Splits off a share of the files at random, of each class by itself, before any is read.</summary>
    /// <param name="validation">The share that goes to the second part, between 0 and 1; of two files or more, at least one goes either way.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <returns>Two parts with the same classes, the files of each in the order they had.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (ImageFolder Train, ImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        int[] labels = [.. Files.Select(file => file.Label)];
        (int[] first, int[] second) = Permutation.Stratified(labels, ClassNames.Count, validation, seed);
        return (new(this, first.Order().Select(i => Files[i])), new(this, second.Order().Select(i => Files[i])));
    }

    /// <summary>Reads every picture once, on all threads, and keeps it at the size it is trained with.</summary>
    /// <param name="height">Rows of each image. The picture is resized to this and the width, whatever its proportions.</param>
    /// <param name="width">Columns of each image.</param>
    /// <param name="channels">3: colour; 1: grey.</param>
    /// <param name="strict">A file that cannot be read is an error; else it is skipped, and told of in the result.</param>
    /// <param name="progress">Told after each file, of one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The same whatever the number of threads; normalised to 0 to 1, as torchvision's <c>ToTensor</c>: mean 0, std 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or there are neither 1 nor 3 channels.</exception>
    /// <exception cref="ArgumentException">So many images of that size do not fit an array.</exception>
    /// <exception cref="InvalidDataException">No picture of a class can be read, or not every one where it is <paramref name="strict"/>.</exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public LoadedImages<LabeledImages> Load(
        int height, int width, int channels = 3, bool strict = false, IProgress<(int Done, int Total)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ImageShape shape = PictureFolder.Shape(channels, height, width, Files.Count);
        int length = (int)shape.Length;
        byte[] pixels = new byte[Files.Count * length];                        // [N, C, H, W]
        string[] names = [.. Files.Select(file => file.Name)];
        (int[] kept, SkippedFile[] skipped) = PictureFolder.ReadAll(Root, names, ReadFile, strict, progress, cancellationToken);
        foreach (int lost in Files.Select(file => file.Label).Except(kept.Select(i => Files[i].Label)))
            throw new InvalidDataException(
                $"{Root}: no picture of the class {ClassNames[lost]} can be read; skipped {SkippedFile.Summary(skipped, Files.Count)}");

        float[] mean = new float[channels], std = [.. Enumerable.Repeat(1f, channels)];
        int[] labels = [.. kept.Select(i => Files[i].Label)];
        LabeledImages images = new(PictureFolder.Keep(kept, pixels, length), labels, shape, ClassNames.Count, mean, std, ClassNames);
        return new(images, [.. kept.Select(i => names[i])], skipped);

        void ReadFile(int i) =>
            PictureFolder.Write(PictureFolder.Read(Path.Combine(Root, names[i]), Picture.Load), shape, pixels.AsSpan(i * length, length));
    }

    IEnumerable<ImageFile> ByFolder(string[] folders) => folders.SelectMany((folder, label) =>
    {
        string[] names = [.. PictureFolder.Find(Path.Combine(Root, folder), $"{folder}/", deep: true)];
        if (names.Length == 0) throw new InvalidDataException($"{Root}: the class {folder} holds no pictures ({PictureFolder.Extensions})");
        return names.Select(name => new ImageFile(name, label));
    });

    (string[] Classes, IEnumerable<ImageFile> Files) ByName()
    {
        string[] names = [.. PictureFolder.Find(Root, "", deep: false)];
        if (names.FirstOrDefault(name => !Numbered().IsMatch(name)) is string other)
            throw new InvalidDataException($"{Root}: {other} is in no class: expected a subfolder for each class, or names such as cat.0.jpg");
        if (names.Length == 0)
            throw new InvalidDataException($"{Root}: no classes: expected a subfolder for each, or files with names such as cat.0.jpg");
        string[] classes = [.. names.Select(Class).Distinct().Order(StringComparer.Ordinal)];
        return (classes, names.Select(name => new ImageFile(name, Array.IndexOf(classes, Class(name)))));

        static string Class(string name) => Numbered().Match(name).Groups[1].Value;
    }

    /// <summary>Goes down while there is nothing but one subfolder, and that one holds subfolders alone, or numbered names alone.</summary>
    static string Unwrapped(string path)
    {
        while (Subfolders(path) is [string only] && !PictureFolder.Find(path, "", deep: false).Any())
        {
            DirectoryInfo below = new(Path.Combine(path, only));
            string[] names = [.. PictureFolder.Find(below.FullName, "", deep: false)];
            bool isFolderOfClasses = names.Length > 0 ? names.All(Numbered().IsMatch) : Subfolders(below.FullName).Length > 0;
            if (!isFolderOfClasses || below.LinkTarget is not null)
                break;
            path = Path.Combine(path, only);
        }
        return path;
    }

    static string[] Subfolders(string path)
    {
        string full = WithSeparator(Path.GetFullPath(path));
        IEnumerable<DirectoryInfo> folders = PictureFolder.Entries(path).OfType<DirectoryInfo>().Where(folder => !LeadsBack(folder));
        return [.. folders.Select(folder => folder.Name).Order(StringComparer.Ordinal)];

        bool LeadsBack(DirectoryInfo folder) =>
            folder.ResolveLinkTarget(returnFinalTarget: true) is FileSystemInfo target
            && full.StartsWith(WithSeparator(target.FullName), StringComparison.Ordinal);

        static string WithSeparator(string path) => Path.TrimEndingDirectorySeparator(path) + Path.DirectorySeparatorChar;
    }

    [GeneratedRegex(@"^(.+)\.[0-9]+\.[^.]+$", RegexOptions.Singleline)]
    private static partial Regex Numbered();
}
