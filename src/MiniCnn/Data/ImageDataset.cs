using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MiniCnn;

/// <summary>A batch of images and their labels, in the same order.</summary>
/// <param name="Images">Normalized images, [n, C, H, W].</param>
/// <param name="Labels">Class indices: [n], one per image, or [n, H, W], one per pixel.</param>
public readonly record struct Batch(Tensor<float> Images, int[] Labels);

/// <summary>
/// Images of one shape, with one byte per channel and pixel, and their labels: one class per image, <see cref="LabeledImages"/>, or one class per pixel,
/// <see cref="MaskedImages"/>.
/// </summary>
/// <remarks>
/// A batch holds (x/255 − mean)/std, computed in float in this order, like torchvision's <c>ToTensor</c> and <c>Normalize</c>. The data set is immutable and
/// thread-safe.
/// </remarks>
public abstract class ImageDataset
{
    readonly float[] mean, std;     // [C]
    readonly float[] normalized;    // [C, 256]

    private protected ImageDataset(
        ImageSource source, ImageShape shape, int classes, float[] mean, float[] std, IReadOnlyList<string>? classNames, Fit fit)
    {
        (Source, this.mean, this.std, Shape, Classes, Fit) = (source, mean, std, shape, classes, fit);
        ClassNames = classNames is null ? [.. Enumerable.Range(0, int.Max(classes, 0)).Select(c => $"{c}")] : [.. classNames];
        if (ClassNames.Count != classes)
            throw new ArgumentException($"{classes} classes need {classes} names; got {ClassNames.Count}", nameof(classNames));
        if (mean.Length != shape.Channels || std.Length != shape.Channels)
            throw new ArgumentException(
                $"images of {shape} need one mean and one std per channel; got {mean.Length} and {std.Length}", nameof(mean));
        int flat = Array.FindIndex(std, s => !(s > 0));
        if (flat >= 0)
            throw new ArgumentException(FormattableString.Invariant($"std {flat} is {std[flat]}; it must be above 0"), nameof(std));

        normalized = new float[256 * shape.Channels];
        for (int c = 0; c < shape.Channels; c++)
        {
            for (int x = 0; x < 256; x++)
                normalized[256 * c + x] = x;
            Normalize(c, normalized.AsSpan(256 * c, 256));
        }
    }

