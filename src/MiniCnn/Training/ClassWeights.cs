namespace MiniCnn;

/// <summary>Weights of classes for a <see cref="CrossEntropyLoss"/>, so that rare ones count.</summary>
public static class ClassWeights
{
    /// <summary>N / (classes · images of the class): all classes weigh the same together, and a label weighs 1 in the mean. Of masks pixels are counted.</summary>
    /// <remarks>
    /// scikit-learn's “balanced”: https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html.
    /// </remarks>
    /// <exception cref="ArgumentException">There is nothing of a class.</exception>
    public static float[] Balanced(ImageDataset images)
    {
        ArgumentNullException.ThrowIfNull(images);
        (images as MaskedImages)?.RefuseBlack();
        return Balanced(images.CountLabels(), label => $"class {label}, '{images.ClassNames[label]}'");
    }

    /// <summary>The same of labels alone.</summary>
    /// <param name="labels">Each in 0 … classes − 1.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="ArgumentException">There is no label of a class, or one that is no class.</exception>
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
            throw new ArgumentException($"there is nothing of {name(missing)}, so no weight balances it; leave the class out, or add some");
        return Array.ConvertAll(counts, count => (float)(counts.Sum() / ((double)counts.Length * count)));
    }
}
