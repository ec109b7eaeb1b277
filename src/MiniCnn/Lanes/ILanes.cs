namespace MiniCnn;

/// <summary>
/// A vector of <see cref="Count"/> numbers T, one a lane. A layer's formula is written once over V: with V a hardware vector it runs on
/// that many images at once, or where images run one by one on neighbouring pixels or features; with V = <see cref="Scalar{T}"/> of double it
/// is what the gradient check runs.
/// </summary>
/// <remarks>Comparisons give masks for <see cref="Select"/>; any comparison with NaN is false.</remarks>
unsafe interface ILanes<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Numbers in one V.</summary>
    static abstract int Count { get; }

    static abstract V Load(T* from);

    /// <summary>Numbers that lie a step apart; nothing beyond the last one is read.</summary>
    static abstract V Load(T* from, nint step);

    void Store(T* to);

    static abstract V Broadcast(T value);

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    /// <summary>a·b + c, in one rounding where the machine has it.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>this += a·b, in one rounding where the machine has it.</summary>
    void AddProduct(V a, V b);

    /// <summary>this += a · the numbers at b, which need no register then.</summary>
    void AddProduct(V a, T* b);

    /// <summary>The larger one; NaN if either is.</summary>
    static abstract V Max(V a, V b);

    /// <summary>0 where a is below 0, else a, NaN too.</summary>
    static abstract V Positive(V a);

    static abstract V Exp(V a);

    static abstract V Log(V a);

    static abstract V Sqrt(V a);

    static abstract V Greater(V a, V b);

    static abstract V Equal(V a, V b);

    /// <summary>Two vectors' numbers in turn: a0 b0 a1 b1 …</summary>
    static abstract (V First, V Second) Zip(V a, V b);

    /// <summary>All lanes' sum, halves first: (0 + 2) + (1 + 3).</summary>
    static abstract T Sum(V a);

    /// <summary>Compares 32-bit words, one a lane: word ≤ last.</summary>
    static abstract V AtMost(uint* words, uint last);

    /// <summary>Where the mask holds a, else b.</summary>
    static abstract V Select(V mask, V a, V b);
}
