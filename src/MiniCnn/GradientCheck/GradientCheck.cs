using System.Numerics;

namespace MiniCnn;

/// <summary>Checks that Backward of a layer computes the gradient of its Forward, by comparison with difference quotients for each element.</summary>
/// <remarks>
/// x and dy are random. Small random numbers are added to the trainable parameters, so that initial values of 0 or 1 cannot hide an error. The function that is
/// differentiated is f = Σ y·dy. The mask of a dropout stays the same during the check. Layers of this library run in double. A <see cref="CustomLayer"/>, or a
/// model that contains one, runs in float. In a tensor with more than <see cref="MostElements"/> elements, this number of elements is checked, drawn at random.
/// Each element needs six or more forward passes, so use small images and a small batch. Unequal sizes and a batch of three find the most errors.
/// <code>error = max |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³·max|numeric|),  at most 10⁻⁷ in double, 2·10⁻³ in float</code>
/// A difference within the bound of the rounding error passes. An element at a kink, such as that of ReLU at 0, has no derivative and is skipped; the check
/// fails if more than 5 % of the elements of a tensor are at kinks. The check restores the state of the layer, except that a Backward for an earlier Forward is
/// no longer possible.
/// </remarks>
public static class GradientCheck
{
    /// <summary>Maximum number of elements of one tensor that are checked.</summary>
    public const int MostElements = 2000;

    /// <summary>Checks the gradients of a layer, and throws if one is wrong.</summary>
    /// <param name="layer">A layer, or a whole model.</param>
    /// <param name="inputShape">Shape of the input, [N, C, H, W] or [N, features].</param>
    /// <param name="seed">Seed of all random numbers. The default is 0.</param>
    /// <param name="training">
    /// Whether to check training mode (the default) or evaluation mode, in which running statistics are constants.
    /// </param>
    /// <exception cref="InvalidOperationException">A gradient is wrong; the message is the report.</exception>
    /// <exception cref="ArgumentException">The layer does not accept this input shape.</exception>
    public static void Verify(Layer layer, ReadOnlySpan<int> inputShape, int seed = 0, bool training = true)
    {
        GradientReport report = Run(layer, inputShape, seed, training);
        if (!report.Passed)
            throw new InvalidOperationException(report.ToString());
    }

    /// <summary>Checks the gradients of a layer, and returns a report.</summary>
    /// <param name="layer">A layer, or a whole model.</param>
    /// <param name="inputShape">Shape of the input, [N, C, H, W] or [N, features].</param>
    /// <param name="seed">Seed of all random numbers. The default is 0.</param>
    /// <param name="training">
    /// Whether to check training mode (the default) or evaluation mode, in which running statistics are constants.
    /// </param>
    /// <returns>The report. Use its ToString to print it.</returns>
    /// <exception cref="ArgumentException">The layer does not accept this input shape.</exception>
    public static GradientReport Run(Layer layer, ReadOnlySpan<int> inputShape, int seed = 0, bool training = true)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.RunsInDouble
            ? Run<double>(layer, inputShape, seed, training, Precision.Double)
            : Run<float>(layer, inputShape, seed, training, Precision.Float);
    }

    static GradientReport Run<T>(Layer layer, ReadOnlySpan<int> inputShape, int seed, bool training, Precision precision)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using CheckedLayer<T> run = new(layer, inputShape, seed, training);
        string form = training ? "" : "in evaluation, ";
        GradientReport report = new($"{layer.Description}, {form}input [{string.Join(", ", inputShape.ToArray())}], in {precision.Name}");
        T[] y = run.Forward();
        if (!y.All(T.IsFinite))
            report.Add("y contains NaN or infinity");
        else if (!y.AsSpan().SequenceEqual(run.Forward()))
            report.Add("Forward returns different outputs for the same input, so it has no derivative");
        if (!report.Passed)
            return report;

        T[][] analytic = run.Gradients(before: null);
        T[][] before = run.RandomGradients(analytic), after = run.Gradients(before);
        DifferenceQuotient<T> quotient = new(run, precision);
        for (int tensor = 0; tensor < run.Tensors; tensor++)
        {
            int length = analytic[tensor].Length;
            int[] places = length <= MostElements
                ? [.. Enumerable.Range(0, length)]
                : [.. Permutation.Random(length, seed).Take(MostElements).Order()];
            TensorReport comparison = new(
                run.Name(tensor), run.Owner(tensor), run.Shape(tensor), Array.ConvertAll(analytic[tensor], double.CreateTruncating),
                places, Array.ConvertAll(places, i => quotient.Of(tensor, i)), precision.Tolerance);
            if (!(comparison.Error <= precision.Tolerance))
                comparison.Add(Diagnosis.Of(comparison, run, tensor));
            if (tensor > 0 && Diagnosis.OfAccumulation(before[tensor], analytic[tensor], after[tensor]) is { } finding)
                comparison.Add(finding);
            report.Add(comparison);
        }
        return report;
    }
}
