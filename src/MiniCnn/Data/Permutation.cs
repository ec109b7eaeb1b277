namespace MiniCnn;

/// <summary>Seeded shuffling with PyTorch's random numbers.</summary>
static class Permutation
{
    /// <summary>Returns the permutation of 0 … n−1 that <c>torch.manual_seed(seed); torch.randperm(n)</c> returns.</summary>
    /// <remarks>For n ≥ 2³²/20 (215 million), PyTorch draws 64 bits per number instead of 32; this is not implemented.</remarks>
    public static int[] Random(int n, int seed)
    {
        TorchGenerator generator = new(seed);
        var order = new int[n];
        for (int i = 0; i < n; i++)
            order[i] = i;
        for (int i = 0; i < n - 1; i++)
        {
            int j = i + (int)(generator.NextUInt32() % (uint)(n - i));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>Throws if the fraction of validation images is not between 0 and 1, exclusive.</summary>
    public static void CheckShare(double validation)
    {
        if (!(validation > 0 && validation < 1))
            throw new ArgumentOutOfRangeException(nameof(validation), validation, "the fraction of validation images must be between 0 and 1");
    }

    /// <summary>
    /// Splits a random permutation in two, each class separately: round(share · n) of the n images of a class are in the second part. If n ≥ 2, each part has
    /// at least one; if n = 1, the image is in the first part.
    /// </summary>
    /// <returns>Indices in the order of the permutation.</returns>
    public static (int[] First, int[] Second) Stratified(ReadOnlySpan<int> labels, int classes, double share, int seed)
    {
        int[] left = new int[classes];                          // per class: number of images that still go to the first part
        foreach (int label in labels)
            left[label]++;
        for (int c = 0; c < classes; c++)
            left[c] -= left[c] < 2 ? 0 : int.Clamp((int)Math.Round(share * left[c]), 1, left[c] - 1);
        List<int> first = [], second = [];
        foreach (int index in Random(labels.Length, seed))
            (left[labels[index]]-- > 0 ? first : second).Add(index);
        return ([.. first], [.. second]);
    }
}
