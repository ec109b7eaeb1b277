namespace MiniCnn;

/// <summary>
/// Philox4x32-10: random words as a pure function of where they are used. No state to keep, no order to follow.
/// </summary>
/// <remarks>Source: Salmon, Moraes, Dror, Shaw, “Parallel Random Numbers: As Easy as 1, 2, 3”, SC 2011.</remarks>
/// <param name="seed">The user's seed.</param>
/// <param name="purpose">What the words are for, such as a layer's place.</param>
/// <param name="step">The training step.</param>
/// <param name="sample">The image in its batch.</param>
struct Philox(int seed, uint purpose, int step, int sample)
{
    int block = -1;
    uint word0, word1, word2, word3;

    /// <summary>The word of an element; four neighbours cost one computation.</summary>
    public uint Word(int element)
    {
        if (element >> 2 != block)
        {
            block = element >> 2;
            (word0, word1, word2, word3) = Block((uint)block, (uint)sample, (uint)step, purpose, (uint)seed, 0);
        }
        return (element & 3) switch { 0 => word0, 1 => word1, 2 => word2, _ => word3 };
    }

    /// <summary>Four words from a counter of 128 bits and a key of 64.</summary>
    internal static (uint, uint, uint, uint) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = 0xD2511F53UL * c0, p1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            (k0, k1) = (k0 + 0x9E3779B9, k1 + 0xBB67AE85);
        }
        return (c0, c1, c2, c3);
    }
}
