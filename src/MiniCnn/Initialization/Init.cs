using System.Runtime.CompilerServices;
using MathNet.Numerics.Random;

namespace MiniCnn;

/// <summary>First values for weights, as torch.nn.init has them. Layers fill themselves when they are made; this is for another choice.</summary>
/// <remarks>
/// <code>
/// MersenneTwister random = new(42, threadSafe: false);
/// foreach (Parameter p in model.Parameters)
/// {
///     if (p.Value.Rank is 2 or 4)                     // a linear layer's weight, a convolution's
///         Init.KaimingNormal(p, random);
///     else if (p.Name.EndsWith("bias"))
///         Init.Constant(p, 0);
/// }
/// </code>
/// With Math.NET's <see cref="MersenneTwister"/>(seed, false) these are the numbers that PyTorch draws on a CPU after torch.manual_seed(seed):
/// uniform ones to the bit, normal ones but for the last bits of its logarithm and cosine. Any other Random will do too.
/// <code>
/// fan_in = size of axis 1 · kH·kW,  fan_out = size of axis 0 · kH·kW
/// Kaiming: deviation = √(2 / (1 + negativeSlope²)) / √fan,  Xavier: deviation = gain · √(2 / (fan_in + fan_out)),  uniform: ±√3 · deviation
/// </code>
/// Source: https://docs.pytorch.org/docs/stable/nn.init.html; He et al., 2015 (Kaiming); Glorot and Bengio, 2010 (Xavier).
/// </remarks>
public static class Init
{
    // A generator remembers the second number of a pair, so each Random has one.
    static readonly ConditionalWeakTable<Random, TorchGenerator> generators = [];

    /// <summary>U(−b, b), b = √3 · √(2 / (1 + negativeSlope²)) / √fan: sums keep their size through a ReLU.</summary>
    /// <param name="weight">[out, in] or [out, in, kH, kW]; its values are overwritten.</param>
    /// <param name="random">Where the numbers come from.</param>
    /// <param name="negativeSlope">PyTorch's a: the slope below 0 of the leaky ReLU that follows, 0 for a ReLU.</param>
    /// <param name="mode">The fan that counts.</param>
    /// <exception cref="ArgumentException">A weight of one axis, or a slope that is not finite.</exception>
    public static void KaimingUniform(Parameter weight, Random random, double negativeSlope = 0, FanMode mode = FanMode.FanIn) =>
        FillUniform(Generator(random), weight, Math.Sqrt(3) * KaimingDeviation(weight, negativeSlope, mode));

    /// <summary>N(0, deviation²), deviation = √(2 / (1 + negativeSlope²)) / √fan: sums keep their size through a ReLU.</summary>
    /// <inheritdoc cref="KaimingUniform"/>
    public static void KaimingNormal(Parameter weight, Random random, double negativeSlope = 0, FanMode mode = FanMode.FanIn) =>
        FillNormal(random, weight, KaimingDeviation(weight, negativeSlope, mode));

    /// <summary>U(−b, b), b = √3 · gain · √(2 / (fan_in + fan_out)): between the sizes that the two passes would have.</summary>
    /// <param name="weight">[out, in] or [out, in, kH, kW]; its values are overwritten.</param>
    /// <param name="random">Where the numbers come from.</param>
    /// <param name="gain">By how much the layer's activation shrinks what goes through it: 5/3 for tanh, √2 for a ReLU, 1 for none.</param>
    /// <exception cref="ArgumentException">A weight of one axis, or a gain that is below 0 or not finite.</exception>
    public static void XavierUniform(Parameter weight, Random random, double gain = 1) =>
        FillUniform(Generator(random), weight, Math.Sqrt(3) * XavierDeviation(weight, gain));

    /// <summary>N(0, deviation²), deviation = gain · √(2 / (fan_in + fan_out)): between the sizes that the two passes would have.</summary>
    /// <inheritdoc cref="XavierUniform"/>
    public static void XavierNormal(Parameter weight, Random random, double gain = 1) => FillNormal(random, weight, XavierDeviation(weight, gain));

    /// <summary>One value everywhere.</summary>
    public static void Constant(Parameter parameter, float value)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        parameter.Give().Fill(value);
    }

    /// <summary>Has a layer begin as PyTorch's convolutions and Linear do: U(−1/√fan_in, 1/√fan_in), the weight first, then the bias.</summary>
    /// <remarks>
    /// PyTorch writes the weight's bound as kaiming_uniform with a = √5, and the last bits follow that. Source: reset_parameters of _ConvNd and
    /// Linear.
    /// </remarks>
    internal static void Default(Parameter weight, Parameter? bias)
    {
        weight.Bound = (float)(Math.Sqrt(3) * KaimingDeviation(weight, Math.Sqrt(5), FanMode.FanIn));
        bias?.Bound = (float)(1 / Math.Sqrt(Fans(weight).In));
    }

    static double KaimingDeviation(Parameter weight, double negativeSlope, FanMode mode)
    {
        (long fanIn, long fanOut) = Fans(weight);
        if (!double.IsFinite(negativeSlope))
            throw new ArgumentException($"a slope must be finite, not {negativeSlope}");
        return Math.Sqrt(2 / (1 + negativeSlope * negativeSlope)) / Math.Sqrt(mode == FanMode.FanIn ? fanIn : fanOut);
    }

    static double XavierDeviation(Parameter weight, double gain)
    {
        (long fanIn, long fanOut) = Fans(weight);
        if (!(gain >= 0 && double.IsFinite(gain)))
            throw new ArgumentException($"a gain must be finite and not below 0, not {gain}");
        return gain * Math.Sqrt(2.0 / (fanIn + fanOut));
    }

    static (long In, long Out) Fans(Parameter weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ReadOnlySpan<nint> shape = weight.Lengths;
        if (shape.Length < 2)
        {
            throw new ArgumentException(
                $"{weight}: fan-in and fan-out are those of a weight [out, in] or [out, in, kH, kW]; fill a bias or a norm's weight with Init.Constant");
        }
        return (weight.Length / shape[0], weight.Length / shape[1]);
    }

    static TorchGenerator Generator(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return generators.GetValue(random, random => new(random));
    }

    static void FillUniform(TorchGenerator generator, Parameter parameter, double bound)
    {
        foreach (ref float value in parameter.Give())
            value = generator.NextUniform((float)-bound, (float)bound);
    }

    static void FillNormal(Random random, Parameter weight, double deviation) => Generator(random).FillNormal(weight.Give(), deviation);
}
