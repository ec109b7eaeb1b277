using System.Numerics.Tensors;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>The losses against their formulas in double and difference quotients, and what is refused.</summary>
[Collection("Workers")]                                               // one test turns Workers.Count
public sealed class LossTests
{
    const double Epsilon = 1.0 / (1 << 24);

    [Fact]
    public void Each_loss_of_the_table_is_its_definition()
    {
        foreach (LossCase c in CaseTable.All.OfType<LossCase>())
        {
            Numbers inputs = c.Inputs(), results = c.Float(inputs);
            float[] weights = inputs.ContainsKey("weight") ? inputs.Floats("weight") : [];
            Definition expected = c switch
            {
                CrossEntropyCase ce => CrossEntropy(inputs.Floats("logits"), ce.Labels, ce.Weighted ? weights : null, ce.IgnoreIndex, ce.Smoothing),
                BceCase => BinaryCrossEntropy(inputs.Floats("outputs"), inputs.Floats("targets"), weights),
                _ => SquaredError(inputs.Floats("outputs"), inputs.Floats("targets")),
            };
            expected.AssertHolds($"{c}", results.Floats("loss")[0], Tensor.Create(results.Floats("gradient")));
        }
    }

    [Theory]
    [InlineData(2, false, 0.0)]
    [InlineData(7, true, 0.0)]
    [InlineData(4, false, 0.1)]
    [InlineData(5, true, 0.3)]
    [InlineData(3, true, 1.0)]
    public void Cross_entropys_gradient_is_the_difference_quotient_in_double(int classes, bool weighted, double smoothing)
    {
        const int Count = 6;
        Random random = new(classes);
        ImageShape features = ImageShape.Features(classes), one = ImageShape.Features(1);
        LaneTensor<double> z = new LaneTensor<double>(1, features).Resize(Count), labels = new LaneTensor<double>(1, one).Resize(Count);
        LaneTensor<double> losses = new LaneTensor<double>(1, one).Resize(Count), dz = new LaneTensor<double>(1, features).Resize(Count);
        double[] w = [.. Enumerable.Range(0, classes).Select(_ => weighted ? random.NextDouble() + 0.1 : 1)];
        LaneTensor<double>? weights = weighted ? new LaneTensor<double>(1, features).Resize(1) : null;
        weights?.Pack(w);
        double[] logits = [.. Enumerable.Range(0, Count * classes).Select(_ => random.NextDouble() * 6 - 3)], gradient = new double[logits.Length];
        double[] label = [.. Enumerable.Range(0, Count).Select(n => n == 2 ? -1.0 : random.Next(classes))];
        double total = label.Sum(y => y < 0 ? 0 : w[(int)y]);
        labels.Pack(label);
        z.Pack(logits);
        CrossEntropyLoss.Gradient<double, Scalar<double>>(z, labels, dz, weights, smoothing, total);
        dz.Unpack(gradient);
        AssertIsSlope(logits, gradient, moved =>
        {
            double[] each = new double[Count];
            z.Pack(moved);
            CrossEntropyLoss.Losses<double, Scalar<double>>(z, labels, losses, weights, smoothing);
            losses.Unpack(each);
            return each.Sum() / total;
        });
        Assert.All(gradient[(2 * classes)..(3 * classes)], g => Assert.Equal(0, g));
    }

    [Fact]
    public unsafe void The_other_gradients_are_the_difference_quotients_in_double()
    {
        Random random = new(5);
        double[] x = [.. Enumerable.Range(0, 30).Select(_ => random.NextDouble() * 10 - 5)], targets = [.. x.Select(_ => random.NextDouble())];
        double[] weights = [.. x.Select(_ => random.NextDouble() * 3)], losses = new double[x.Length], gradient = new double[x.Length];
        fixed (double* w = weights)
        {
            Verify(new BceWithLogitsLoss.Logistic<double>(w));
            Verify(new BceWithLogitsLoss.Logistic<double>(null));
        }
        Verify(new MseLoss.Square<double>());

        void Verify<F>(F formula) where F : struct, IElementLoss<double>
        {
            Mean(x);
            AssertIsSlope(x, [.. gradient], Mean);

            double Mean(double[] at)
            {
                fixed (double* px = at, pt = targets, pl = losses, pg = gradient)
                    ElementMean.Run<double, Scalar<double>, F>(formula, px, pt, pl, pg, 0, at.Length, at.Length);
                return losses.Average();
            }
        }
    }

