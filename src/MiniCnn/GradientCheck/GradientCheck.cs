using System.Numerics;

namespace MiniCnn;

/// <summary>Whether a layer's Backward is the gradient of its Forward: held against difference quotients, element by element.</summary>
/// <remarks>
/// x and dy are random, and trainable parameters are moved a little from their values, so that a one or a zero hides nothing. The function
/// differentiated is f = Σ y·dy; a dropout's mask stays the same throughout. Layers of this library are run in double; a
/// <see cref="CustomLayer"/>, or a model with one in it, in float. Of a tensor with more than <see cref="MostElements"/> elements so many
/// are checked, drawn at random. Each costs six forward passes or more, so give it small images and a small batch: unequal sizes and a
/// batch of three show the most.
/// <code>error = max |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³·max|numeric|),  at most 10⁻⁷ in double, 2·10⁻³ in float</code>
/// where a difference that rounding alone explains counts as none. An element at a kink, such as ReLU's at 0, has no derivative and is
/// skipped; more than 5 % of these in a tensor fail the check. Afterwards the layer is as it was, but for what an earlier Forward kept.
/// </remarks>
public static class GradientCheck
{
    /// <summary>Elements of one tensor that are checked at most.</summary>
    public const int MostElements = 2000;

    /// <summary>Checks, and throws where a gradient is wrong.</summary>
    /// <param name="layer">A layer, or a whole model.</param>
    /// <param name="inputShape">[N, C, H, W], or [N, features].</param>
    /// <param name="seed">Seed of all random numbers.</param>
    /// <param name="training">The form that is checked: false for the one in evaluation, with running statistics as constants.</param>
    /// <exception cref="InvalidOperationException">A gradient is wrong; the message is the report.</exception>
    /// <exception cref="ArgumentException">The layer cannot take such an input.</exception>
    public static void Verify(Layer layer, ReadOnlySpan<int> inputShape, int seed = 0, bool training = true)
    {
        GradientReport report = Run(layer, inputShape, seed, training);
        if (!report.Passed)
            throw new InvalidOperationException(report.ToString());
    }

    /// <summary>Checks, and says what came out: its ToString is to be read.</summary>
    /// <param name="layer">A layer, or a whole model.</param>
    /// <param name="inputShape">[N, C, H, W], or [N, features].</param>
    /// <param name="seed">Seed of all random numbers.</param>
    /// <param name="training">The form that is checked: false for the one in evaluation, with running statistics as constants.</param>
    /// <exception cref="ArgumentException">The layer cannot take such an input.</exception>
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
            report.Add("y holds NaN or infinity");
        else if (!y.AsSpan().SequenceEqual(run.Forward()))
            report.Add("Forward gives another y for the same x, so there is nothing to differentiate");
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
