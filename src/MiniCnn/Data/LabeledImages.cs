using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>Images of one shape, each with a class index.</summary>
public sealed class LabeledImages : ImageDataset
{
    readonly int[] labels;          // [N]

    /// <summary>Creates a data set of images and labels. The arrays are not copied: do not change them afterwards.</summary>
    /// <param name="pixels">[N, C, H, W] bytes.</param>
    /// <param name="labels">N class indices, each from 0 to <paramref name="classes"/> − 1.</param>
    /// <param name="shape">C × H × W.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="mean">
    /// Mean to subtract, one value per channel, for pixels scaled to 0 to 1. The default, only for one channel, is that of MNIST, 0.1307.
    /// </param>
    /// <param name="std">
    /// Standard deviation to divide by, one value per channel, above 0. The default, only for one channel, is that of MNIST, 0.3081.
    /// </param>
    /// <param name="classNames">Name of each class. The default is “0”, “1”, …</param>
    /// <param name="fit">How pictures were resized to this shape. A model trained on them resizes its pictures in the same way.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of images, labels, channels or classes do not match, or a label or a std is out of range.
    /// </exception>
    public LabeledImages(
        byte[] pixels, int[] labels, ImageShape shape, int classes, float[]? mean = null, float[]? std = null,
        IReadOnlyList<string>? classNames = null, Fit fit = Fit.Stretch)
        : this(
            InMemory(pixels, (labels ?? throw new ArgumentNullException(nameof(labels))).Length, "labels", shape), labels, shape, classes,
            mean ?? Mnist(0.1307f, shape), std ?? Mnist(0.3081f, shape), classNames, fit)
    {
    }

    internal LabeledImages(
        ImageSource source, int[] labels, ImageShape shape, int classes, float[] mean, float[] std, IReadOnlyList<string>? classNames, Fit fit)
        : base(source, shape, classes, mean, std, classNames, fit)
    {
        this.labels = labels;
        int bad = labels.AsSpan().IndexOfAnyExceptInRange(0, classes - 1);
        if (bad >= 0)
            throw new ArgumentException(
                $"label {bad} is {labels[bad]}; with {classes} classes it must be 0 to {classes - 1}", nameof(labels));
    }

    /// <summary>Class indices, [N].</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>Returns the first <paramref name="count"/> images, or all if there are fewer. Their bytes are shared, not copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public LabeledImages Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return With([.. Enumerable.Range(0, int.Min(count, Count))]);
    }

    /// <summary>Returns the same images with another normalization. Pixels and labels are shared, not copied.</summary>
    /// <remarks>Use the mean and std of the training set for a test set: <c>test.WithNormalization(train.Mean, train.Std)</c>.</remarks>
    /// <param name="mean">Mean to subtract, one value per channel, for pixels scaled to 0 to 1.</param>
    /// <param name="std">Standard deviation to divide by, one value per channel, above 0.</param>
    /// <exception cref="ArgumentException">The number of values is not the number of channels, or a std is not above 0.</exception>
    public LabeledImages WithNormalization(ReadOnlySpan<float> mean, ReadOnlySpan<float> std) =>
        new(Source, labels, Shape, Classes, mean.ToArray(), std.ToArray(), ClassNames, Fit);

    /// <summary>Splits the images at random into two sets, like <c>torch.utils.data.random_split</c> with a seeded generator.</summary>
    /// <param name="validation">Fraction of the images in the second set, between 0 and 1, rounded to whole images.</param>
    /// <param name="seed">Seed of the random permutation.</param>
    /// <param name="stratify">
    /// Whether to split each class separately by this fraction. A class of two or more images then has at least one image in each set, and a class of one image
    /// is in the first. The default is false.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (LabeledImages Train, LabeledImages Validation) Split(double validation, int seed, bool stratify = false)
    {
        Permutation.CheckShare(validation);
        (int[] first, int[] second) = stratify ? Permutation.Stratified(labels, Classes, validation, seed) : RandomSplit(validation, seed);
        return (With(first), With(second));
    }

    internal override int LabelsPerImage => 1;

    private protected override void Label(int index, Augmentation.Motion? motion, Span<int> to) => to[0] = labels[index];

    internal override ImageShape OutputShape(int channels) => ImageShape.Features(channels);

    internal override long[] CountLabels()
    {
        long[] counts = new long[Classes];
        foreach (int label in labels)
            counts[label]++;
        return counts;
    }

    private protected override ReadOnlySpan<byte> LabelBytes(int index) => MemoryMarshal.AsBytes(labels.AsSpan(index, 1));

    static float[] Mnist(float value, ImageShape shape) => shape.Channels == 1
        ? [value] : throw new ArgumentException($"images of {shape} need a mean and a std for each channel; the default, MNIST's, is for one channel");

    LabeledImages With(int[] indices) =>
        new(Source.Pick(indices), [.. indices.Select(i => labels[i])], Shape, Classes, Mean.ToArray(), Std.ToArray(), ClassNames, Fit);
}
