namespace MiniCnn;

/// <summary>Computes class weights for a <see cref="CrossEntropyLoss"/> from the class frequencies.</summary>
public static class ClassWeights
{
    /// <summary>
    /// Computes N / (classes · images of the class) for each class. Every class then has the same total weight, and the mean weight of a label is 1. For
    /// <see cref="MaskedImages"/>, pixels are counted instead of images.
    /// </summary>
    /// <returns>One weight per class.</returns>
    /// <remarks>
    /// The same as class_weight="balanced" in scikit-learn:
    /// https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html.
    /// </remarks>
    /// <exception cref="ArgumentException">A class has no images or pixels.</exception>
    public static float[] Balanced(ImageDataset images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (images as MaskedImages)?.RefuseBlack();
        return Balanced(images.CountLabels(), label => $"class {label}, '{images.ClassNames[label]}'");
    }

    /// <summary>Computes the same weights from labels.</summary>
    /// <param name="labels">Class indices, each from 0 to <paramref name="classes"/> − 1.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>One weight per class.</returns>
    /// <exception cref="ArgumentException">A class has no label, or a label is out of range.</exception>
    public static float[] Balanced(ReadOnlySpan<int> labels, int classes)
    {
        int bad = labels.IndexOfAnyExceptInRange(0, classes - 1);
        if (bad >= 0)
            throw new ArgumentException($"label {bad} is {labels[bad]}; with {classes} classes it must be 0 to {classes - 1}");
        long[] counts = new long[classes];
        foreach (int label in labels)
            counts[label]++;
        return Balanced(counts, label => $"class {label}");
    }

    static float[] Balanced(long[] counts, Func<int, string> name)
    {
        int missing = Array.IndexOf(counts, 0);
        if (missing >= 0)
            throw new ArgumentException($"{name(missing)} has no labels, so it has no balanced weight: remove the class, or add images of it");
        return Array.ConvertAll(counts, count => (float)(counts.Sum() / ((double)counts.Length * count)));
    }
}
