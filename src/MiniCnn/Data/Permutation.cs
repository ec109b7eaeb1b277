namespace MiniCnn;

/// <summary>Seeded shuffling, as PyTorch shuffles.</summary>
static class Permutation
{
    /// <summary>The permutation of 0 … n−1 that <c>torch.manual_seed(seed); torch.randperm(n)</c> gives.</summary>
    /// <remarks>PyTorch draws 64 bits at a time where n ≥ 2³²/20; no data set here is that long.</remarks>
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

    /// <exception cref="ArgumentOutOfRangeException">Not between 0 and 1.</exception>
    public static void CheckShare(double validation)
    {
        if (!(validation > 0 && validation < 1))
            throw new ArgumentOutOfRangeException(nameof(validation), validation, "the share of validation images must be between 0 and 1");
    }

    /// <summary>A permutation cut in two, each class by itself: of n it gives round(share · n) to the second part, but none to be without any.</summary>
    /// <returns>Indices, in the permutation's order.</returns>
    public static (int[] First, int[] Second) Stratified(ReadOnlySpan<int> labels, int classes, double share, int seed)
    {
        int[] left = new int[classes];                          // of each class, how many are still to go to the first part
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
