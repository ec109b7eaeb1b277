namespace MiniCnn.Tests;

/// <summary>Schedules, held against PyTorch 1.13.1 (tests/record_optimizers.py).</summary>
public sealed class LearningRateTests
{
    [Fact]
    [Checks("optimizers", @"schedule\.step(_\w+)?", typeof(LearningRate), Member = nameof(LearningRate.Step))]
    [Checks("optimizers", @"schedule\.cosine(_\w+)?", typeof(LearningRate), Member = nameof(LearningRate.Cosine))]
    [Checks("optimizers", @"schedule\.one_cycle(_\w+)?", typeof(LearningRate), Member = nameof(LearningRate.OneCycle))]
    public void Schedules_are_PyTorchs()
    {
        AssertRates("step", step => LearningRate.Step(step, 10, 0.05));
        AssertRates("step_numbers", step => LearningRate.Step(step, 3, 0.05, 0.7));
        AssertRates("cosine", step => LearningRate.Cosine(step, 30, 0.05));
        AssertRates("cosine_warm_up", step => LearningRate.Cosine(step, 40, 0.05, warmUp: 7, final: 0.002));
        AssertRates("one_cycle", step => LearningRate.OneCycle(step, 100, 0.05));
        AssertRates("one_cycle_linear", step => LearningRate.OneCycle(step, 33, 0.05, linear: true));
        AssertRates("one_cycle_numbers", step => LearningRate.OneCycle(step, 17, 0.2, 0.45, 5, 20));
        AssertRates("one_cycle_no_warm_up", step => LearningRate.OneCycle(step, 9, 0.05, 0));
    }

    /// <summary>
    /// Both compute in double, where roundings and cancellation are far below a float's, and round once: to the same float or its neighbour.
    /// </summary>
    static void AssertRates(string name, Func<int, float> rate)
    {
        float[] rates = SafeTensors.Read(Path.Combine(AppContext.BaseDirectory, "recorded", "optimizers.safetensors"))
            .Tensors[$"schedule.{name}"].As<float>().ToArray();
        for (int step = 0; step < rates.Length; step++)
        {
            float ours = rate(step);
            Assert.True(
                ours >= MathF.BitDecrement(rates[step]) && ours <= MathF.BitIncrement(rates[step]), $"{name} at {step}: {ours}, not {rates[step]}");
        }
    }

    [Fact]
    public void After_the_last_step_the_last_rate_stays()
    {
        Assert.Equal(0.25f, LearningRate.Cosine(11, 10, 1, final: 0.25));
        Assert.Equal(LearningRate.OneCycle(9, 10, 1), LearningRate.OneCycle(10, 10, 1));
        Assert.Equal(4e-6f, LearningRate.OneCycle(1000, 10, 1));
    }

    [Fact]
    public void A_cycle_as_short_as_can_be_has_a_rate()
    {
        for (int steps = 1; steps < 12; steps++)
        {
            foreach (double warmUp in (double[])[0, 0.1, 0.25, 0.5, 0.99])
            {
                for (int step = 0; step < steps; step++)
                    Assert.InRange(LearningRate.OneCycle(step, steps, 1, warmUp), 3.9e-6f, 1);
            }
        }
        Assert.Equal(1, LearningRate.Cosine(0, 1, 1));
    }

    [Fact]
    public void Numbers_that_make_no_sense_are_refused()
    {
        Action[] calls =
        [
            () => LearningRate.Step(-1, 1, 1), () => LearningRate.Step(0, 0, 1),
            () => LearningRate.Cosine(-1, 1, 1), () => LearningRate.Cosine(0, 0, 1), () => LearningRate.Cosine(0, 5, 1, warmUp: 5),
            () => LearningRate.Cosine(0, 5, 1, warmUp: -1),
            () => LearningRate.OneCycle(-1, 1, 1), () => LearningRate.OneCycle(0, 0, 1), () => LearningRate.OneCycle(0, 1, 1, warmUp: -0.1),
            () => LearningRate.OneCycle(0, 1, 1, warmUp: 1), () => LearningRate.OneCycle(0, 1, 1, warmUp: double.NaN),
            () => LearningRate.OneCycle(0, 1, 1, startDivisor: 0), () => LearningRate.OneCycle(0, 1, 1, finalDivisor: 0),
        ];
        Assert.All(calls, call => Assert.Throws<ArgumentOutOfRangeException>(call));
    }
}