    /// <summary>Returns a source of images in memory. Throws if their number is not that of the labels or masks.</summary>
    private protected static ImageSource InMemory(byte[] pixels, int count, string counted, ImageShape shape)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"images of {shape}: every size must be at least 1", nameof(shape));
        long length = count * shape.Length;
        return pixels.Length == length
            ? ImageSource.Of(pixels, count, shape)
            : throw new ArgumentException($"{count} {counted} need {count} images of {shape}, {length} bytes in total; got {pixels.Length}", nameof(pixels));
    }

    /// <summary>Bytes of the images.</summary>
    internal ImageSource Source { get; }

    /// <summary>Number of images.</summary>
    public int Count => Source.Count;

    /// <summary>Shape of each image.</summary>
    public ImageShape Shape { get; }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>Name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How pictures were resized to this shape.</summary>
    public Fit Fit { get; }

    /// <summary>Returns the bytes of an image, [C, H, W]. If the image is not in memory, it is read again from its file.</summary>
    /// <exception cref="IOException">The file can no longer be read, or has changed.</exception>
    public ReadOnlySpan<byte> Image(int index) => Source.Read(index).Span;

    /// <summary>Mean that is subtracted, one value per channel, for pixels scaled to 0 to 1.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>Standard deviation that is divided by, one value per channel, for pixels scaled to 0 to 1.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>Computes mean and standard deviation of all pixels of all images, one value per channel, for pixels scaled to 0 to 1.</summary>
    /// <remarks>
    /// Only the final rounding to float is inexact. The standard deviation is that of a population, divided by n, as in numpy. It is 0 for a constant channel.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There are no images.</exception>
    public (float[] Mean, float[] Std) MeanAndStd()
    {
        if (Count == 0)
            throw new InvalidOperationException("the set has no images, so it has no mean");
        long n = (long)Count * Shape.Height * Shape.Width;
        ImageSummary[] summaries = [.. Enumerable.Range(0, Count).Select(Source.Summary)];
        float[] mean = new float[Shape.Channels], std = new float[Shape.Channels];
        for (int c = 0; c < Shape.Channels; c++)
        {
            long sum = 0, squares = 0;
            foreach (ImageSummary image in summaries)
                (sum, squares) = (sum + image.Channels[c].Sum, squares + image.Channels[c].Squares);
            mean[c] = (float)(sum / (255.0 * n));
            std[c] = (float)(Math.Sqrt((double)((Int128)n * squares - (Int128)sum * sum)) / (255.0 * n));
        }
        return (mean, std);
    }

    /// <summary>Returns all images once, in batches, in their order or shuffled. The last batch may be smaller.</summary>
    /// <param name="batchSize">Number of images in a batch.</param>
    /// <param name="seed">
    /// If given, images are shuffled in the order of <c>torch.manual_seed(seed); torch.randperm(N)</c>. Use a different seed in each epoch. The default is no
    /// shuffling.
    /// </param>
    /// <param name="augmentation">Random changes to the images, with the same seed. The default is none.</param>
    /// <returns>
    /// A lazy sequence of batches. All threads prepare each batch together. Each batch has new arrays, which the caller may keep. Order and values do not
    /// depend on the number of threads.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1.</exception>
    /// <exception cref="ArgumentException">
    /// There is an <paramref name="augmentation"/> without a <paramref name="seed"/>, or it does not support the shape of the images.
    /// </exception>
    /// <exception cref="IOException">An image that is not in memory can no longer be read from its file.</exception>
    public IEnumerable<Batch> Batches(int batchSize, int? seed = null, Augmentation? augmentation = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (augmentation is not null && seed is null)
            throw new ArgumentException("augmentation needs a seed, a different one in each epoch", nameof(seed));
        augmentation?.Check(Shape);
        return InOrder(seed is int s ? Permutation.Random(Count, s) : [.. Enumerable.Range(0, Count)], batchSize, seed ?? 0, augmentation, 0);
    }

    /// <summary>Returns the shuffled batches from batch <paramref name="first"/> on.</summary>
    internal IEnumerable<Batch> Batches(int batchSize, int seed, Augmentation? augmentation, int first) =>
        InOrder(Permutation.Random(Count, seed), batchSize, seed, augmentation, first);

    // Batches are prepared between the steps, not concurrently: the workers use all processors, so one more thread would make a batch twice as expensive.
    IEnumerable<Batch> InOrder(int[] order, int batchSize, int seed, Augmentation? augmentation, int first)
    {
        foreach (int[] indices in order.Chunk(batchSize).Skip(first))
        {
            float[] images = GC.AllocateUninitializedArray<float>(indices.Length * ImageLength);       // [n, C, H, W]
            int[] labels = new int[indices.Length * LabelsPerImage];
            Workers.RunMany(indices.Length, ImageLength, new Preparation(this, indices, seed, augmentation, images, labels));
            yield return new(Tensor.Create(images, [indices.Length, Shape.Channels, Shape.Height, Shape.Width]), labels);
        }
    }

    readonly struct Preparation(ImageDataset from, int[] indices, int seed, Augmentation? augmentation, float[] images, int[] labels) : IWork
    {
        public void Run(int n)
        {
            Span<float> y = images.AsSpan(n * from.ImageLength, from.ImageLength);
            ReadOnlySpan<byte> image = from.Image(indices[n]);
            if (augmentation is null)
                from.LookUp(image, y);
            from.Label(indices[n], augmentation?.Apply(from, image, indices[n], seed, y), labels.AsSpan(n * from.LabelsPerImage, from.LabelsPerImage));
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

    /// <summary>Normalized value of each byte, [C, 256].</summary>
    internal ReadOnlySpan<float> Normalized => normalized;

    /// <summary>Number of labels per image: 1, or its number of pixels.</summary>
    internal abstract int LabelsPerImage { get; }

    /// <summary>Writes the labels of an image, with the same motion as its pixels.</summary>
    private protected abstract void Label(int index, Augmentation.Motion? motion, Span<int> to);

    /// <summary>Returns the number of labels of each class.</summary>
    internal abstract long[] CountLabels();

    /// <summary>Throws if all labels are of one class: training would learn a constant.</summary>
    internal void RefuseOneClass()
    {
        long[] counts = CountLabels();
        if (counts.Count(count => count > 0) > 1)
            return;
        string only = ClassNames[Array.FindIndex(counts, count => count > 0)];
        string others = Classes == 1 ? "" : $", and none of {string.Join(", ", ClassNames.Where(name => name != only).Take(3))}{(Classes > 4 ? ", …" : "")}";
        throw new ArgumentException(
            $"all training images are of one class, '{only}'{others}; training needs two: a folder of photos has a subfolder for each class");
    }

    /// <summary>The stored labels of an image.</summary>
    private protected abstract ReadOnlySpan<byte> LabelBytes(int index);

    /// <summary>
    /// Describes the set with a hash, “2000 images of 3×64×64 (0123abcd)”. A checkpoint holds it, so that a run resumes only with the same set.
    /// </summary>
    internal string Describe()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes(Mean));
        hash.AppendData(MemoryMarshal.AsBytes(Std));
        for (int i = 0; i < Count; i++)
        {
            hash.AppendData(Source.Summary(i).Hash);
            hash.AppendData(LabelBytes(i));
        }
        return $"{Count} images of {Shape} ({Convert.ToHexStringLower(hash.GetHashAndReset())[..8]})";
    }

    /// <summary>The required output shape of a model: the channels of each image, or of each pixel.</summary>
    internal abstract ImageShape OutputShape(int channels);

    /// <summary>Splits the indices at random into two parts; <paramref name="share"/> is the fraction in the second.</summary>
    private protected (int[] First, int[] Second) RandomSplit(double share, int seed)
    {
        Permutation.CheckShare(share);
        int[] order = Permutation.Random(Count, seed);
        int first = Count - (int)Math.Round(share * Count);
        return (order[..first], order[first..]);
    }

    int ImageLength => (int)Shape.Length;
}
