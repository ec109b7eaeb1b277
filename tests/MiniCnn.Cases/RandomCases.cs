using MathNet.Numerics.Random;

namespace MiniCnn.Cases;

/// <summary>Initial values of one weight after torch.manual_seed with the case's seed.</summary>
/// <param name="Kaiming">Whether the initialization is Kaiming instead of Xavier.</param>
/// <param name="Normal">Whether the numbers are normal instead of uniform. Uniform numbers are bit-identical.</param>
/// <param name="Shape">Shape of the weight.</param>
/// <param name="Argument">Negative slope of Kaiming, gain of Xavier.</param>
/// <param name="Mode">Fan mode of Kaiming.</param>
sealed record InitCase(bool Kaiming, bool Normal, int[] Shape, double Argument, FanMode Mode = FanMode.FanIn)
    : Case($"{nameof(Init)}.{(Kaiming ? "Kaiming" : "Xavier")}{(Normal ? "Normal" : "Uniform")}")
{
    public override Rounding Rounding => Normal ? Rounding.Sums : Rounding.Exact;

    // TorchSharp's vectorized logarithm, sine and cosine have errors up to 4 units in the last place: relative 8 · 2⁻²⁴.
    public override int Terms => 8;

    /// <summary>Number of inputs of an output, or of outputs of an input.</summary>
    public int FanIn => Shape[1..].Aggregate((a, b) => a * b);

    /// <inheritdoc cref="FanIn"/>
    public int FanOut => Shape[0] * FanIn / Shape[1];

    public override Numbers Inputs() => [];

    public override Numbers Float(Numbers inputs)
    {
        Parameter weight = new(new ReLU(), "weight", [.. Shape.Select(size => (nint)size)]);
        MersenneTwister random = new(Seed, threadSafe: false);
        switch (Kaiming, Normal)
        {
            case (true, true): Init.KaimingNormal(weight, random, Argument, Mode); break;
            case (true, false): Init.KaimingUniform(weight, random, Argument, Mode); break;
            case (false, true): Init.XavierNormal(weight, random, Argument); break;
            case (false, false): Init.XavierUniform(weight, random, Argument); break;
        }
        Numbers results = [];
        results.Add("weight", weight.Value.AsSpan());
        return results;
    }

    public override string ToString() => $"{Id}, [{string.Join(", ", Shape)}], {Argument}, {Mode}";
}

/// <summary>Initial weights of a model: those of torch.manual_seed(seed) followed by building the same layers.</summary>
sealed record InitializeCase(Func<Layer> Make) : Case($"{nameof(Layer)}.{nameof(Layer.Initialize)}")
{
    public override Rounding Rounding => Rounding.Exact;

    public override int Terms => 0;

    public override Numbers Inputs() => [];

    public override Numbers Float(Numbers inputs)
    {
        Layer layer = Make();
        layer.Initialize(Seed);
        Numbers results = [];
        foreach (Parameter p in layer.Parameters)
            results.Add(p.Name, p.Value.AsSpan());
        return results;
    }

    public override string ToString() => $"{Id}, {Make()}";
}

/// <summary>A random permutation of 0 … n − 1.</summary>
sealed record PermutationCase(int N) : Case($"{nameof(Permutation)}.{nameof(Permutation.Random)}")
{
    public override Rounding Rounding => Rounding.Exact;

    public override int Terms => 0;

    public override Numbers Inputs() => [];

    public override Numbers Float(Numbers inputs) => new() { ["order"] = [.. Permutation.Random(N, Seed).Select(i => (double)i)] };

    public override string ToString() => $"{Id}, {N}";
}
