using MathNet.Numerics.Random;

namespace MiniCnn.Tests;

/// <summary>Distribution and source of initial weights.</summary>
public sealed class InitTests
{
    [Fact]
    public void The_second_of_a_pair_is_kept_for_the_next_small_tensor()
    {
        // 3, 16 and 3 numbers, or 4, 16 and 2: the same, as sixteen or more have pairs of their own.
        MersenneTwister three = new(77, threadSafe: false), four = new(77, threadSafe: false);
        (float[] a, float[] middle, float[] b) = (Normals(three, 3), Normals(three, 16), Normals(three, 3));
        Assert.Equal<float[]>([.. Normals(four, 4), .. Normals(four, 16), .. Normals(four, 2)], [.. a, b[0], .. middle, .. b[1..]]);

        static float[] Normals(Random random, int count)
        {
            Parameter weight = New(1, count);
            Init.KaimingNormal(weight, random, mode: FanMode.FanOut);         // deviation √2, whatever the length
            return weight.Value.AsSpan().ToArray();
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
            "0.bias [3]: fan-in and fan-out need a weight [out, in] or [out, in, kH, kW]; use Init.Constant for a bias or the weight of a norm",
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

    static Parameter New(params nint[] shape) => new(new ReLU(), "weight", shape);
}
