namespace MiniCnn.Imaging;

/// <summary>A file that was not read.</summary>
/// <param name="Name">Its path below the folder, with slashes.</param>
/// <param name="Reason">Why.</param>
/// <param name="ClassName">The class it would have had; null if it has none, or belongs to a folder with masks.</param>
public readonly record struct SkippedFile(string Name, string Reason, string? ClassName = null)
{
    const int Named = 3;

    /// <summary>“2 of 25000 files: Cat/666.jpg (empty), Dog/11702.jpg (empty)”, in one line, whatever the names.</summary>
    internal static string Summary(IReadOnlyList<SkippedFile> skipped, int total) =>
        $"{skipped.Count} of {total} files: {List([.. skipped.Select(file => $"{file.Name} ({file.Reason})")])}";

    /// <summary>“a, b, c and 2 more”, in one line, whatever the names.</summary>
    internal static string List(IReadOnlyList<string> names)
    {
        string rest = names.Count > Named ? $" and {names.Count - Named} more" : "";
        return string.Concat($"{string.Join(", ", names.Take(Named))}{rest}".Select(c => char.IsControl(c) ? '?' : c));
    }
}

/// <summary>What <see cref="ImageFolder.Load"/> or <see cref="MaskedImageFolder.Load"/> read.</summary>
/// <param name="Images">The images, in the order of the folder's files.</param>
/// <param name="Files">The file of each image: its path below the folder, with slashes.</param>
/// <param name="Skipped">The files that were not read: those of the folder that are no pictures, and pictures that cannot be read.</param>
/// <param name="InMemory">How many images are kept in memory. The others are read again from their files in each epoch.</param>
public sealed record LoadedImages<T>(T Images, IReadOnlyList<string> Files, IReadOnlyList<SkippedFile> Skipped, int InMemory) where T : ImageDataset
{
    const int MostNamed = 12;          // classes

    /// <summary>
    /// How many images there are, of which classes, and in memory; then a line for each class of which files were not read, that counts them and names the
    /// first with the reason.
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

    /// <summary>Files of a class, read or not; or all.</summary>
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
