using MathNet.Numerics.Random;

namespace MiniCnn.Tests;

/// <summary>First values of weights: PyTorch's own, recorded, and the spread they are to have.</summary>
public sealed class InitTests
{
    static readonly IReadOnlyDictionary<string, SafeTensors.Entry> recorded =
        SafeTensors.Read(Path.Combine(AppContext.BaseDirectory, "recorded", "init.safetensors")).Tensors;

    [Fact]
    [Checks("init", @"kaiming_uniform\.\d+", typeof(Init), Member = nameof(Init.KaimingUniform))]
    [Checks("init", @"xavier_uniform\.\d+", typeof(Init), Member = nameof(Init.XavierUniform))]
    public void Uniform_weights_are_PyTorchs_to_the_bit()
    {
        int compared = 0;
        foreach ((string name, Parameter weight) in Filled("uniform"))
        {
            Assert.Equal(recorded[name].As<float>().ToArray(), weight.Value.AsSpan().ToArray());
            compared++;
        }
        Assert.Equal(8 * 9, compared);
    }

    [Fact]
    [Checks("init", @"kaiming_normal\.\d+", typeof(Init), Member = nameof(Init.KaimingNormal))]
    [Checks("init", @"xavier_normal\.\d+", typeof(Init), Member = nameof(Init.XavierNormal))]
    public void Normal_weights_are_PyTorchs_but_for_the_last_bits_of_its_logarithm_and_cosine()
    {
        int compared = 0;
        foreach ((string name, Parameter weight) in Filled("normal"))
        {
            AssertNear(name, weight);
            compared++;
        }
        Assert.Equal(8 * 9, compared);
    }

    [Fact]
    [Checks("init", "pairs", typeof(Init), Member = nameof(Init.XavierNormal))]
    public void The_second_of_a_pair_is_kept_for_the_next_small_tensor()
    {
        MersenneTwister random = new(77, threadSafe: false);
        for (int i = 0; i < 5; i++)
        {
            Parameter weight = New([.. recorded[$"pairs.{i}"].Shape.Select(size => (nint)size)]);
            Init.XavierNormal(weight, random);
            AssertNear($"pairs.{i}", weight);
        }
    }

    [Fact]
    public void Any_Random_gives_the_spread_and_one_of_its_own_the_same_numbers_again()
    {
        Parameter weight = New(40, 30, 3, 2);
        const double FanIn = 30 * 6, FanOut = 40 * 6;
        foreach ((double deviation, Action<Random> fill) in ((double, Action<Random>)[])[
            (Math.Sqrt(2 / FanIn), random => Init.KaimingUniform(weight, random)),
            (Math.Sqrt(2 / 1.25 / FanOut), random => Init.KaimingNormal(weight, random, 0.5, FanMode.FanOut)),
            (3 * Math.Sqrt(2 / (FanIn + FanOut)), random => Init.XavierUniform(weight, random, 3)),
            (Math.Sqrt(2 / (FanIn + FanOut)), random => Init.XavierNormal(weight, random))])
        {
            fill(new Random(5));
            float[] numbers = weight.Value.AsSpan().ToArray();
            Assert.InRange(numbers.Average(), -5 * deviation / Math.Sqrt(7200), 5 * deviation / Math.Sqrt(7200));
            Assert.InRange(Math.Sqrt(numbers.Average(w => (double)w * w)), 0.95 * deviation, 1.05 * deviation);
            Assert.True(numbers.Distinct().Count() > 7000);
            fill(new Random(5));
            Assert.Equal(numbers, weight.Value.AsSpan().ToArray());
            fill(new Random(6));
            Assert.NotEqual(numbers, weight.Value.AsSpan().ToArray());
        }
    }

