namespace MiniCnn;

/// <summary>Operations applied to the sums of a convolution before they are stored, in this order: bias, ReLU, 2×2 max pool. Each is optional.</summary>
readonly unsafe struct Epilogue<T> where T : unmanaged
{
    /// <summary>Added to the sums, one number for each channel; null for no bias.</summary>
    public T* Bias { get; init; }

    /// <summary>Whether negative sums become 0.</summary>
    public bool Relu { get; init; }

    /// <summary>Whether y is the maximum over windows of 2×2 sums.</summary>
    public bool Pooled { get; init; }

    /// <summary>If not null, receives the index, 0 to 3, of the maximum in its window.</summary>
    public LaneTensor<T>? ArgMax { get; init; }
}
