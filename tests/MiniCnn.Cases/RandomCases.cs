using MathNet.Numerics.Random;

namespace MiniCnn.Cases;

/// <summary>First values of one weight, after torch.manual_seed of the case's seed.</summary>
/// <param name="Kaiming">Kaiming's; else Xavier's.</param>
/// <param name="Normal">Normal numbers; else uniform ones, which are the same to the bit.</param>
/// <param name="Shape">The weight.</param>
/// <param name="Argument">Kaiming's negative slope, Xavier's gain.</param>
/// <param name="Mode">Kaiming's fan.</param>
sealed record InitCase(bool Kaiming, bool Normal, int[] Shape, double Argument, FanMode Mode = FanMode.FanIn)
    : Case($"{nameof(Init)}.{(Kaiming ? "Kaiming" : "Xavier")}{(Normal ? "Normal" : "Uniform")}")
{
    public override Rounding Rounding => Normal ? Rounding.Sums : Rounding.Exact;

    // TorchSharp's vectors compute logarithm, sine and cosine to 4 units of the last place, 8 · 2⁻²⁴ of a number.
    public override int Terms => 8;

    /// <summary>Numbers that go into an output, and outputs that a number goes into.</summary>
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

/// <summary>A model's first weights: those of torch.manual_seed(seed) and building the same layers.</summary>
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

/// <summary>A shuffled 0 … n − 1.</summary>
sealed record PermutationCase(int N) : Case($"{nameof(Permutation)}.{nameof(Permutation.Random)}")
{
    public override Rounding Rounding => Rounding.Exact;

    public override int Terms => 0;

    public override Numbers Inputs() => [];

    public override Numbers Float(Numbers inputs) => new() { ["order"] = [.. Permutation.Random(N, Seed).Select(i => (double)i)] };

    public override string ToString() => $"{Id}, {N}";
}