    [Fact]
    public void Every_vector_width_and_tail_has_every_element_and_no_other()
    {
        Verify<Scalar<float>>();
        Verify<Lanes4<float>>();
        Verify<Lanes8<float>>();
        Verify<Lanes16<float>>();

        static unsafe void Verify<V>() where V : struct, ILanes<V, float>
        {
            Random random = new(V.Count);
            for (int length = 1; length < 36; length++)
            {
                float[] x = random.Reals(length), targets = [.. random.Reals(length).Select(MathF.Abs)], weights = [.. random.Reals(length).Select(MathF.Abs)];
                float[] losses = new float[length + 1], gradient = new float[length + 1];
                losses[length] = gradient[length] = 42;
                fixed (float* px = x, pt = targets, pw = weights, pl = losses, pg = gradient)
                    ElementMean.Run<float, V, BceWithLogitsLoss.Logistic<float>>(new(pw), px, pt, pl, pg, 0, length, length);
                Assert.Equal((42, 42), (losses[length], gradient[length]));
                BinaryCrossEntropy(x, targets, weights).AssertHolds(
                    $"{V.Count} lanes, {length} elements", losses[..length].Average(), Tensor.Create(gradient[..length], [length]));
            }
        }
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits_and_a_warm_forward_takes_no_memory()
    {
        Random random = new(6);
        Tensor<float> x = Tensor.Create(random.Reals(100_003 * 2), [100_003, 2]);
        Tensor<float> targets = Tensor.Create([.. random.Reals(200_006).Select(MathF.Abs)], x.Lengths);
        int[] labels = [.. Enumerable.Range(0, 100_003).Select(_ => random.Next(2) == 0 ? -100 : random.Next(2))];
        CrossEntropyLoss crossEntropy = new([1, 3], labelSmoothing: 0.1f);
        BceWithLogitsLoss bce = new(2, 0.5f);
        MseLoss mse = new();
        int before = Workers.Count;
        try
        {
            Workers.Count = 1;
            (float[] Values, float[][] Gradients) one = Run();
            Assert.Equal(0, Allocated.Bytes(() =>
            {
                mse.Forward(x, targets);
                bce.Forward(x, targets);
                crossEntropy.Forward(x, labels);
            }));
            SquaredError([.. x.AsSpan()], [.. targets.AsSpan()]).AssertHolds("many pieces", one.Values[2], Tensor.Create(one.Gradients[2], x.Lengths));
            foreach (int threads in (int[])[2, 3, 5])
            {
                Workers.Count = threads;
                (float[] Values, float[][] Gradients) more = Run();
                Assert.Equal(one.Values, more.Values);
                for (int i = 0; i < one.Gradients.Length; i++)
                    Assert.True(one.Gradients[i].AsSpan().SequenceEqual(more.Gradients[i]), $"gradient {i} with {threads} threads");
            }
        }
        finally
        {
            Workers.Count = before;
        }

        (float[] Values, float[][] Gradients) Run() => (
            [crossEntropy.Forward(x, labels), bce.Forward(x, targets), mse.Forward(x, targets)],
            [crossEntropy.Backward().AsSpan().ToArray(), bce.Backward().AsSpan().ToArray(), mse.Backward().AsSpan().ToArray()]);
    }

    [Fact]
    public void A_smaller_batch_after_a_larger_one_of_another_shape_has_its_own_loss_and_shape()
    {
        BceWithLogitsLoss bce = new(1, 2, 3);
        MseLoss mse = new();
        bce.Forward(Tensor.CreateFromShape<float>([4, 3]), Tensor.CreateFromShape<float>([4, 3]));
        mse.Forward(Tensor.CreateFromShape<float>([4, 3]), Tensor.CreateFromShape<float>([4, 3]));
        Assert.Equal(2 * MathF.Log(2), bce.Forward(Tensor.CreateFromShape<float>([1, 3]), Tensor.Create([1f, 1, 1], [1, 3])), 1e-6f);
        Assert.Equal(4, mse.Forward(Tensor.CreateFromShape<float>([2]), Tensor.Create([2f, -2], [2])));
        Assert.Equal([1, 3], bce.Backward().Lengths.ToArray());
        Tensor<float> gradient = mse.Backward();
        Assert.Equal([2], gradient.Lengths.ToArray());
        Assert.Equal([-2, 2], gradient.AsSpan().ToArray());
        Assert.Equal(float.NaN, mse.Forward(Tensor.CreateFromShape<float>([0, 3]), Tensor.CreateFromShape<float>([0, 3])));
        Assert.Equal([0, 3], mse.Backward().Lengths.ToArray());
    }

    [Fact]
    public void Logits_far_out_neither_overflow_nor_lose_a_small_loss()
    {
        AssertLoss(1000, 0, 1000, 1);
        AssertLoss(-1000, 1, 1000, -1);
        AssertLoss(1000, 1, 0, 0);
        AssertLoss(-1000, 0, 0, 0);
        AssertLoss(20, 1, Math.Exp(-20), -Math.Exp(-20));
        AssertLoss(-20, 0, Math.Exp(-20), Math.Exp(-20));
        AssertLoss(float.NaN, 0, double.NaN, double.NaN);

        static void AssertLoss(float logit, float target, double value, double gradient)
        {
            // Sixteen of them, so that vectors see them; the terms left out of e⁻²⁰ are a share e⁻²⁰.
            BceWithLogitsLoss loss = new();
            float[] logits = [.. Enumerable.Repeat(logit, 16)], targets = [.. Enumerable.Repeat(target, 16)];
            float ours = loss.Forward(Tensor.Create(logits, [16]), Tensor.Create(targets, [16]));
            float slope = loss.Backward().AsSpan()[15] * 16;
            Assert.True(ours.Equals((float)value) || Math.Abs(ours - value) <= 20 * Epsilon * value, $"the loss of {logit} is {ours}, not {value}");
            Assert.True(slope.Equals((float)gradient) || Math.Abs(slope - gradient) <= 20 * Epsilon * Math.Abs(gradient), $"{logit}: {slope}, not {gradient}");
        }
    }

    [Fact]
    public void An_ignored_sample_is_left_out_even_where_its_logits_are_not_numbers()
    {
        CrossEntropyLoss loss = new(labelSmoothing: 0.1f);
        float alone = loss.Forward(Tensor.Create([1f, 2, 3], [1, 3]), [1]);
        float[] gradient = loss.Backward().AsSpan().ToArray();
        Assert.Equal(alone, loss.Forward(Tensor.Create([float.NaN, 0, float.PositiveInfinity, 1, 2, 3], [2, 3]), [-100, 1]));
        Assert.Equal([0, 0, 0, .. gradient], loss.Backward().AsSpan().ToArray());
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Tensor<float> two = Tensor.CreateFromShape<float>([2]), column = Tensor.CreateFromShape<float>([2, 1]), wide = Tensor.CreateFromShape<float>([2, 3]);
        Is("MseLoss: the targets must have the shape of the model's output, [2, 1], not [2]; nothing is broadcast", () => new MseLoss().Forward(column, two));
        Is("BceWithLogitsLoss: the targets must have the shape of the model's output, [2], not [2, 1]; nothing is broadcast",
            () => new BceWithLogitsLoss().Forward(two, column));
        Is("BceWithLogitsLoss: 2 positive weights need a last axis of 2, not [2, 3]", () => new BceWithLogitsLoss(1, 2).Forward(wide, wide));
        Is("BceWithLogitsLoss: a positive weight must be finite and at least 0, not -0.5", () => new BceWithLogitsLoss(1, -0.5f));
        Is("cross-entropy was given weights for 2 classes, but the logits are of 3", () => new CrossEntropyLoss([1, 2]).Forward(wide, [0, 1]));
        Is("the weight of class 1 is NaN; weights must be finite and at least 0", () => new CrossEntropyLoss([1, float.NaN]));
        Is("label smoothing is a share from 0 to 1, not 1.5", () => new CrossEntropyLoss(labelSmoothing: 1.5f));
        Is("label 1 is -100, but there are 3 classes, 0 to 2", () => new CrossEntropyLoss(ignoreIndex: -1).Forward(wide, [-1, -100]));
        Assert.Throws<ArgumentNullException>(() => new MseLoss().Forward(two, null!));

        MseLoss mse = new();
        Assert.Throws<InvalidOperationException>(mse.Backward);
        mse.Forward(two, two);
        mse.Backward();
        Assert.Throws<InvalidOperationException>(mse.Backward);
        mse.Forward(two, two);
        Assert.Throws<ArgumentException>(() => mse.Forward(two, column));
        Assert.Contains("MseLoss: Backward needs a Forward", Assert.Throws<InvalidOperationException>(mse.Backward).Message, StringComparison.Ordinal);

        static void Is(string message, Func<object> call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }

    /// <summary>Fourth order: its error at a step of 1e-3 is below 1e-11 for slopes that change as slowly as these.</summary>
    static void AssertIsSlope(double[] x, double[] gradient, Func<double[], double> loss)
    {
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal((8 * (At(1e-3) - At(-1e-3)) - (At(2e-3) - At(-2e-3))) / 12e-3, gradient[i], 1e-10);

            double At(double step)
            {
                double[] moved = [.. x];
                moved[i] += step;
                return loss(moved);
            }
        }
    }

    // What exp and log add is below 3ε of their result (measured 2.4ε), of every other operation ε; 1 ± ε to the k is taken as 1 ± kε.
    // S is the spread of a sample's logits, C the number of classes. z − m is off by Sε at most, so exp by (S + 3)ε of itself, their sum by
    // (S + 3 + C)ε, its log by as much and 3ε of itself; so −log softmax, T ≤ S + ln C, is off by (2S + C + 3 + 4T)ε, and the softmax by as much and
    // 3ε of itself. Weights, shares and their products are four roundings more, Σ q another C, the last steps four.
    static Definition CrossEntropy(float[] logits, int[] labels, float[]? weights, int ignored, double s)
    {
        int classes = logits.Length / labels.Length;
        Definition d = new(logits.Length);
        double total = 0;
        for (int n = 0; n < labels.Length; n++)
        {
            if (labels[n] == ignored)
                continue;
            double[] z = [.. logits[(n * classes)..((n + 1) * classes)].Select(v => (double)v)];
            double[] q = [.. z.Select((_, c) => (weights?[c] ?? 1) * ((c == labels[n] ? 1 - s : 0) + s / classes))];
            double log = Math.Log(z.Sum(Math.Exp)), k = 6 * (z.Max() - z.Min()) + 4 * Math.Log(classes) + 2 * classes + 14;
            total += weights?[labels[n]] ?? 1;
            for (int c = 0; c < classes; c++)
            {
                double softmax = Math.Exp(z[c] - log);
                d.Value += q[c] * (log - z[c]);
                d.ValueBound += k * Epsilon * q[c] * (1 + log - z[c]);
                d.Gradient[n * classes + c] = softmax * q.Sum() - q[c];
                d.GradientBound[n * classes + c] = k * Epsilon * (softmax * q.Sum() + q[c]);
            }
        }
        return d.Over(total);
    }

    // e = exp(−|x|) is off by 3ε of itself, log(1 + e) by 12ε (its three steps and what 1 + e rounds, which the quotient takes back), a softplus by
    // one more, the products and the sum, of which no term is negative, by four: 20ε with the mean. A slope's two terms have 12 roundings.
    static Definition BinaryCrossEntropy(float[] logits, float[] targets, float[] weights)
    {
        Definition d = new(logits.Length);
        for (int i = 0; i < logits.Length; i++)
        {
            double x = logits[i], t = targets[i], p = weights.Length == 0 ? 1 : weights[i % weights.Length], sigmoid = 1 / (1 + Math.Exp(-x));
            double log = double.LogP1(Math.Exp(-Math.Abs(x))), loss = p * t * (Math.Max(-x, 0) + log) + (1 - t) * (Math.Max(x, 0) + log);
            d.Value += loss;
            d.ValueBound += 20 * Epsilon * loss;
            double no = (1 - t) * sigmoid, yes = p * t / (1 + Math.Exp(x));
            (d.Gradient[i], d.GradientBound[i]) = (no - yes, 12 * Epsilon * (no + yes));
        }
        return d.Over(logits.Length);
    }

    // The difference is rounded once, and twice in its square; then the square and the mean: 5ε. A slope has three roundings.
    static Definition SquaredError(float[] outputs, float[] targets)
    {
        Definition d = new(outputs.Length);
        for (int i = 0; i < outputs.Length; i++)
        {
            double difference = (double)outputs[i] - targets[i];
            d.Value += difference * difference;
            d.Gradient[i] = 2 * difference;
            d.GradientBound[i] = 3 * Epsilon * Math.Abs(2 * difference);
        }
        d.ValueBound = 5 * Epsilon * d.Value;
        return d.Over(outputs.Length);
    }

    /// <summary>A loss and its gradient in double, with what rounding to float may do to each.</summary>
    sealed class Definition(int length)
    {
        public double Value, ValueBound;
        public readonly double[] Gradient = new double[length], GradientBound = new double[length];

        public Definition Over(double total)
        {
            (Value, ValueBound) = (Value / total, ValueBound / total);
            foreach (double[] numbers in (double[][])[Gradient, GradientBound])
                for (int i = 0; i < length && total > 0; i++)
                    numbers[i] /= total;
            return this;
        }

        public void AssertHolds(string what, float value, Tensor<float> gradient)
        {
            Assert.True(
                double.IsNaN(Value) ? float.IsNaN(value) : Math.Abs(value - Value) <= ValueBound, $"{what}: the loss is {value}, not {Value} ± {ValueBound}");
            Assert.Equal(length, gradient.FlattenedLength);
            for (int i = 0; i < length; i++)
            {
                float slope = gradient.AsSpan()[i];
                Assert.True(Math.Abs(slope - Gradient[i]) <= GradientBound[i], $"{what}: gradient[{i}] is {slope}, not {Gradient[i]} ± {GradientBound[i]}");
            }
        }
    }
}
