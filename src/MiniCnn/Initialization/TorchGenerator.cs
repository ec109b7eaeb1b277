using MathNet.Numerics.Random;

namespace MiniCnn;

/// <summary>PyTorch's CPU generator: the numbers that follow <c>torch.manual_seed(seed)</c>, bit for bit.</summary>
/// <remarks>
/// MT19937 seeded by init_genrand, which is Math.NET's <see cref="MersenneTwister"/>. Of a negative seed the low 32 bits count,
/// as in PyTorch. Source of the arithmetic: ATen/core/DistributionsHelper.h and TransformationHelper.h. Not thread-safe.
/// </remarks>
sealed class TorchGenerator(int seed)
{
    readonly MersenneTwister twister = new(seed, threadSafe: false);

    /// <summary>The next 32-bit draw. Math.NET gives it divided by 2³², which a double holds exactly.</summary>
    public uint NextUInt32() => (uint)(twister.NextDouble() * 4294967296.0);

    /// <summary>The next element of a float tensor's <c>uniform_(low, high)</c>: 24 bits of one draw, scaled in double.</summary>
    public float NextUniform(float low, float high)
    {
        double x = (NextUInt32() & 0xFF_FFFF) * (1.0 / (1 << 24));      // [0, 1)
        return (float)(x * (high - low) + low);
    }
}
