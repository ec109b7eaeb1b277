namespace MiniCnn;

/// <summary>
/// Learning rate schedules: functions of the step, which is counted from 0. Use the result as a factor in <see cref="Trainer.Schedule"/>, or as the
/// learning rate.
/// </summary>
/// <remarks>
/// <code>
/// Schedule = (step, steps) => LearningRate.OneCycle(step, steps)               // in a Trainer: a factor that rises from 1/25 to 1 and then falls
///
/// optimizer.LearningRate = LearningRate.OneCycle(step, steps, peak: 0.05);     // in your own training loop
/// optimizer.Step();
/// </code>
/// The step can also be an epoch. After the last step, Cosine and OneCycle stay at the final rate.
/// </remarks>
public static class LearningRate
{
    /// <summary>Multiplies the rate by a factor at regular intervals: initial · factor^⌊step / every⌋.</summary>
    /// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html.</remarks>
    /// <param name="step">Index of the step, from 0.</param>
    /// <param name="every">Number of steps from one reduction to the next, PyTorch's step_size.</param>
    /// <param name="initial">Rate of the first step.</param>
    /// <param name="factor">Factor at each reduction, PyTorch's gamma.</param>
    /// <returns>The rate of the step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">step is negative, or every is below 1.</exception>
    public static float Step(int step, int every, double initial = 1, double factor = 0.1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        return (float)(initial * Math.Pow(factor, step / every));
    }

    /// <summary>Linear warm-up to the peak at step warmUp, then cosine annealing to the final rate at step steps.</summary>
    /// <remarks>
    /// <code>
    /// peak · (step + 1) / (warmUp + 1)                              step ≤ warmUp
    /// final + (peak − final) · (1 + cos(π · x)) / 2                 x = (step − warmUp) / (steps − warmUp)
    /// </code>
    /// Corresponds to PyTorch's LinearLR(start_factor = 1 / (warmUp + 1), total_iters = warmUp), then CosineAnnealingLR(T_max = steps − warmUp).
    /// Source: Loshchilov, Hutter: SGDR, 2017, as in https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html.
    /// </remarks>
    /// <param name="step">Index of the step, from 0.</param>
    /// <param name="steps">Number of steps of the whole training.</param>
    /// <param name="peak">Maximum rate.</param>
    /// <param name="warmUp">Number of warm-up steps, from 0 to below steps.</param>
    /// <param name="final">Rate at step steps and later.</param>
    /// <returns>The rate of the step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">step is negative, or warmUp is not from 0 to below steps.</exception>
    public static float Cosine(int step, int steps, double peak = 1, int warmUp = 0, double final = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfNegative(warmUp);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(steps, warmUp);
        return step < warmUp
            ? (float)(peak * (step + 1) / (warmUp + 1))
            : (float)HalfCosine(peak, final, (Math.Min(step, steps) - warmUp) / (double)(steps - warmUp));
    }

    /// <summary>
    /// One-cycle schedule (“super-convergence”): rises from peak / startDivisor to the peak, then falls to peak / startDivisor / finalDivisor at step
    /// steps − 1.
    /// </summary>
    /// <remarks>
    /// <code>
    /// start = peak / startDivisor, end = start / finalDivisor, top = warmUp · steps − 1
    /// a = start, b = peak, x = step / top                           if step ≤ top
    /// a = peak, b = end, x = (step − top) / (steps − 1 − top)       otherwise
    /// rate = b + (a − b) · (1 + cos(π · x)) / 2, or if linear: a + (b − a) · x
    /// </code>
    /// Source: Smith, Topin: Super-Convergence, 2018, as in https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html;
    /// the momentum does not change (PyTorch's cycle_momentum = False).
    /// </remarks>
    /// <param name="step">Index of the step, from 0.</param>
    /// <param name="steps">Number of steps of the whole training.</param>
    /// <param name="peak">Maximum rate.</param>
    /// <param name="warmUp">Fraction of the steps in which the rate rises, from 0 to below 1.</param>
    /// <param name="startDivisor">Peak divided by the first rate, above 0.</param>
    /// <param name="finalDivisor">First rate divided by the last rate, above 0.</param>
    /// <param name="linear">Whether the rate changes linearly. The default is a cosine curve.</param>
    /// <returns>The rate of the step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// step is negative, steps is below 1, warmUp is not from 0 to below 1, or a divisor is not above 0.
    /// </exception>
    public static float OneCycle(
        int step, int steps, double peak = 1, double warmUp = 0.3, double startDivisor = 25, double finalDivisor = 1e4, bool linear = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (!(warmUp is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(warmUp), warmUp, "the warm-up fraction of the steps must be at least 0 and below 1");
        if (!(startDivisor > 0 && finalDivisor > 0))
            throw new ArgumentOutOfRangeException(nameof(startDivisor), $"divisors must be above 0, not {startDivisor} and {finalDivisor}");
        double start = peak / startDivisor, end = start / finalDivisor, top = warmUp * steps - 1;
        step = Math.Min(step, steps - 1);
        (double from, double to, double x) = step <= top && top > 0 ? (start, peak, step / top) : (peak, end, (step - top) / (steps - 1 - top));
        return (float)(linear ? from + (to - from) * x : HalfCosine(from, to, x));
    }

    static double HalfCosine(double from, double to, double x) => to + (from - to) * (1 + Math.Cos(Math.PI * x)) / 2;
}
