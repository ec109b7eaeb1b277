namespace MiniCnn.Imaging;

/// <summary>A file that could not be read.</summary>
/// <param name="Name">Its path below the folder, with slashes.</param>
/// <param name="Reason">Why.</param>
public readonly record struct SkippedFile(string Name, string Reason)
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
/// <param name="Skipped">The files that could not be read.</param>
public sealed record LoadedImages<T>(T Images, IReadOnlyList<string> Files, IReadOnlyList<SkippedFile> Skipped) where T : ImageDataset
{
    /// <summary>“skipped 2 of 25000 files: Cat/666.jpg (empty), Dog/11702.jpg (empty)”: a line that counts them and names the first; or null.</summary>
    public string? SkippedSummary => Skipped.Count == 0 ? null : $"skipped {SkippedFile.Summary(Skipped, Files.Count + Skipped.Count)}";
}
