namespace MiniCnn;

/// <summary>Learning rates that depend on the step alone, the first being step 0: as factors of a <see cref="Trainer.Schedule"/>, or as they are.</summary>
/// <remarks>
/// <code>
/// Schedule = (step, steps) => LearningRate.OneCycle(step, steps)               // a Trainer's: from 1/25 to 1 times the optimizer's own rate, and down
///
/// optimizer.LearningRate = LearningRate.OneCycle(step, steps, peak: 0.05);     // in a loop of one's own
/// optimizer.Step();
/// </code>
/// Steps may as well be epochs. After the last step the last rate stays.
/// </remarks>
public static class LearningRate
{
    /// <summary>initial · factor^⌊step / every⌋.</summary>
    /// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A negative step, or every below 1.</exception>
    public static float Step(int step, int every, double initial = 1, double factor = 0.1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        return (float)(initial * Math.Pow(factor, step / every));
    }

    /// <summary>Rises on a line to the peak, which it has at step warmUp, and falls on half a cosine to the final rate at step steps.</summary>
    /// <remarks>
    /// <code>
    /// peak · (step + 1) / (warmUp + 1)                              step ≤ warmUp
    /// final + (peak − final) · (1 + cos(π · x)) / 2                 x = (step − warmUp) / (steps − warmUp)
    /// </code>
    /// That is PyTorch's LinearLR(start_factor = 1 / (warmUp + 1), total_iters = warmUp), then CosineAnnealingLR(T_max = steps − warmUp).
    /// Source: Loshchilov, Hutter: SGDR, 2017, as in https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A negative step, or a warm-up that is not from 0 to below steps.</exception>
    public static float Cosine(int step, int steps, double peak = 1, int warmUp = 0, double final = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(warmUp);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(steps, warmUp);
        return step < warmUp
            ? (float)(peak * (step + 1) / (warmUp + 1))
            : (float)HalfCosine(peak, final, (Math.Min(step, steps) - warmUp) / (double)(steps - warmUp));
    }

    /// <summary>Rises from peak / startDivisor to the peak and falls to a rate near 0, which it has at step steps − 1: “super-convergence”.</summary>
    /// <remarks>
    /// <code>
    /// start = peak / startDivisor, end = start / finalDivisor, top = warmUp · steps − 1
    /// from start to peak, x = step / top                            step ≤ top
    /// from peak to end, x = (step − top) / (steps − 1 − top)        then
    /// from a to b: b + (a − b) · (1 + cos(π · x)) / 2, or linear a + (b − a) · x
    /// </code>
    /// Source: Smith, Topin: Super-Convergence, 2018, as in https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html;
    /// it leaves the momentum alone (PyTorch's cycle_momentum = False).
    /// </remarks>
    /// <param name="step">From 0.</param>
    /// <param name="steps">Of the whole training.</param>
    /// <param name="peak">The largest rate.</param>
    /// <param name="warmUp">The share of the steps that it rises for.</param>
    /// <param name="startDivisor">peak / first rate.</param>
    /// <param name="finalDivisor">First rate / last rate.</param>
    /// <param name="linear">Whether it goes on lines.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative step, no steps, a warm-up that is not from 0 to below 1, or a divisor not above 0.</exception>
    public static float OneCycle(
        int step, int steps, double peak = 1, double warmUp = 0.3, double startDivisor = 25, double finalDivisor = 1e4, bool linear = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(warmUp is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(warmUp), warmUp, "the share of steps that warm up must be at least 0 and below 1");
        if (!(startDivisor > 0 && finalDivisor > 0))
            throw new ArgumentOutOfRangeException(nameof(startDivisor), $"divisors must be above 0, not {startDivisor} and {finalDivisor}");
        double start = peak / startDivisor, end = start / finalDivisor, top = warmUp * steps - 1;
        step = Math.Min(step, steps - 1);
        (double from, double to, double x) = step <= top && top > 0 ? (start, peak, step / top) : (peak, end, (step - top) / (steps - 1 - top));
        return (float)(linear ? from + (to - from) * x : HalfCosine(from, to, x));
    }

    static double HalfCosine(double from, double to, double x) => to + (from - to) * (1 + Math.Cos(Math.PI * x)) / 2;
}
