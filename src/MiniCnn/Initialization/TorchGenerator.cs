using MathNet.Numerics.Random;

namespace MiniCnn;

/// <summary>PyTorch's CPU generator: the numbers after <c>torch.manual_seed(seed)</c>. Uniform numbers are bit-identical.</summary>
/// <remarks>
/// MT19937 seeded by init_genrand, which is Math.NET's <see cref="MersenneTwister"/>. Only the low 32 bits of a negative seed are used,
/// as in PyTorch. Source of the arithmetic: ATen/core/DistributionsHelper.h, TransformationHelper.h and native/cpu/DistributionTemplates.h.
/// Not thread-safe.
/// </remarks>
/// <param name="random">Source of the random numbers; with a MersenneTwister they are PyTorch's.</param>
sealed class TorchGenerator(Random random)
{
    double? second;                                                    // second number of a pair of normal numbers, if not yet used

    public TorchGenerator(int seed) : this(new MersenneTwister(seed, threadSafe: false))
    {
    }

    /// <summary>Returns the next 32-bit draw. Math.NET returns it divided by 2³², which a double represents exactly.</summary>
    public uint NextUInt32() => (uint)(random.NextDouble() * 4294967296.0);

    /// <summary>Returns the next element of <c>uniform_(low, high)</c> of a float tensor: 24 bits of one draw, scaled in double.</summary>
    public float NextUniform(float low, float high)
    {
        double x = (NextUInt32() & 0xFF_FFFF) * (1.0 / (1 << 24));      // [0, 1)
        return (float)(x * (high - low) + low);
    }

    /// <summary>
    /// Fills values as <c>normal_(0, deviation)</c> of a float tensor does, by the Box–Muller method: in blocks of 16, or in pairs for fewer than 16 values.
    /// </summary>
    public void FillNormal(Span<float> values, double deviation)
    {
        const int Block = 16;
        if (values.Length < Block)
        {
            foreach (ref float value in values)
                value = (float)(NextNormal() * deviation);
            return;
        }
        FillUniform(values);
        for (int i = 0; i <= values.Length - Block; i += Block)
            ToNormal(values.Slice(i, Block), (float)deviation);
        if (values.Length % Block != 0)                                 // the last 16 values are drawn again
        {
            FillUniform(values[^Block..]);
            ToNormal(values[^Block..], (float)deviation);
        }
    }

    void FillUniform(Span<float> values)
    {
        foreach (ref float value in values)
            value = NextUniform(0, 1);
    }

    /// <summary>Transforms a block of uniform numbers to normal numbers, in float as PyTorch does. The numbers of a pair are half a block apart.</summary>
    static void ToNormal(Span<float> block, float deviation)
    {
        int half = block.Length / 2;
        for (int i = 0; i < half; i++)
        {
            float radius = MathF.Sqrt(-2 * MathF.Log(1 - block[i])), angle = MathF.Tau * block[i + half];
            (block[i], block[i + half]) = (radius * MathF.Cos(angle) * deviation, radius * MathF.Sin(angle) * deviation);
        }
    }

    /// <summary>Returns the next normal number, computed in double. Numbers are computed in pairs.</summary>
    double NextNormal()
    {
        if (second is { } kept)
        {
            second = null;
            return kept;
        }
        double angle = Math.Tau * NextDouble(), radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        second = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    /// <summary>Returns the next element of <c>uniform_()</c> of a double tensor: 53 bits of two draws, of which the first has the high bits.</summary>
    double NextDouble()
    {
        ulong high = NextUInt32(), low = NextUInt32();
        return ((high << 32 | low) & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));
    }
}
