using MathNet.Numerics.Random;

namespace MiniCnn;

/// <summary>PyTorch's CPU generator: the numbers that follow <c>torch.manual_seed(seed)</c>, uniform ones bit for bit.</summary>
/// <remarks>
/// MT19937 seeded by init_genrand, which is Math.NET's <see cref="MersenneTwister"/>. Of a negative seed the low 32 bits count,
/// as in PyTorch. Source of the arithmetic: ATen/core/DistributionsHelper.h, TransformationHelper.h and native/cpu/DistributionTemplates.h.
/// Not thread-safe.
/// </remarks>
/// <param name="random">PyTorch's where it is a MersenneTwister.</param>
sealed class TorchGenerator(Random random)
{
    double? second;                                                    // of a pair of normal numbers, if only the first was asked for

    public TorchGenerator(int seed) : this(new MersenneTwister(seed, threadSafe: false))
    {
    }

    /// <summary>The next 32-bit draw. Math.NET gives it divided by 2³², which a double holds exactly.</summary>
    public uint NextUInt32() => (uint)(random.NextDouble() * 4294967296.0);

    /// <summary>The next element of a float tensor's <c>uniform_(low, high)</c>: 24 bits of one draw, scaled in double.</summary>
    public float NextUniform(float low, float high)
    {
        double x = (NextUInt32() & 0xFF_FFFF) * (1.0 / (1 << 24));      // [0, 1)
        return (float)(x * (high - low) + low);
    }

    /// <summary>A float tensor's <c>normal_(0, deviation)</c>: Box and Muller's, blocks of 16 numbers at a time, fewer ones a pair at a time.</summary>
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
        if (values.Length % Block != 0)                                 // the last ones are drawn anew
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

    /// <summary>Makes normal numbers of uniform ones: pairs half a block apart, in float as PyTorch computes them.</summary>
    static void ToNormal(Span<float> block, float deviation)
    {
        int half = block.Length / 2;
        for (int i = 0; i < half; i++)
        {
            float radius = MathF.Sqrt(-2 * MathF.Log(1 - block[i])), angle = MathF.Tau * block[i + half];
            (block[i], block[i + half]) = (radius * MathF.Cos(angle) * deviation, radius * MathF.Sin(angle) * deviation);
        }
    }

    /// <summary>The next number by itself, in double; they come in pairs.</summary>
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

    /// <summary>The next element of a double tensor's <c>uniform_()</c>: 53 bits of two draws, the high ones first.</summary>
    double NextDouble()
    {
        ulong high = NextUInt32(), low = NextUInt32();
        return ((high << 32 | low) & ((1UL << 53) - 1)) * (1.0 / (1UL << 53));
    }
}
