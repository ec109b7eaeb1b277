namespace MiniCnn.Imaging;

/// <summary>A folder of photos and one of their masks: listed when it is made, read by <see cref="Load"/>.</summary>
/// <remarks>
/// The mask of <c>a/1.jpg</c> is <c>a/1.png</c> in the other folder, as <see cref="Picture.LoadMask(string)"/> reads it and of the picture's size:
/// for each pixel the index of its class, or 255, <see cref="MaskedImages.Ignored"/>, where there is none. It is of the photo as that stands upright by
/// its EXIF orientation.
/// Pictures end in .jpg, .jpeg, .png, .webp, .gif or .bmp, in capitals or not, and are read by their content; they come in the ordinal order of
/// their paths. Everything else is passed over: hidden files and folders, other extensions, links to folders.
/// Immutable, and free of what is in the files.
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
        string[] files = Pictured(pictures), found = [.. PictureFolder.Find(masks, "", deep: true).Where(IsPng).Order(StringComparer.Ordinal)];
        Refuse(pictures, files, files.ExceptBy(found, MaskOf), $"no mask of the same name, .png, in {masks}");
        Refuse(masks, found, found.Except(files.Select(MaskOf)), $"no picture of the same name in {pictures}");
        Files = files;

        static bool IsPng(string name) => Path.GetExtension(name).Equals(".png", StringComparison.OrdinalIgnoreCase);
    }

    MaskedImageFolder(MaskedImageFolder whole, IEnumerable<int> files) =>
        (Pictures, Masks, ClassNames, Files) = (whole.Pictures, whole.Masks, whole.ClassNames, [.. files.Order().Select(i => whole.Files[i])]);

    /// <summary>The folder of pictures.</summary>
    public string Pictures { get; }

    /// <summary>The folder of masks.</summary>
    public string Masks { get; }

    /// <summary>The name of each class: <c>ClassNames[index]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The pictures: their paths below the folder, with slashes.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Splits off a share of the files at random, before any is read.</summary>
    /// <param name="validation">The share that goes to the second part, between 0 and 1; of two files or more, at least one goes either way.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <returns>Two parts with the same classes, the files of each in the order they had.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (MaskedImageFolder Train, MaskedImageFolder Validation) Split(double validation, int seed)
    {
        Permutation.CheckShare(validation);
        (int[] first, int[] second) = Permutation.Stratified(new int[Files.Count], 1, validation, seed);
        return (new(this, first), new(this, second));
    }

    /// <summary>
    /// Reads every picture and its mask once, on all threads, and keeps them at the size they are trained with: pictures resized as
    /// <see cref="Picture.Resize"/> does, masks by the nearest pixel.
    /// </summary>
    /// <param name="height">Rows of each image. The picture is resized to this and the width, whatever its proportions.</param>
    /// <param name="width">Columns of each image.</param>
    /// <param name="channels">3: colour; 1: grey.</param>
    /// <param name="strict">
    /// A picture or mask that cannot be read, a mask of another size than its picture, or with an index of no class is an error; else the picture
    /// is skipped, and told of in the result.
    /// </param>
    /// <param name="progress">Told after each picture, of one thread at a time: how many are done, and of how many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The same whatever the number of threads; normalised to 0 to 1, as torchvision's <c>ToTensor</c>: mean 0, std 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1, or there are neither 1 nor 3 channels.</exception>
    /// <exception cref="ArgumentException">So many images of that size do not fit an array.</exception>
    /// <exception cref="InvalidDataException">
    /// No picture can be read with its mask, or not every one where it is <paramref name="strict"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The reading was cancelled.</exception>
    public LoadedImages<MaskedImages> Load(
        int height, int width, int channels = 3, bool strict = true, IProgress<(int Done, int Total)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ImageShape shape = PictureFolder.Shape(channels, height, width, Files.Count);
        int length = (int)shape.Length, plane = height * width;
        byte[] pixels = new byte[Files.Count * length], masks = new byte[Files.Count * plane];      // [N, C, H, W], [N, H, W]
        (int[] kept, SkippedFile[] skipped) = PictureFolder.ReadAll(Pictures, Files, ReadPair, strict, progress, cancellationToken);
        if (kept.Length == 0)
        {
            string why = Files.Count == 0 ? "no picture is in this part" : $"no picture is left; skipped {SkippedFile.Summary(skipped, Files.Count)}";
            throw new InvalidDataException($"{Pictures}: {why}");
        }
        MaskedImages images = new(
            PictureFolder.Keep(kept, pixels, length), PictureFolder.Keep(kept, masks, plane), shape, ClassNames.Count, classNames: ClassNames);
        return new(images, [.. kept.Select(i => Files[i])], skipped);

        void ReadPair(int i)
        {
            Picture picture = PictureFolder.Read(Path.Combine(Pictures, Files[i]), Picture.Load);
            Resampling.Nearest(ReadMask(Files[i], picture), width, height, masks.AsSpan(i * plane, plane));
            PictureFolder.Write(picture, shape, pixels.AsSpan(i * length, length));
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
    internal static string[] Pictured(string folder)
    {
        PictureFolder.Check(folder);
        string[] files = [.. PictureFolder.Find(folder, "", deep: true).Order(StringComparer.Ordinal)];
        if (files.Length == 0)
            throw new InvalidDataException($"{folder}: no pictures ({PictureFolder.Extensions})");
        Refuse(folder, files, files.GroupBy(MaskOf).Where(same => same.Skip(1).Any()).SelectMany(same => same), "two pictures would have the same mask");
        return files;
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
