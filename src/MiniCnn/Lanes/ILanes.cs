namespace MiniCnn;

/// <summary>
/// A vector of <see cref="Count"/> numbers of type T, one in each lane. The formula of a layer is written once over V. With a hardware vector as V, it
/// processes this number of images at once, or neighboring pixels or features of one image. With <see cref="Scalar{T}"/> of double as V, the gradient
/// check runs the same formula.
/// </summary>
/// <remarks>Comparisons return masks for <see cref="Select"/>. Every comparison with NaN is false.</remarks>
unsafe interface ILanes<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Number of lanes of V.</summary>
    static abstract int Count { get; }

    static abstract V Load(T* from);

    /// <summary>Loads numbers that are step elements apart. Nothing beyond the last one is read.</summary>
    static abstract V Load(T* from, nint step);

    void Store(T* to);

    static abstract V Broadcast(T value);

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    /// <summary>a·b + c, with a single rounding if the processor supports it.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>this += a·b, with a single rounding if the processor supports it.</summary>
    void AddProduct(V a, V b);

    /// <summary>this += a · the vector in memory at b, which needs no register.</summary>
    void AddProduct(V a, T* b);

    /// <summary>The larger number; NaN if either is NaN.</summary>
    static abstract V Max(V a, V b);

    /// <summary>ReLU: 0 where a is below 0, otherwise a. NaN stays NaN.</summary>
    static abstract V Positive(V a);

    static abstract V Exp(V a);

    static abstract V Log(V a);

    static abstract V Sqrt(V a);

    static abstract V Greater(V a, V b);

    static abstract V Equal(V a, V b);

    /// <summary>Interleaves two vectors: a0 b0 a1 b1 …</summary>
    static abstract (V First, V Second) Zip(V a, V b);

    /// <summary>The sum of all lanes, in the order (0 + 2) + (1 + 3): the two halves of the vector are added first.</summary>
    static abstract T Sum(V a);

    /// <summary>Compares 32-bit words, one for each lane: word ≤ last.</summary>
    static abstract V AtMost(uint* words, uint last);

    /// <summary>a in the lanes where the mask is set, otherwise b.</summary>
    static abstract V Select(V mask, V a, V b);
}
