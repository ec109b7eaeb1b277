namespace MiniCnn;

/// <summary>Images of one shape, each with a mask of the same height and width that holds a class index for each pixel.</summary>
public sealed class MaskedImages : ImageDataset
{
    /// <summary>Mask value of pixels without a class. Losses and <see cref="Evaluation"/> ignore them.</summary>
    public const byte Ignored = 255;

    /// <summary>Label of these pixels in a batch: PyTorch's default ignore_index.</summary>
    internal const int IgnoredLabel = -100;

    readonly Func<int, ReadOnlyMemory<byte>> masks;     // [H, W]
    readonly Lazy<long[]> counts;               // [256]

    /// <summary>Creates a data set of images and masks. The arrays are not copied: do not change them afterwards.</summary>
    /// <param name="pixels">[N, C, H, W] bytes.</param>
    /// <param name="masks">[N, H, W]: class indices, each from 0 to <paramref name="classes"/> − 1, or <see cref="Ignored"/>.</param>
    /// <param name="shape">C × H × W.</param>
    /// <param name="classes">Number of classes, up to 255.</param>
    /// <param name="mean">Mean to subtract, one value per channel, for pixels scaled to 0 to 1. The default is 0.</param>
    /// <param name="std">Standard deviation to divide by, one value per channel, above 0. The default is 1.</param>
    /// <param name="classNames">Name of each class. The default is “0”, “1”, …</param>
    /// <param name="fit">How pictures were resized to this shape. A model trained on them resizes its pictures in the same way.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of images, masks, channels or classes do not match, or a class index or a std is out of range.
    /// </exception>
    public MaskedImages(
        byte[] pixels, byte[] masks, ImageShape shape, int classes, float[]? mean = null, float[]? std = null, IReadOnlyList<string>? classNames = null,
        Fit fit = Fit.Stretch)
        : this(
            InMemory(pixels, Number(masks ?? throw new ArgumentNullException(nameof(masks)), shape), "masks", shape),
            i => masks.AsMemory(i * shape.Height * shape.Width, shape.Height * shape.Width), shape, classes,
            mean ?? new float[shape.Channels], std ?? [.. Enumerable.Repeat(1f, shape.Channels)], classNames, fit)
    {
    }

    internal MaskedImages(
        ImageSource source, Func<int, ReadOnlyMemory<byte>> masks, ImageShape shape, int classes, float[] mean, float[] std, IReadOnlyList<string>? classNames,
        Fit fit)
        : base(source, shape, classes, mean, std, classNames, fit)
    {
        this.masks = masks;
        if (classes is < 1 or > Ignored)
            throw new ArgumentException($"masks have 1 to {Ignored} classes, not {classes}", nameof(classes));
        counts = new(CountAll);
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<byte> mask = Mask(i);
            int bad = mask.IndexOfAnyInRange((byte)classes, (byte)(Ignored - 1));
            if (bad >= 0 && classes < Ignored)
            {
                throw new ArgumentException(
                    $"mask {i} is {mask[bad]} in row {bad / shape.Width}, column {bad % shape.Width}; "
                    + $"with {classes} classes it must be 0 to {classes - 1}, or {Ignored} for no class", nameof(masks));
            }
        }
    }

    /// <summary>Returns the mask of an image, [H, W]: class indices, or <see cref="Ignored"/>.</summary>
    public ReadOnlySpan<byte> Mask(int index) => masks(index).Span;

    /// <summary>Returns the first <paramref name="count"/> images, or all if there are fewer.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public MaskedImages Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return With([.. Enumerable.Range(0, int.Min(count, Count))]);
    }

    /// <summary>Returns the same images with another normalization. Pixels and masks are shared, not copied.</summary>
    /// <inheritdoc cref="LabeledImages.WithNormalization"/>
    public MaskedImages WithNormalization(ReadOnlySpan<float> mean, ReadOnlySpan<float> std) =>
        new(Source, masks, Shape, Classes, mean.ToArray(), std.ToArray(), ClassNames, Fit);

    /// <summary>Splits the images at random into two sets, like <c>torch.utils.data.random_split</c> with a seeded generator.</summary>
    /// <param name="validation">Fraction of the images in the second set, between 0 and 1, rounded to whole images.</param>
    /// <param name="seed">Seed of the random permutation.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (MaskedImages Train, MaskedImages Validation) Split(double validation, int seed)
    {
        (int[] first, int[] second) = RandomSplit(validation, seed);
        return (With(first), With(second));
    }

    internal override int LabelsPerImage => Shape.Height * Shape.Width;

    private protected override void Label(int index, Augmentation.Motion? motion, Span<int> to)
    {
        ReadOnlySpan<byte> mask = Mask(index);
        if (motion is { } moved)
            moved.Nearest(mask, to);
        else
        {
            for (int i = 0; i < to.Length; i++)
                to[i] = mask[i];
        }
        to.Replace(Ignored, IgnoredLabel);
    }

    /// <summary>Throws if the masks hold only 0 and 255, the format of black and white masks: all pixels would be class 0 or ignored.</summary>
    internal void RefuseBlack()
    {
        if (Classes > 1 && counts.Value[Ignored] > 0 && counts.Value.AsSpan(1, Ignored - 1).IndexOfAnyExcept(0) < 0)
        {
            throw new ArgumentException(
                $"all pixels of the masks are 0, '{ClassNames[0]}', or {Ignored}, ignored, so there is nothing to learn: "
                + $"if {Ignored} means '{ClassNames[1]}', write 1 instead");
        }
    }

    internal override ImageShape OutputShape(int channels) => new(channels, Shape.Height, Shape.Width);

    internal override long[] CountLabels() => counts.Value[..Classes];

    long[] CountAll()
    {
        long[] counts = new long[Ignored + 1];
        for (int i = 0; i < Count; i++)
            foreach (byte index in Mask(i))
                counts[index]++;
        return counts;
    }

    private protected override ReadOnlySpan<byte> LabelBytes(int index) => Mask(index);

    MaskedImages With(int[] indices) =>
        new(Source.Pick(indices), i => masks(indices[i]), Shape, Classes, Mean.ToArray(), Std.ToArray(), ClassNames, Fit);

    static int Number(byte[] masks, ImageShape shape)
    {
        long plane = (long)shape.Height * shape.Width;
        return plane < 1 || masks.Length % plane == 0
            ? (int)(masks.Length / long.Max(plane, 1))
            : throw new ArgumentException($"masks of {shape.Height}×{shape.Width} take {plane} bytes each; got {masks.Length} in all", nameof(masks));
    }
}
