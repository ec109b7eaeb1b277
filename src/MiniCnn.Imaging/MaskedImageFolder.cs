namespace MiniCnn.Imaging;

/// <summary>A folder of photos and one of their masks: listed when it is made, read by <see cref="Load"/>.</summary>
/// <remarks>
/// The mask of <c>a/1.jpg</c> is <c>a/1.png</c> in the other folder, as <see cref="Picture.LoadMask(string)"/> reads it and of the picture's size:
/// for each pixel the index of its class, or 255, <see cref="MaskedImages.Ignored"/>, where there is none. It is of the photo as that stands upright by
/// its EXIF orientation.
/// Pictures are found as those of an <see cref="ImageFolder"/>, and come in the ordinal order of their paths; what is none is in <see cref="Skipped"/>.
/// Immutable.
/// </remarks>
public sealed class MaskedImageFolder
{
    /// <summary>Lists two folders and what is below them.</summary>
    /// <param name="pictures">The folder of pictures.</param>
    /// <param name="masks">The folder of their masks.</param>
    /// <param name="classNames">The name of each index, from 0 on; at most 255.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="ArgumentException">There are no class names, or more than 255; or one folder is the other, or in it.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no pictures, a picture without a mask, a mask without a picture, or two pictures with one mask; the message names them.
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">A folder may not be read.</exception>
    public MaskedImageFolder(string pictures, string masks, IReadOnlyList<string> classNames)
    {
        PictureFolder.Check(masks);
        PictureFolder.CheckApart(pictures, masks);
        ArgumentNullException.ThrowIfNull(classNames);
        if (classNames.Count is < 1 or > MaskedImages.Ignored)
            throw new ArgumentException($"masks have 1 to {MaskedImages.Ignored} classes, not {classNames.Count}", nameof(classNames));
        (Pictures, Masks, ClassNames) = (pictures, masks, [.. classNames]);
        (string[] files, SkippedFile[] others) = Pictured(pictures);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(masks)];
        string[] found = [.. PictureFolder.Pictures(all).Where(IsPng).Order(StringComparer.Ordinal)];
        Refuse(pictures, files, files.ExceptBy(found, MaskOf), $"no mask of the same name, .png, in {masks}");
        Refuse(masks, found, found.Except(files.Select(MaskOf)), $"no picture of the same name in {pictures}");
        Files = files;
        Skipped =
        [
            .. others, .. PictureFolder.Others(all),
            .. PictureFolder.Pictures(all).Where(name => !IsPng(name)).Select(name => new SkippedFile(name, "among the masks, but not a .png")),
        ];

