using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>A batch of images and their labels, in the same order.</summary>
/// <param name="Images">[n, C, H, W], normalised.</param>
/// <param name="Labels">n class indices.</param>
public readonly record struct Batch(Tensor<float> Images, int[] Labels);

/// <summary>Images of one shape, a byte a channel and pixel, each with the index of its class.</summary>
/// <remarks>
/// A batch holds (x/255 − mean)/std, in float and in this order, as torchvision's <c>ToTensor</c> and <c>Normalize</c> compute it.
/// Immutable, so safe to read from several threads.
/// </remarks>
public sealed class LabeledImages
{
    readonly byte[] pixels;         // [N, C, H, W]
    readonly int[] labels;          // [N]
    readonly float[] mean, std;     // [C]
    readonly float[] normalized;    // [C, 256]

    /// <summary>Images and labels; the arrays are kept, not copied: do not change them afterwards.</summary>
    /// <param name="pixels">[N, C, H, W] bytes.</param>
    /// <param name="labels">N class indices, each from 0 to <paramref name="classes"/> − 1.</param>
    /// <param name="shape">C × H × W.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="mean">One value a channel, on the scale of 0 to 1; MNIST's 0.1307 if left out.</param>
    /// <param name="std">One value a channel, above 0; MNIST's 0.3081 if left out.</param>
    /// <param name="classNames">A name for each class; “0”, “1”, … if left out.</param>
    /// <exception cref="ArgumentException">
    /// Numbers of images, labels, channels or classes differ, or a label or a std is out of range.
    /// </exception>
    public LabeledImages(
        byte[] pixels, int[] labels, ImageShape shape, int classes, float[]? mean = null, float[]? std = null,
        IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(labels);
        this.pixels = pixels;
        this.labels = labels;
        this.mean = mean ?? [0.1307f];
        this.std = std ?? [0.3081f];
        Shape = shape;
        Classes = classes;
        ClassNames = classNames is null ? [.. Enumerable.Range(0, int.Max(classes, 0)).Select(c => $"{c}")] : [.. classNames];

        if (shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"images of {shape}: every size must be at least 1", nameof(shape));
        long length = labels.Length * shape.Length;
        if (pixels.Length != length)
            throw new ArgumentException(
                $"{labels.Length} labels need as many images of {shape}, {length} bytes in all; got {pixels.Length}", nameof(pixels));
        int bad = labels.AsSpan().IndexOfAnyExceptInRange(0, classes - 1);
        if (bad >= 0)
            throw new ArgumentException(
                $"label {bad} is {labels[bad]}; with {classes} classes it must be 0 to {classes - 1}", nameof(labels));
        if (ClassNames.Count != classes)
            throw new ArgumentException($"{classes} classes need as many names; got {ClassNames.Count}", nameof(classNames));
        if (this.mean.Length != shape.Channels || this.std.Length != shape.Channels)
            throw new ArgumentException(
                $"images of {shape} need one mean and one std a channel; got {this.mean.Length} and {this.std.Length}", nameof(mean));
        int flat = Array.FindIndex(this.std, s => !(s > 0));
        if (flat >= 0)
            throw new ArgumentException(FormattableString.Invariant($"std {flat} is {this.std[flat]}; it must be above 0"), nameof(std));

        normalized = new float[256 * shape.Channels];
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int x = 0; x < 256; x++)
                normalized[256 * c + x] = x;
            Normalize(c, normalized.AsSpan(256 * c, 256));
        }
    }

    /// <summary>Number of images, N.</summary>
    public int Count => labels.Length;

    /// <summary>The shape of each image.</summary>
    public ImageShape Shape { get; }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>The name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>[N, C, H, W] bytes, as they were given.</summary>
    public ReadOnlySpan<byte> Pixels => pixels;

    /// <summary>N class indices.</summary>
    public ReadOnlySpan<int> Labels => labels;

    /// <summary>What is subtracted, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>What is divided by, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>The first <paramref name="count"/> images, or all where there are fewer.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public LabeledImages Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        count = int.Min(count, Count);
        return new(pixels[..(count * ImageLength)], labels[..count], Shape, Classes, mean, std, ClassNames);
    }

    /// <summary>The same images with another normalisation: pixels and labels are shared, not copied.</summary>
    /// <remarks>A test set takes that of its training set: <c>test.WithNormalization(train.Mean, train.Std)</c>.</remarks>
    /// <param name="mean">One value a channel, on the scale of 0 to 1.</param>
    /// <param name="std">One value a channel, above 0.</param>
    /// <exception cref="ArgumentException">There is not one value a channel, or a std is not above 0.</exception>
    public LabeledImages WithNormalization(ReadOnlySpan<float> mean, ReadOnlySpan<float> std) =>
        new(pixels, labels, Shape, Classes, mean.ToArray(), std.ToArray(), ClassNames);

    /// <summary>Mean and standard deviation over all pixels of all images, one value a channel, on the scale of 0 to 1.</summary>
    /// <remarks>
    /// Exact but for the last rounding; the deviation is that of a population (numpy's <c>std</c>, divided by n): 0 for a channel all alike.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There are no images.</exception>
    public (float[] Mean, float[] Std) MeanAndStd()
    {
        if (Count == 0)
            throw new InvalidOperationException("no images, so they have no mean");
        int plane = Shape.Height * Shape.Width;
        long n = (long)Count * plane;
        float[] mean = new float[Shape.Channels], std = new float[Shape.Channels];
        for (int c = 0; c < Shape.Channels; c++)
        {
            long sum = 0, squares = 0;
            for (int image = 0; image < Count; image++)
                foreach (byte x in Image(image).Slice(c * plane, plane))
                {
                    sum += x;
                    squares += x * x;
                }
            mean[c] = (float)(sum / (255.0 * n));
            std[c] = (float)(Math.Sqrt((double)((Int128)n * squares - (Int128)sum * sum)) / (255.0 * n));
        }
        return (mean, std);
    }

    /// <summary>Splits off a share of the images at random, as a seeded <c>torch.utils.data.random_split</c> does.</summary>
    /// <param name="validation">The share that goes to the second set, between 0 and 1; rounded to whole images.</param>
    /// <param name="seed">The same seed splits the same way.</param>
    /// <param name="stratify">Takes that share of each class by itself; of a class of two or more, at least one goes either way.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="validation"/> is not between 0 and 1.</exception>
    public (LabeledImages Train, LabeledImages Validation) Split(double validation, int seed, bool stratify = false)
    {
        Permutation.CheckShare(validation);
        if (stratify)
        {
            (int[] first, int[] second) = Permutation.Stratified(labels, Classes, validation, seed);
            return (Pick(first), Pick(second));
        }
        Span<int> order = Permutation.Random(Count, seed).AsSpan();
        int train = Count - (int)Math.Round(validation * Count);
        return (Pick(order[..train]), Pick(order[train..]));

        LabeledImages Pick(ReadOnlySpan<int> indices)
        {
            var picked = new byte[indices.Length * ImageLength];
            var pickedLabels = new int[indices.Length];
            for (int i = 0; i < indices.Length; i++)
            {
                Image(indices[i]).CopyTo(picked.AsSpan(i * ImageLength));
                pickedLabels[i] = labels[indices[i]];
            }
            return new(picked, pickedLabels, Shape, Classes, mean, std, ClassNames);
        }
    }

    /// <summary>All images once, in batches: in their own order, or shuffled. The last batch holds what is left.</summary>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="seed">Shuffles in the order of <c>torch.manual_seed(seed); torch.randperm(N)</c>. Give each epoch its own.</param>
    /// <param name="augmentation">Changes the images at random, by the same seed.</param>
    /// <returns>
    /// Batches as they are asked for, each prepared by all threads at once. Each has arrays of its own, which belong to the caller.
    /// Their order and their bits do not depend on the threads.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1.</exception>
    /// <exception cref="ArgumentException">
    /// An <paramref name="augmentation"/> without a seed: it would do the same in every epoch; or one that such images cannot take.
    /// </exception>
    public IEnumerable<Batch> Batches(int batchSize, int? seed = null, Augmentation? augmentation = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (augmentation is not null && seed is null)
            throw new ArgumentException("augmentation needs a seed, another one in each epoch", nameof(seed));
        augmentation?.Check(Shape);
        return InOrder(seed is int s ? Permutation.Random(Count, s) : [.. Enumerable.Range(0, Count)], batchSize, seed ?? 0, augmentation, 0);
    }

    /// <summary>The same from a batch on.</summary>
    internal IEnumerable<Batch> Batches(int batchSize, int seed, Augmentation? augmentation, int first) =>
        InOrder(Permutation.Random(Count, seed), batchSize, seed, augmentation, first);

    // Between the steps and not beside them: where the workers fill the processors, a batch made meanwhile by one more thread costs twice as much.
    IEnumerable<Batch> InOrder(int[] order, int batchSize, int seed, Augmentation? augmentation, int first)
    {
        foreach (int[] indices in order.Chunk(batchSize).Skip(first))
        {
            float[] images = GC.AllocateUninitializedArray<float>(indices.Length * ImageLength);       // [n, C, H, W]
            Workers.RunMany(indices.Length, ImageLength, new Preparation(this, indices, seed, augmentation, images));
            yield return new(
                Tensor.Create(images, [indices.Length, Shape.Channels, Shape.Height, Shape.Width]),
                Array.ConvertAll(indices, index => labels[index]));
        }
    }

    readonly struct Preparation(LabeledImages from, int[] indices, int seed, Augmentation? augmentation, float[] images) : IWork
    {
        public void Run(int n)
        {
            Span<float> y = images.AsSpan(n * from.ImageLength, from.ImageLength);
            if (augmentation is null)
                from.LookUp(from.Image(indices[n]), y);
            else
                augmentation.Apply(from, indices[n], seed, y);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void LookUp(ReadOnlySpan<byte> image, Span<float> y)
    {
        int plane = Shape.Height * Shape.Width;
        for (int c = 0; c < Shape.Channels; c++)
        {
            ReadOnlySpan<byte> from = image.Slice(c * plane, plane);
            ReadOnlySpan<float> values = Normalized.Slice(256 * c, 256);
            Span<float> to = y.Slice(c * plane, from.Length);
            for (int i = 0; i < from.Length; i++)
                to[i] = values[from[i]];
        }
    }

    /// <summary>(x/255 − mean)/std.</summary>
    internal void Normalize(int channel, Span<float> x)
    {
        TensorPrimitives.Divide(x, 255, x);
        TensorPrimitives.Subtract(x, mean[channel], x);
        TensorPrimitives.Divide(x, std[channel], x);
    }

    /// <summary>[C, 256]: what each byte becomes.</summary>
    internal ReadOnlySpan<float> Normalized => normalized;

    int ImageLength => (int)Shape.Length;

    internal ReadOnlySpan<byte> Image(int index) => pixels.AsSpan(index * ImageLength, ImageLength);
}
