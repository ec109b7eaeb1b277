namespace MiniCnn.Imaging;

/// <summary>A folder of photos and a folder of their masks. The constructor lists the files, <see cref="Load"/> reads them.</summary>
/// <remarks>
/// The mask of <c>a/1.jpg</c> is <c>a/1.png</c> in the folder of masks. It is read by <see cref="Picture.LoadMask(string)"/> and has the size of the photo
/// after its EXIF orientation is applied. Each pixel is the index of a class, or 255, <see cref="MaskedImages.Ignored"/>, for no class.
/// Pictures are found as in an <see cref="ImageFolder"/> and are in the ordinal order of their paths. Files that are not pictures are listed in
/// <see cref="Skipped"/>. Immutable.
/// </remarks>
public sealed class MaskedImageFolder
{
    /// <summary>Lists the two folders and their subfolders.</summary>
    /// <param name="pictures">Path of the folder of pictures.</param>
    /// <param name="masks">Path of the folder of their masks.</param>
    /// <param name="classNames">The class names by index, 1 to 255 of them.</param>
    /// <exception cref="DirectoryNotFoundException">A folder does not exist.</exception>
    /// <exception cref="ArgumentException">There are no class names or more than 255; or the folders are the same, or one is inside the other.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no pictures, a picture has no mask, a mask has no picture, or two pictures have the same mask. The message names them.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to a folder is denied.</exception>
    public MaskedImageFolder(string pictures, string masks, IReadOnlyList<string> classNames)
    {
        PictureFolder.Check(masks);
        PictureFolder.CheckApart(pictures, masks);
        ArgumentNullException.ThrowIfNull(classNames);
        if (classNames.Count is < 1 or > MaskedImages.Ignored)
            throw new ArgumentException($"expected 1 to {MaskedImages.Ignored} class names, got {classNames.Count}", nameof(classNames));
        (Pictures, Masks, ClassNames) = (pictures, masks, [.. classNames]);
        (string[] files, SkippedFile[] others) = Pictured(pictures);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(masks)];
        string[] found = [.. PictureFolder.Pictures(all).Where(IsPng).Order(StringComparer.Ordinal)];
        Refuse(pictures, files, files.ExceptBy(found, MaskOf), $"no .png mask of the same name in {masks}");
        Refuse(masks, found, found.Except(files.Select(MaskOf)), $"no picture of the same name in {pictures}");
        Files = files;
        Skipped =
        [
            .. others, .. PictureFolder.Others(all),
            .. PictureFolder.Pictures(all).Where(name => !IsPng(name)).Select(name => new SkippedFile(name, "in the folder of masks, but not a .png")),
        ];

