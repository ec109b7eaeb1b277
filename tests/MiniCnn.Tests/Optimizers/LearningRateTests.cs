namespace MiniCnn.Tests;

/// <summary>Learning rates after the last step and of short schedules, and errors. The case table compares the rates with TorchSharp.</summary>
public sealed class LearningRateTests
{
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
