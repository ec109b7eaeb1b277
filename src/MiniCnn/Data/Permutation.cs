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
}