        static bool IsPng(string name) => Path.GetExtension(name).Equals(".png", StringComparison.OrdinalIgnoreCase);
    }

    MaskedImageFolder(MaskedImageFolder whole, IEnumerable<int> files, IReadOnlyList<SkippedFile> skipped) => (Pictures, Masks, ClassNames, Files, Skipped) =
        (whole.Pictures, whole.Masks, whole.ClassNames, [.. files.Order().Select(i => whole.Files[i])], skipped);

    /// <summary>Path of the folder of pictures.</summary>
    public string Pictures { get; }

    /// <summary>Path of the folder of masks.</summary>
    public string Masks { get; }

    /// <summary>The class names by index.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Paths of the pictures relative to <see cref="Pictures"/>, with slashes.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The files of both folders that are not pictures or masks.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; }

    /// <summary>Splits the files at random. No file is read.</summary>
    /// <param name="validation">Fraction of the files in the second part, between 0 and 1. With two files or more, each part has at least one.</param>
    /// <param name="seed">Random seed. The same seed gives the same split.</param>
    /// <returns>Two parts with the same classes, in the order of <see cref="Files"/>. The skipped files are listed in the first part.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (MaskedImageFolder Train, MaskedImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        (int[] first, int[] second) = Permutation.Stratified(new int[Files.Count], 1, validation, seed);
        return (new(this, first, Skipped), new(this, second, []));
    }

    /// <summary>
    /// Reads all pictures and masks on all threads and resizes them to the training size: pictures as by <see cref="Picture.Resize"/>, masks by
    /// nearest-neighbor interpolation.
    /// </summary>
    /// <remarks>
    /// All masks stay in memory, one byte per pixel. Pictures that do not fit into the rest of the memory budget are read again from their files in each epoch,
    /// on all threads. The batches are bit-identical in both cases. Do not change the files during the training.
    /// </remarks>
    /// <param name="height">Height of each image in pixels.</param>
    /// <param name="width">Width of each image in pixels.</param>
    /// <param name="channels">3 for RGB, 1 for grey.</param>
    /// <param name="fit">
    /// How pictures and masks with another aspect ratio are resized. The bars of a letterbox are <see cref="MaskedImages.Ignored"/> in the mask.
    /// </param>
    /// <param name="strict">
    /// Whether to throw if a picture or mask cannot be read, a mask has another size than its picture, or a mask has an index without a class. If false, the
    /// picture is skipped and reported in the result. The default is true, because one wrong mask usually means that all masks are wrong.
    /// </param>
    /// <param name="memoryBudget">Maximum size of the images and masks in memory, in bytes. The default is half of the memory that is free now.</param>
    /// <param name="progress">Called after each picture, by one thread at a time, with the number of pictures done and the total.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <returns>The images, scaled to 0 to 1 as by torchvision's <c>ToTensor</c> (mean 0, std 1), independent of the number of threads.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, channels are not 1 or 3, the fit is undefined, or the budget is negative.</exception>
    /// <exception cref="ArgumentException">An image of this size does not fit into an array, or the masks do not fit into the memory budget.</exception>
    /// <exception cref="InvalidDataException">
    /// No picture can be read with its mask; or, if <paramref name="strict"/>, a picture or mask cannot be read or does not match.
    /// </exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public LoadedImages<MaskedImages> Load(
        int height, int width, int channels = 3, Fit fit = Fit.Stretch, bool strict = true, long? memoryBudget = null,
        IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellationToken = default)
    {
        ImageShape shape = PictureFolder.Shape(channels, height, width, fit);
        MemoryBudget budget = new(memoryBudget);
        long bytes = (long)Files.Count * height * width;
        if (!budget.TryTake(bytes))
        {
            throw new ArgumentException(
                $"{Files.Count} masks of {height}×{width} take {bytes} bytes, more than the memory budget; load smaller images or use a larger memoryBudget");
        }
        PictureStore store = new(Pictures, Files, shape, fit, budget);
        NativeImages masks = new(height * width);
        int[] places = new int[Files.Count];                            // index in `masks` of the mask of each picture
        (int[] kept, SkippedFile[] skipped) = PictureFolder.ReadAll(Pictures, Files, ReadPair, strict, progress, cancellationToken);
        if (kept.Length == 0)
        {
            string why = Files.Count == 0
                ? "this part has no pictures" : $"no picture can be read with its mask; skipped {SkippedFile.Summary(skipped, Files.Count)}";
            throw new InvalidDataException($"{Pictures}: {why}");
        }
        float[] mean = new float[channels], std = [.. Enumerable.Repeat(1f, channels)];
        MaskedImages images = new(store.Source(kept), i => masks[places[kept[i]]], shape, ClassNames.Count, mean, std, ClassNames, fit);
        return new(images, [.. kept.Select(i => Files[i])], [.. Skipped, .. skipped], store.InMemory);

        void ReadPair(int i)
        {
            Picture picture = PictureFolder.Read(Path.Combine(Pictures, Files[i]), Picture.Load);
            places[i] = masks.Add(Resampling.Nearest(ReadMask(Files[i], picture), width, height, fit, around: MaskedImages.Ignored));
            store.Add(i, store.ToImage(picture));      // not within Load: the picture would block pixels that its mask waits for
        }
    }

    /// <summary>Reads the mask of a picture and checks its size and its class indices.</summary>
    Picture ReadMask(string name, Picture picture)
    {
        try
        {
            Picture mask = PictureFolder.Read(Path.Combine(Masks, MaskOf(name)), Picture.LoadMask);
            if ((mask.Width, mask.Height) != (picture.Width, picture.Height))
            {
                throw new PictureFormatException(
                    $"expected the size of the picture, {picture.Width}×{picture.Height}, found {mask.Width}×{mask.Height}");
            }
            int bad = Array.FindIndex(mask.Pixels, index => index >= ClassNames.Count && index != MaskedImages.Ignored);
            return bad < 0
                ? mask
                : throw new PictureFormatException(
                    $"expected class indices 0 to {ClassNames.Count - 1} ({SkippedFile.List(ClassNames)}) or {MaskedImages.Ignored} for no class, "
                    + $"found {mask.Pixels[bad]} in row {bad / mask.Width}, column {bad % mask.Width}");
        }
        catch (PictureFormatException e)
        {
            throw new PictureFormatException($"its mask: {e.Message}", e);
        }
    }

    /// <summary>Lists the pictures of a folder and its subfolders, and checks that no two have the same mask.</summary>
    internal static (string[] Files, SkippedFile[] Others) Pictured(string folder)
    {
        PictureFolder.Check(folder);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(folder)];
        string[] files = [.. PictureFolder.Pictures(all).Order(StringComparer.Ordinal)];
        SkippedFile[] others = [.. PictureFolder.Others(all)];
        if (files.Length == 0)
            throw new InvalidDataException($"{folder}: no pictures{(others.Length == 0 ? "" : $", only {SkippedFile.Summary(others, others.Length)}")}");
        Refuse(folder, files, files.GroupBy(MaskOf).Where(same => same.Skip(1).Any()).SelectMany(same => same), "two pictures would have the same mask");
        return (files, others);
    }

    /// <summary>The name of the mask of a picture.</summary>
    internal static string MaskOf(string name) => Path.ChangeExtension(name, ".png");

    static void Refuse(string folder, string[] all, IEnumerable<string> some, string fault)
    {
        string[] names = [.. some];
        if (names.Length > 0)
            throw new InvalidDataException($"{folder}: {fault}: {names.Length} of {all.Length} files: {SkippedFile.List(names)}");
    }
}