    [Fact]
    public void A_model_is_filled_parameter_by_parameter()
    {
        Sequential model = new(new Conv2d(2, 3, (3, 2)), new BatchNorm2d(3), new Flatten(), new Linear(12, 4));
        Random random = new(1);
        float[] before = model.Parameters[0].Value.AsSpan().ToArray();
        foreach (Parameter p in model.Parameters)
        {
            if (p.Value.Rank is 2 or 4)
                Init.KaimingNormal(p, random);
            else if (p.Name.EndsWith("bias", StringComparison.Ordinal))
                Init.Constant(p, 0.5f);
        }
        Assert.NotEqual(before, model.Parameters[0].Value.AsSpan().ToArray());
        Assert.Equal([0.5f, 0.5f, 0.5f], model.Parameters[1].Value.AsSpan().ToArray());
        Assert.Equal([1, 1, 1], model.Parameters[2].Value.AsSpan().ToArray());
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], model.Parameters[5].Value.AsSpan().ToArray());
    }

    [Fact]
    public void What_has_no_fan_is_refused()
    {
        Conv2d layer = new(2, 3, (3, 2));
        Sequential model = new(layer);
        ArgumentException e = Assert.Throws<ArgumentException>(() => Init.KaimingUniform(layer.Bias!, new Random(1)));
        Assert.Equal(
            "0.bias [3]: fan-in and fan-out are those of a weight [out, in] or [out, in, kH, kW]; fill a bias or a norm's weight with Init.Constant",
            e.Message);
        Assert.Throws<ArgumentException>(() => Init.XavierNormal(layer.Bias!, new Random(1)));
        float[] before = layer.Weight.Value.AsSpan().ToArray();
        Assert.Throws<ArgumentException>(() => Init.KaimingNormal(layer.Weight, new Random(1), double.NaN));
        foreach (double gain in (double[])[-1, double.NaN, double.PositiveInfinity])
            Assert.Throws<ArgumentException>(() => Init.XavierUniform(layer.Weight, new Random(1), gain));
        Assert.Throws<ArgumentNullException>(() => Init.XavierUniform(null!, new Random(1)));
        Assert.Throws<ArgumentNullException>(() => Init.XavierUniform(layer.Weight, null!));
        Assert.Throws<ArgumentNullException>(() => Init.Constant(null!, 0));
        Assert.Equal(before, layer.Weight.Value.AsSpan().ToArray());
    }

    static IEnumerable<(string Name, Parameter Weight)> Filled(string distribution)
    {
        foreach (string name in recorded.Keys.Where(name => name.Contains(distribution, StringComparison.Ordinal)))
        {
            if (!recorded.TryGetValue($"{name}.call", out SafeTensors.Entry? asked))
                continue;                                              // it is a call itself
            long[] call = asked.As<long>().ToArray();
            Parameter weight = New([.. recorded[name].Shape.Select(size => (nint)size)]);
            MersenneTwister random = new(unchecked((int)call[0]), threadSafe: false);
            double argument = call[2] / 1000.0;
            FanMode mode = call[1] == 0 ? FanMode.FanIn : FanMode.FanOut;
            switch (name.Split('.')[0])
            {
                case "kaiming_uniform": Init.KaimingUniform(weight, random, argument, mode); break;
                case "kaiming_normal": Init.KaimingNormal(weight, random, argument, mode); break;
                case "xavier_uniform": Init.XavierUniform(weight, random, argument); break;
                case "xavier_normal": Init.XavierNormal(weight, random, argument); break;
            }
            yield return (name, weight);
        }
    }

    /// <summary>PyTorch's logarithm, sine and cosine of eight floats at once are a few units of the last place off.</summary>
    static void AssertNear(string name, Parameter weight)
    {
        float[] expected = recorded[name].As<float>().ToArray(), actual = weight.Value.AsSpan().ToArray();
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            int apart = Math.Abs(BitConverter.SingleToInt32Bits(expected[i]) - BitConverter.SingleToInt32Bits(actual[i]));
            Assert.True(apart <= 4, $"{name}[{i}] = {actual[i]}, not {expected[i]}: {apart} units apart");
        }
    }

    static Parameter New(params nint[] shape) => new(new ReLU(), "weight", shape);
}