        static bool IsPng(string name) => Path.GetExtension(name).Equals(".png", StringComparison.OrdinalIgnoreCase);
    }

    MaskedImageFolder(MaskedImageFolder whole, IEnumerable<int> files, IReadOnlyList<SkippedFile> skipped) => (Pictures, Masks, ClassNames, Files, Skipped) =
        (whole.Pictures, whole.Masks, whole.ClassNames, [.. files.Order().Select(i => whole.Files[i])], skipped);

    /// <summary>The folder of pictures.</summary>
    public string Pictures { get; }

    /// <summary>The folder of masks.</summary>
    public string Masks { get; }

    /// <summary>The name of each class: <c>ClassNames[index]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The pictures: their paths below the folder, with slashes.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The files in both folders that are no pictures, or no masks.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; }

    /// <summary>Splits off a share of the files at random, before any is read.</summary>
    /// <param name="validation">The share that goes to the second part, between 0 and 1; of two files or more, at least one goes either way.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <returns>Two parts with the same classes, the files of each in the order they had.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (MaskedImageFolder Train, MaskedImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        (int[] first, int[] second) = Permutation.Stratified(new int[Files.Count], 1, validation, seed);
        return (new(this, first, Skipped), new(this, second, []));
    }

    /// <summary>
    /// Reads every picture and its mask once, on all threads, and keeps them at the size they are trained with: pictures resized as
    /// <see cref="Picture.Resize"/> does, masks by the nearest pixel.
    /// </summary>
    /// <remarks>
    /// Masks stay in memory, a byte a pixel; pictures that do not fit the memory budget beside them are read again from their files in each epoch, on all
    /// threads: the numbers and their order are the same to the bit. Leave their files alone meanwhile.
    /// </remarks>
    /// <param name="height">Rows of each image.</param>
    /// <param name="width">Columns of each image.</param>
    /// <param name="channels">3: colour; 1: grey.</param>
    /// <param name="fit">
    /// How pictures and masks of other proportions are brought to that size. A letterbox's bars are <see cref="MaskedImages.Ignored"/>.
    /// </param>
    /// <param name="strict">
    /// A picture or mask that cannot be read, a mask of another size than its picture, or with an index of no class is an error; else the picture
    /// is skipped, and told of in the result. It is an error if not asked otherwise: one mask that does not fit mostly means that none does.
    /// </param>
    /// <param name="memoryBudget">Bytes that images and masks in memory may take; if not given, half of what is free now.</param>
    /// <param name="progress">Called after each picture, by one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The same whatever the number of threads; normalised to 0 to 1, as torchvision's <c>ToTensor</c>: mean 0, std 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, there are neither 1 nor 3 channels, or the budget is negative.</exception>
    /// <exception cref="ArgumentException">An image of that size does not fit an array, or the masks do not fit the memory budget.</exception>
    /// <exception cref="InvalidDataException">
    /// No picture can be read with its mask, or not every one where it is <paramref name="strict"/>.
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
                $"{Files.Count} masks of {height}×{width} take {bytes} bytes, more than the memory budget; load them smaller, or give a larger memoryBudget");
        }
        PictureStore store = new(Pictures, Files, shape, fit, budget);
        NativeImages masks = new(height * width);
        int[] places = new int[Files.Count];                            // of the pictures' masks among these
        (int[] kept, SkippedFile[] skipped) = PictureFolder.ReadAll(Pictures, Files, ReadPair, strict, progress, cancellationToken);
        if (kept.Length == 0)
        {
            string why = Files.Count == 0 ? "no picture is in this part" : $"no picture is left; skipped {SkippedFile.Summary(skipped, Files.Count)}";
            throw new InvalidDataException($"{Pictures}: {why}");
        }
        float[] mean = new float[channels], std = [.. Enumerable.Repeat(1f, channels)];
        MaskedImages images = new(store.Source(kept), i => masks[places[kept[i]]], shape, ClassNames.Count, mean, std, ClassNames, fit);
        return new(images, [.. kept.Select(i => Files[i])], [.. Skipped, .. skipped], store.InMemory);

        void ReadPair(int i)
        {
            Picture picture = PictureFolder.Read(Path.Combine(Pictures, Files[i]), Picture.Load);
            places[i] = masks.Add(Resampling.Nearest(ReadMask(Files[i], picture), width, height, fit, around: MaskedImages.Ignored));
            store.Add(i, store.ToImage(picture));      // behind the reading: a mask that waits for pixels must not hold its picture's
        }
    }

    /// <summary>The mask of a picture: of its size, and of these classes.</summary>
    Picture ReadMask(string name, Picture picture)
    {
        try
        {
            Picture mask = PictureFolder.Read(Path.Combine(Masks, MaskOf(name)), Picture.LoadMask);
            if ((mask.Width, mask.Height) != (picture.Width, picture.Height))
            {
                throw new PictureFormatException(
                    $"{mask.Width}×{mask.Height} pixels, where the picture has {picture.Width}×{picture.Height}; a mask has its picture's size");
            }
            int bad = Array.FindIndex(mask.Pixels, index => index >= ClassNames.Count && index != MaskedImages.Ignored);
            return bad < 0
                ? mask
                : throw new PictureFormatException(
                    $"index {mask.Pixels[bad]} in row {bad / mask.Width}, column {bad % mask.Width}; it must be 0 to {ClassNames.Count - 1} "
                    + $"({SkippedFile.List(ClassNames)}), or {MaskedImages.Ignored} for no class");
        }
        catch (PictureFormatException e)
        {
            throw new PictureFormatException($"its mask: {e.Message}", e);
        }
    }

    /// <summary>The pictures in a folder and below it, of which no two have the same mask.</summary>
    internal static (string[] Files, SkippedFile[] Others) Pictured(string folder)
    {
        PictureFolder.Check(folder);
        (string Name, string? Fault)[] all = [.. PictureFolder.List(folder)];
        string[] files = [.. PictureFolder.Pictures(all).Order(StringComparer.Ordinal)];
        SkippedFile[] others = [.. PictureFolder.Others(all)];
        if (files.Length == 0)
            throw new InvalidDataException($"{folder}: no pictures{(others.Length == 0 ? "" : $", but {SkippedFile.Summary(others, others.Length)}")}");
        Refuse(folder, files, files.GroupBy(MaskOf).Where(same => same.Skip(1).Any()).SelectMany(same => same), "two pictures would have the same mask");
        return (files, others);
    }

    /// <summary>The name of a picture's mask.</summary>
    internal static string MaskOf(string name) => Path.ChangeExtension(name, ".png");

    static void Refuse(string folder, string[] all, IEnumerable<string> some, string fault)
    {
        string[] names = [.. some];
        if (names.Length > 0)
            throw new InvalidDataException($"{folder}: {fault}: {names.Length} of {all.Length} files: {SkippedFile.List(names)}");
    }
}
