using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

/// <summary>A loss by its definition, in double: losses and gradient before the reduction, each with a bound on the rounding error of a float result.</summary>
sealed class LossDefinition(int count, int length)
{
    public readonly double[] Losses = new double[count], LossBounds = new double[count];
    public readonly double[] Gradient = new double[length], GradientBounds = new double[length];

    /// <summary>Divisor of the mean.</summary>
    public required double Total { get; init; }

    /// <summary>Compares float results with the definition. Without a reduction, the gradient is that of Σ dlosses · losses.</summary>
    public void AssertHolds(string what, Reduction? reduction, float[] dlosses, float[] loss, float[] gradient)
    {
        double total = reduction is Reduction.Mean ? Total : 1;
        if (reduction is null)
            AssertNear("loss", Losses, LossBounds, loss);
        else
            AssertNear("loss", [Losses.Sum() / total], [LossBounds.Sum() / total], loss);
        double[] factors = [.. Gradient.Select((_, i) => reduction is null ? dlosses[i * count / length] : total > 0 ? 1 / total : 0)];
        AssertNear(
            "gradient", [.. Gradient.Zip(factors, (g, f) => g * f)], [.. GradientBounds.Zip(factors, (bound, f) => bound * Math.Abs(f))], gradient);

        void AssertNear(string name, double[] expected, double[] bounds, float[] actual)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < actual.Length; i++)
            {
                bool holds = double.IsNaN(expected[i]) ? float.IsNaN(actual[i]) : Math.Abs(actual[i] - expected[i]) <= bounds[i];
                Assert.True(holds, $"{what}: {name}[{i}] is {actual[i]}, not {expected[i]} ± {bounds[i]}");
            }
        }
    }

    /// <summary>log(1 + x). double.LogP1 rounds 1 + x.</summary>
    public static double LogP1(double x) => x < 1e-5 ? x - x * x / 2 : Math.Log(1 + x);

    // What exp and log add is below 4ε of their result (measured 2.5ε and 3.5ε), of every other operation ε; 1 ± ε to the k is taken as 1 ± kε.
    // S is the spread of a sample's logits, C the number of classes. z − m is off by Sε at most, so exp by (S + 4)ε of itself, their sum without the
    // largest by (S + 4 + C)ε, and by no more than that and 8ε log(1 + sum), so −log softmax too, of which both parts are positive: (S + C + 12)ε.
    // A share is off by (2S + 9 + C)ε, 1 less it by twice that. Weights, targets and their products are six roundings more, Σ q and Σ losses C each.
    // With targets of several classes Σ q − q is a difference, off by Cε of Σ q.
    public static LossDefinition CrossEntropy(float[] logits, int[] labels, float[] weights, int ignored, double s)
    {
        double[] targets = new double[logits.Length];
        int classes = logits.Length / labels.Length;
        for (int n = 0; n < labels.Length; n++)
            for (int c = 0; c < classes && labels[n] != ignored; c++)
                targets[n * classes + c] = (c == labels[n] ? 1 - s : 0) + s / classes;
        double total = labels.Sum(label => label == ignored ? 0 : weights.Length > 0 ? weights[label] : 1.0);
        return CrossEntropy(logits, targets, weights, s > 0, total, labels.Length);
    }

    public static LossDefinition CrossEntropy(float[] logits, float[] targets, int n, float[] weights, double s) =>
        CrossEntropy(logits, [.. targets.Select(t => (1 - s) * t + s * n / logits.Length)], weights, true, n, n);

    static LossDefinition CrossEntropy(float[] logits, double[] targets, float[] weights, bool soft, double total, int count)
    {
        int classes = logits.Length / count;
        LossDefinition d = new(count, logits.Length) { Total = total };
        for (int n = 0; n < count; n++)
        {
            double[] z = [.. logits[(n * classes)..((n + 1) * classes)].Select(v => (double)v)];
            double[] q = [.. targets[(n * classes)..((n + 1) * classes)].Select((t, c) => t * (weights.Length > 0 ? weights[c] : 1))];
            double spread = z.Max() - z.Min(), log = Math.Log(z.Sum(v => Math.Exp(v - z.Max()))) + z.Max(), sum = q.Sum();
            for (int c = 0; c < classes; c++)
            {
                double share = Math.Exp(z[c] - log), others = z.Where((_, k) => k != c).Sum(v => Math.Exp(v - log));
                d.Losses[n] += q[c] * (log - z[c]);
                d.LossBounds[n] += (spread + 3 * classes + 18) * Epsilon * q[c] * (log - z[c]);
                (int i, double rest) = (n * classes + c, q.Where((_, k) => k != c).Sum());
                d.Gradient[i] = share * rest - q[c] * others;
                d.GradientBounds[i] = Epsilon * ((4 * spread + 2 * classes + 24) * (share * rest + q[c] * others) + (soft ? 2 * classes * share * sum : 0));
            }
        }
        return d;
    }

    // e = exp(−|x|) is off by 3ε of itself, log(1 + e) by 12ε (its three steps and what 1 + e rounds, which the quotient takes back), a softplus by
    // one more, the products and the sum, of which no term is negative, by four: 20ε with the mean. A slope's two terms have 12 roundings.
    public static LossDefinition BinaryCrossEntropy(float[] logits, float[] targets, float[] weights)
    {
        LossDefinition d = new(logits.Length, logits.Length) { Total = logits.Length };
        for (int i = 0; i < logits.Length; i++)
        {
            double x = logits[i], t = targets[i], p = weights.Length == 0 ? 1 : weights[i % weights.Length], sigmoid = 1 / (1 + Math.Exp(-x));
            double log = LogP1(Math.Exp(-Math.Abs(x))), no = (1 - t) * sigmoid, yes = p * t / (1 + Math.Exp(x));
            d.Losses[i] = p * t * (Math.Max(-x, 0) + log) + (1 - t) * (Math.Max(x, 0) + log);
            d.LossBounds[i] = 20 * Epsilon * d.Losses[i];
            (d.Gradient[i], d.GradientBounds[i]) = (no - yes, 12 * Epsilon * (no + yes));
        }
        return d;
    }

    public static LossDefinition BinaryCrossEntropy(float[] logits, int[] labels)
    {
        LossDefinition all = BinaryCrossEntropy(logits, [.. labels.Select(label => label == 1 ? 1f : 0)], []);
        LossDefinition d = new(logits.Length, logits.Length) { Total = labels.Count(label => label != -100) };
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] != -100)
                (d.Losses[i], d.LossBounds[i], d.Gradient[i], d.GradientBounds[i]) = (all.Losses[i], all.LossBounds[i], all.Gradient[i], all.GradientBounds[i]);
        }
        return d;
    }

    // A share and its rest are off by 5ε of themselves (exp 3ε, a sum, a quotient); sums are in double, so I by 5ε, U by 5ε, I/U by 10ε, and a loss is
    // rounded once. A slope's two terms, I/U and 2t, are off by 10ε, over U by 15ε, times a share and its rest by 25ε, and rounded.
    public static LossDefinition Dice(float[] logits, int[] labels, float[] targets, int count, double smooth)
    {
        int plane = logits.Length / count;
        LossDefinition d = new(count, logits.Length) { Total = labels.Chunk(plane).Count(image => image.Any(label => label != -100)) };
        for (int n = 0; n < count; n++)
        {
            int[] known = [.. Enumerable.Range(n * plane, plane).Where(i => labels[i] != -100)];
            double both = 2 * known.Sum(i => Share(i) * targets[i]) + smooth, all = known.Sum(i => Share(i) + targets[i]) + smooth;
            if (known is [])
                continue;
            (d.Losses[n], d.LossBounds[n]) = (1 - both / all, (11 * both / all + 1) * Epsilon);
            foreach (int i in known)
            {
                double slope = Share(i) / (1 + Math.Exp(logits[i])) / all;
                (d.Gradient[i], d.GradientBounds[i]) = ((both / all - 2 * targets[i]) * slope, 27 * Epsilon * (both / all + 2 * targets[i]) * slope);
            }
        }
        return d;

        double Share(int i) => 1 / (1 + Math.Exp(-logits[i]));
    }

    // The difference is rounded once, and twice in its square; then the square and the mean: 5ε. A slope has three roundings.
    public static LossDefinition SquaredError(float[] outputs, float[] targets)
    {
        LossDefinition d = new(outputs.Length, outputs.Length) { Total = outputs.Length };
        for (int i = 0; i < outputs.Length; i++)
        {
            double difference = (double)outputs[i] - targets[i];
            (d.Losses[i], d.LossBounds[i]) = (difference * difference, 5 * Epsilon * difference * difference);
            (d.Gradient[i], d.GradientBounds[i]) = (2 * difference, 3 * Epsilon * Math.Abs(2 * difference));
        }
        return d;
    }
}
