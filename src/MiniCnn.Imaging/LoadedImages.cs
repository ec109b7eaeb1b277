namespace MiniCnn.Imaging;

/// <summary>A file that was not read.</summary>
/// <param name="Name">The path relative to the folder, with slashes.</param>
/// <param name="Reason">Why it was not read.</param>
/// <param name="ClassName">The class that the file would have; null if it has none, or is in a folder with masks.</param>
public readonly record struct SkippedFile(string Name, string Reason, string? ClassName = null)
{
    const int Named = 3;

    /// <summary>“2 of 25000 files: Cat/666.jpg (empty), Dog/11702.jpg (empty)”, in one line: control characters are replaced.</summary>
    internal static string Summary(IReadOnlyList<SkippedFile> skipped, int total) =>
        $"{skipped.Count} of {total} files: {List([.. skipped.Select(file => $"{file.Name} ({file.Reason})")])}";

    /// <summary>“a, b, c and 2 more”, in one line: control characters are replaced.</summary>
    internal static string List(IReadOnlyList<string> names)
    {
        string rest = names.Count > Named ? $" and {names.Count - Named} more" : "";
        return string.Concat($"{string.Join(", ", names.Take(Named))}{rest}".Select(c => char.IsControl(c) ? '?' : c));
    }
}

/// <summary>The result of <see cref="ImageFolder.Load"/> or <see cref="MaskedImageFolder.Load"/>.</summary>
/// <param name="Images">The images, in the order of the folder's files.</param>
/// <param name="Files">The path of the file of each image, relative to the folder, with slashes.</param>
/// <param name="Skipped">The files that were not read: files that are not pictures or have no class, and pictures that cannot be read.</param>
/// <param name="InMemory">Number of images that are kept in memory. The other images are read again from their files in each epoch.</param>
public sealed record LoadedImages<T>(T Images, IReadOnlyList<string> Files, IReadOnlyList<SkippedFile> Skipped, int InMemory) where T : ImageDataset
{
    const int MostNamed = 12;          // classes

    /// <summary>
    /// The number of images, in total, of each class and in memory. Then one line for each class with files that were not read: their number, and the
    /// first three with the reason. Classes after the twelfth are only counted.
    /// </summary>
    public override string ToString()
    {
        long bytes = InMemory * Images.Shape.Length;
        string memory = InMemory == Files.Count ? "all" : $"{InMemory}", again = InMemory == Files.Count ? "" : ", the others are read again in each epoch";
        IGrouping<string?, SkippedFile>[] groups = [.. Skipped.GroupBy(file => file.ClassName)];
        IEnumerable<string> skipped = groups.Take(MostNamed).Select(files =>
            $"\nnot read{(files.Key is string name ? $", {SkippedFile.List([name])}" : "")}: {SkippedFile.Summary([.. files], Total(files.Key))}");
        IEnumerable<SkippedFile> rest = groups.Skip(MostNamed).SelectMany(files => files);
        string more = rest.Any() ? $"\nnot read, {groups.Length - MostNamed} more classes: {rest.Count()} files" : "";
        return FormattableString.Invariant($"{Images.Count} images{Classes()}; in memory: {memory} ({bytes / 1e6:F1} MB){again}{string.Concat(skipped)}{more}");
    }

    /// <summary>Number of files of a class, read or not. For images with masks, all files.</summary>
    int Total(string? className)
    {
        int read = Images is not LabeledImages images ? Files.Count
            : className is null ? 0 : images.Labels.Count(images.ClassNames.ToList().IndexOf(className));
        return read + Skipped.Count(file => file.ClassName == className);
    }

    string Classes()
    {
        if (Images is not LabeledImages images) return "";
        long[] counts = images.CountLabels();
        return images.Classes > MostNamed ? $" of {images.Classes} classes, {counts.Min()} to {counts.Max()} of each"
            : $": {string.Join(", ", images.ClassNames.Zip(counts, (name, count) => $"{SkippedFile.List([name])} {count}"))}";
    }
}
