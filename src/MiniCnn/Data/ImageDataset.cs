using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MiniCnn;

/// <summary>A batch of images and their labels, in the same order.</summary>
/// <param name="Images">[n, C, H, W], normalised.</param>
/// <param name="Labels">Class indices: n, one an image, or n·H·W, [n, H, W], one a pixel.</param>
public readonly record struct Batch(Tensor<float> Images, int[] Labels);

/// <summary>
/// Images of one shape, a byte a channel and pixel, and what they are labelled with: each with one class, <see cref="LabeledImages"/>, or each
/// pixel with its own, <see cref="MaskedImages"/>.
/// </summary>
/// <remarks>
/// A batch holds (x/255 − mean)/std, in float and in this order, as torchvision's <c>ToTensor</c> and <c>Normalize</c> compute it.
/// Immutable, so safe to read from several threads.
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
            throw new ArgumentException($"{classes} classes need as many names; got {ClassNames.Count}", nameof(classNames));
        if (mean.Length != shape.Channels || std.Length != shape.Channels)
            throw new ArgumentException(
                $"images of {shape} need one mean and one std a channel; got {mean.Length} and {std.Length}", nameof(mean));
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

    /// <summary>Images in memory, as many as there are labels or masks.</summary>
    private protected static ImageSource InMemory(byte[] pixels, int count, string counted, ImageShape shape)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (shape.Channels < 1 || shape.Height < 1 || shape.Width < 1)
            throw new ArgumentException($"images of {shape}: every size must be at least 1", nameof(shape));
        long length = count * shape.Length;
        return pixels.Length == length
            ? ImageSource.Of(pixels, count, shape)
            : throw new ArgumentException($"{count} {counted} need as many images of {shape}, {length} bytes in all; got {pixels.Length}", nameof(pixels));
    }

    /// <summary>The images' bytes.</summary>
    internal ImageSource Source { get; }

    /// <summary>Number of images, N.</summary>
    public int Count => Source.Count;

    /// <summary>The shape of each image.</summary>
    public ImageShape Shape { get; }

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>The name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How pictures were brought to this size.</summary>
    public Fit Fit { get; }

    /// <summary>The bytes of an image, [C, H, W]. Those that are not kept in memory are read again from their file.</summary>
    /// <exception cref="IOException">The file cannot be read any more, or is another than it was.</exception>
    public ReadOnlySpan<byte> Image(int index) => Source.Read(index).Span;

    /// <summary>What is subtracted, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Mean => mean;

    /// <summary>What is divided by, one value a channel, on the scale of 0 to 1.</summary>
    public ReadOnlySpan<float> Std => std;

    /// <summary>Mean and standard deviation over all pixels of all images, one value a channel, on the scale of 0 to 1.</summary>
    /// <remarks>
    /// Exact but for the last rounding; the deviation is that of a population (numpy's <c>std</c>, divided by n): 0 for a channel all alike.
    /// </remarks>
    /// <exception cref="InvalidOperationException">There are no images.</exception>
    public (float[] Mean, float[] Std) MeanAndStd()
    {
        if (Count == 0)
            throw new InvalidOperationException("no images, so they have no mean");
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
    /// <exception cref="IOException">A photo that memory does not hold cannot be read again.</exception>
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

    /// <summary>[C, 256]: what each byte becomes.</summary>
    internal ReadOnlySpan<float> Normalized => normalized;

    /// <summary>Labels of an image: 1, or its pixels.</summary>
    internal abstract int LabelsPerImage { get; }

    /// <summary>Writes the labels of an image, moved as its pixels were.</summary>
    private protected abstract void Label(int index, Augmentation.Motion? motion, Span<int> to);

    /// <summary>How many labels each class has.</summary>
    internal abstract long[] CountLabels();

    /// <summary>Refuses a set of one class alone, of which everything learns to say that one.</summary>
    internal void RefuseOneClass()
    {
        long[] counts = CountLabels();
        if (counts.Count(count => count > 0) > 1)
            return;
        string only = ClassNames[Array.FindIndex(counts, count => count > 0)];
        string others = Classes == 1 ? "" : $", and none of {string.Join(", ", ClassNames.Where(name => name != only).Take(3))}{(Classes > 4 ? ", …" : "")}";
        throw new ArgumentException(
            $"all training images are of one class, '{only}'{others}: there is nothing to tell it from; a folder of photos has a subfolder for each class");
    }

    /// <summary>The labels of an image as they are kept.</summary>
    private protected abstract ReadOnlySpan<byte> LabelBytes(int index);

    /// <summary>What tells this set from others, “2000 images of 3×64×64 (0123abcd)”: what a run that goes on must find again.</summary>
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

    /// <summary>What a model must make of the images: a number for each class, of the image or of each pixel.</summary>
    internal abstract ImageShape OutputShape(int channels);

    /// <summary>Two parts of the indices, at random.</summary>
    private protected (int[] First, int[] Second) RandomSplit(double share, int seed)
    {
        Permutation.CheckShare(share);
        int[] order = Permutation.Random(Count, seed);
        int first = Count - (int)Math.Round(share * Count);
        return (order[..first], order[first..]);
    }

    int ImageLength => (int)Shape.Length;
}
