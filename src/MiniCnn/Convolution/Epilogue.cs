namespace MiniCnn;

/// <summary>What becomes of the sums of a convolution before they are stored: in this order a bias, ReLU and a 2×2 max pool, or none of them.</summary>
readonly unsafe struct Epilogue<T> where T : unmanaged
{
    /// <summary>What is added, a number a channel; null for nothing.</summary>
    public T* Bias { get; init; }

    /// <summary>Whether what is below 0 becomes 0.</summary>
    public bool Relu { get; init; }

    /// <summary>Whether y is the maximum over 2×2 sums.</summary>
    public bool Pooled { get; init; }

    /// <summary>If not null, this becomes which of the four it was.</summary>
    public LaneTensor<T>? ArgMax { get; init; }
}
