namespace MiniCnn;

/// <summary>Weights of classes for a <see cref="CrossEntropyLoss"/>, so that rare ones count.</summary>
public static class ClassWeights
{
    /// <summary>N / (classes · images of the class): all classes weigh the same together, and a label weighs 1 in the mean.</summary>
    /// <remarks>
    /// scikit-learn's “balanced”: https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html.
    /// </remarks>
    /// <exception cref="ArgumentException">There are no images of a class.</exception>
    public static float[] Balanced(LabeledImages images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Balanced(images.Labels, images.Classes, label => $"class {label}, '{images.ClassNames[label]}'");
    }

    /// <summary>The same of labels alone.</summary>
    /// <param name="labels">Each in 0 … classes − 1.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="ArgumentException">There is no label of a class, or one that is no class.</exception>
    public static float[] Balanced(ReadOnlySpan<int> labels, int classes) => Balanced(labels, classes, label => $"class {label}");

    static float[] Balanced(ReadOnlySpan<int> labels, int classes, Func<int, string> name)
    {
        int bad = labels.IndexOfAnyExceptInRange(0, classes - 1);
        if (bad >= 0)
            throw new ArgumentException($"label {bad} is {labels[bad]}; with {classes} classes it must be 0 to {classes - 1}");
        float[] weights = new float[classes];
        for (int c = 0; c < classes; c++)
        {
            int count = labels.Count(c);
            if (count == 0)
                throw new ArgumentException($"there is nothing of {name(c)}, so no weight balances it; leave the class out, or add some");
            weights[c] = (float)(labels.Length / ((double)classes * count));
        }
        return weights;
    }
}
