using System.Runtime.CompilerServices;
using MathNet.Numerics.Random;

namespace MiniCnn;

/// <summary>Weight initialization, as in torch.nn.init. Layers have default initial values; use this class for other ones.</summary>
/// <remarks>
/// <code>
/// MersenneTwister random = new(42, threadSafe: false);
/// foreach (Parameter p in model.Parameters)
/// {
///     if (p.Value.Rank is 2 or 4)                     // weights of linear layers and convolutions
///         Init.KaimingNormal(p, random);
///     else if (p.Name.EndsWith("bias"))
///         Init.Constant(p, 0);
/// }
/// </code>
/// With Math.NET's <see cref="MersenneTwister"/>(seed, false) the values are those of PyTorch on a CPU after torch.manual_seed(seed): uniform values are
/// bit-identical, normal values can differ in the last bits, because of the logarithm and the cosine. Any other <see cref="Random"/> is also possible.
/// <code>
/// fan_in = size of axis 1 · kH·kW,  fan_out = size of axis 0 · kH·kW
/// standard deviation, Kaiming: √(2 / (1 + negativeSlope²)) / √fan
/// standard deviation, Xavier:  gain · √(2 / (fan_in + fan_out))
/// bound of uniform values:     √3 · standard deviation
/// </code>
/// Source: https://docs.pytorch.org/docs/stable/nn.init.html; He et al., 2015 (Kaiming); Glorot and Bengio, 2010 (Xavier).
/// </remarks>
public static class Init
{
    // One generator per Random, because a generator stores the second number of a pair of normal numbers.
    static readonly ConditionalWeakTable<Random, TorchGenerator> generators = [];

    /// <summary>
    /// Draws U(−b, b) with b = √3 · √(2 / (1 + negativeSlope²)) / √fan. It keeps the variance of the values constant through layers with ReLU.
    /// </summary>
    /// <param name="weight">[out, in] or [out, in, kH, kW]. Its values are overwritten.</param>
    /// <param name="random">Source of the random numbers.</param>
    /// <param name="negativeSlope">PyTorch's a: the negative slope of the leaky ReLU that follows; 0 for a ReLU.</param>
    /// <param name="mode">Whether fan is fan_in or fan_out.</param>
    /// <exception cref="ArgumentException">The weight has only one axis, or the slope is not finite.</exception>
    public static void KaimingUniform(Parameter weight, Random random, double negativeSlope = 0, FanMode mode = FanMode.FanIn) =>
        FillUniform(Generator(random), weight, Math.Sqrt(3) * KaimingDeviation(weight, negativeSlope, mode));

    /// <summary>
    /// Draws N(0, σ²) with σ = √(2 / (1 + negativeSlope²)) / √fan. It keeps the variance of the values constant through layers with ReLU.
    /// </summary>
    /// <inheritdoc cref="KaimingUniform"/>
    public static void KaimingNormal(Parameter weight, Random random, double negativeSlope = 0, FanMode mode = FanMode.FanIn) =>
        FillNormal(random, weight, KaimingDeviation(weight, negativeSlope, mode));

    /// <summary>
    /// Draws U(−b, b) with b = √3 · gain · √(2 / (fan_in + fan_out)). It is a compromise between constant variance in the forward and in the backward pass.
    /// </summary>
    /// <param name="weight">[out, in] or [out, in, kH, kW]. Its values are overwritten.</param>
    /// <param name="random">Source of the random numbers.</param>
    /// <param name="gain">Factor for the activation that follows, as PyTorch's calculate_gain: 5/3 for tanh, √2 for ReLU, 1 for none.</param>
    /// <exception cref="ArgumentException">The weight has only one axis, or the gain is negative or not finite.</exception>
    public static void XavierUniform(Parameter weight, Random random, double gain = 1) =>
        FillUniform(Generator(random), weight, Math.Sqrt(3) * XavierDeviation(weight, gain));

    /// <summary>
    /// Draws N(0, σ²) with σ = gain · √(2 / (fan_in + fan_out)). It is a compromise between constant variance in the forward and in the backward pass.
    /// </summary>
    /// <inheritdoc cref="XavierUniform"/>
    public static void XavierNormal(Parameter weight, Random random, double gain = 1) => FillNormal(random, weight, XavierDeviation(weight, gain));

    /// <summary>Sets all values of a parameter to one number.</summary>
    /// <param name="parameter">Parameter to fill.</param>
    /// <param name="value">The new value of all elements.</param>
    public static void Constant(Parameter parameter, float value)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        parameter.Give().Fill(value);
    }

    /// <summary>Sets PyTorch's default initialization of convolutions and Linear: U(−1/√fan_in, 1/√fan_in), first the weight, then the bias.</summary>
    /// <remarks>
    /// PyTorch computes the bound of the weight by kaiming_uniform with a = √5. This code does the same, so that the last bits are equal.
    /// Source: reset_parameters of _ConvNd and Linear.
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
            throw new ArgumentException($"the negative slope must be finite, not {negativeSlope}");
        return Math.Sqrt(2 / (1 + negativeSlope * negativeSlope)) / Math.Sqrt(mode == FanMode.FanIn ? fanIn : fanOut);
    }

    static double XavierDeviation(Parameter weight, double gain)
    {
        (long fanIn, long fanOut) = Fans(weight);
        if (!(gain >= 0 && double.IsFinite(gain)))
            throw new ArgumentException($"the gain must be finite and at least 0, not {gain}");
        return gain * Math.Sqrt(2.0 / (fanIn + fanOut));
    }

    static (long In, long Out) Fans(Parameter weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ReadOnlySpan<nint> shape = weight.Lengths;
        if (shape.Length < 2)
        {
            throw new ArgumentException(
                $"{weight}: fan-in and fan-out need a weight [out, in] or [out, in, kH, kW]; use Init.Constant for a bias or the weight of a norm");
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
