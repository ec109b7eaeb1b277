using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>Images of one shape, each with the index of its class.</summary>
public sealed class LabeledImages : ImageDataset
{
    readonly int[] labels;          // [N]

    /// <summary>Images and labels; the arrays are kept, not copied: do not change them afterwards.</summary>
    /// <param name="pixels">[N, C, H, W] bytes.</param>
    /// <param name="labels">N class indices, each from 0 to <paramref name="classes"/> − 1.</param>
    /// <param name="shape">C × H × W.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="mean">One value a channel, on the scale of 0 to 1; MNIST's 0.1307, for one channel, if left out.</param>
    /// <param name="std">One value a channel, above 0; MNIST's 0.3081 if left out.</param>
    /// <param name="classNames">A name for each class; “0”, “1”, … if left out.</param>
    /// <param name="fit">How pictures were brought to this size, which a model of them will do with others.</param>
    /// <exception cref="ArgumentException">
    /// Numbers of images, labels, channels or classes differ, or a label or a std is out of range.
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

    /// <summary>N class indices.</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>The first <paramref name="count"/> images, or all where there are fewer; their bytes are shared, not copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public LabeledImages Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return With([.. Enumerable.Range(0, int.Min(count, Count))]);
    }

    /// <summary>The same images with another normalisation: pixels and labels are shared, not copied.</summary>
    /// <remarks>A test set takes that of its training set: <c>test.WithNormalization(train.Mean, train.Std)</c>.</remarks>
    /// <param name="mean">One value a channel, on the scale of 0 to 1.</param>
    /// <param name="std">One value a channel, above 0.</param>
    /// <exception cref="ArgumentException">There is not one value a channel, or a std is not above 0.</exception>
    public LabeledImages WithNormalization(ReadOnlySpan<float> mean, ReadOnlySpan<float> std) =>
        new(Source, labels, Shape, Classes, mean.ToArray(), std.ToArray(), ClassNames, Fit);

    /// <summary>Splits off a share of the images at random, as a seeded <c>torch.utils.data.random_split</c> does.</summary>
    /// <param name="validation">The share that goes to the second set, between 0 and 1; rounded to whole images.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <param name="stratify">Takes that share of each class by itself; of a class of two or more, at least one goes either way.</param>
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
        ? [value] : throw new ArgumentException($"images of {shape} need a mean and a std for each channel; MNIST's stand for grey images alone");

    LabeledImages With(int[] indices) =>
        new(Source.Pick(indices), [.. indices.Select(i => labels[i])], Shape, Classes, Mean.ToArray(), Std.ToArray(), ClassNames, Fit);
}
