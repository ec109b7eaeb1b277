using System.Numerics.Tensors;
using MiniCnn.Cases;
using static MiniCnn.Tests.LossDefinition;
using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

/// <summary>Compares the losses with their formulas in double and with difference quotients, and checks the errors.</summary>
[Collection("Workers")]                                               // one test turns Workers.Count
public sealed class LossTests
{
    [Fact]
    public void Each_loss_of_the_table_is_its_definition()
    {
        // The last one has several pieces an image; TorchSharp is not asked, which would move each number.
        foreach (LossCase c in CaseTable.All.OfType<LossCase>().Append(new CrossEntropyCase(2, 3, Weighted: true, Ignored: [0, 5000, 17553], Plane: (67, 131))))
        {
            Numbers inputs = c.Inputs(), results = c.Float(inputs);
            float[] outputs = Rows(inputs.Floats("outputs")), weights = Floats("weight"), targets = Rows(Floats("targets"));
            LossDefinition expected = c switch
            {
                CrossEntropyCase { Soft: true } ce => CrossEntropy(outputs, targets, (int)ce.Losses, weights, ce.Smoothing),
                CrossEntropyCase ce => CrossEntropy(outputs, ce.Labels, weights, ce.IgnoreIndex, ce.Smoothing),
                MaskCase { IsDice: true } mask =>
                    Dice(outputs, mask.Labels, mask.Soft ? targets : [.. mask.Labels.Select(label => label == 1 ? 1f : 0)], mask.N, mask.Smooth),
                MaskCase mask => BinaryCrossEntropy(outputs, mask.Labels),
                BceCase => BinaryCrossEntropy(outputs, targets, weights),
                _ => SquaredError(outputs, targets),
            };
            expected.AssertHolds($"{c}", c.Reduction, Floats("dlosses"), results.Floats("loss"), Rows(results.Floats("gradient")));

            // A sample's classes side by side, of pixels too.
            float[] Rows(float[] x)
            {
                if (c is not CrossEntropyCase { Plane: { } plane, Classes: int classes })
                    return x;
                int pixels = plane.Height * plane.Width;
                return [.. x.Select((_, i) => x[i / pixels / classes * classes * pixels + i % classes * pixels + i / classes % pixels])];
            }

            float[] Floats(string name) => inputs.ContainsKey(name) ? inputs.Floats(name) : [];
        }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(7, 0)]
    [InlineData(10, 1)]
    [InlineData(1, 1)]
    [InlineData(5, 2)]
    public void Cross_entropys_gradient_is_the_difference_quotient_in_double(int classes, int classesPerSample)
    {
        const int Count = 6;
        Random random = new(classes);
        LaneTensor<double> Lanes(int features) => new LaneTensor<double>(1, features).Resize(Count);
        LaneTensor<double>[] lanes = [Lanes(classes), Lanes(classes), Lanes(1), Lanes(classes)];
        double[] logits = [.. Enumerable.Range(0, Count * classes).Select(i => (random.NextDouble() * 2 - 1) * (i < 3 * classes ? 3 : 50))];
        double[] gradient = new double[logits.Length], targets = new double[logits.Length];           // of all classes of a sample, of one, of two
        for (int i = 0; i < targets.Length; i++)
            targets[i] = classesPerSample == 0 || (i + i / classes) % classes < classesPerSample ? random.NextDouble() : 0;
        lanes[1].Pack(targets);
        Losses(logits);
        lanes[3].Unpack(gradient);
        AssertIsSlope(logits, [.. gradient.Select(g => g / Count)], Losses);

        double Losses(double[] at)
        {
            lanes[0].Pack(at);
            for (int n = 0; n < Count; n++)
                CrossEntropyLoss.Block<double, Scalar<double>>(lanes[0], lanes[1], lanes[2], lanes[3], n);
            double[] losses = new double[Count];
            lanes[2].Unpack(losses);
            return losses.Average();
        }
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
            Sum(x);
            AssertIsSlope(x, [.. gradient], Sum);

            double Sum(double[] at)
            {
                fixed (double* px = at, pt = targets, pl = losses, pg = gradient)
                    ElementLoss.Run<double, Scalar<double>, F>(formula, px, pt, pl, pg, 0, at.Length);
                return losses.Sum();
            }
        }
    }

    // exp adds 3ε to a power, their sum a few more, log(1 + x) 8ε and the mean one.
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void What_a_model_is_sure_of_has_all_digits_for_one_image_and_for_sixteen(int lanes, int width)
    {
        Is([60, 0], 8.75651076e-27);
        Is([0, 12], 6.14419348e-6);
        foreach (float distance in (float[])[0, 1e-5f, 1, 5, 16.5f, 17, 30, 86])
            foreach (int classes in (int[])[2, 3, 11])
            {
                float[] logits = [.. Enumerable.Range(0, classes).Select(c => c == classes / 2 ? 3 : 3 - distance - c / 8f)];
                Is(logits, LogP1(logits.Where((_, c) => c != classes / 2).Sum(z => Math.Exp((double)z - 3))));
            }

        void Is(float[] logits, double value)
        {
            (int classes, int label) = (logits.Length, Array.IndexOf(logits, logits.Max()));
            double bound = (12 + classes) * Epsilon, slope = value < 1e-5 ? -value + value * value / 2 : Math.Exp(-value) - 1;
            foreach (int count in (int[])[1, 16])
            {
                float[] x = [.. Enumerable.Repeat(logits, count).SelectMany(row => row)], dy = [.. x.Select((_, i) => i % classes == label ? -1f : 0)];
                LayerBench layer = LayerBench.Run(new LogSoftmax(), ImageShape.Features(classes), count, x, dy, lanes, width);
                CrossEntropyLoss loss = new(reduction: Reduction.Sum);
                float[] losses = [], gradient = [];
                Vectors.Of(width, () =>
                {
                    losses = loss.ForwardEach(Tensor.Create(x, [count, classes]), [.. Enumerable.Repeat(label, count)]).AsSpan().ToArray();
                    gradient = loss.Backward(Tensor.Create<float>([.. losses.Select(_ => 1f)], [count])).AsSpan().ToArray();
                });
                Assert.All(losses, actual => Assert.InRange(actual, value * (1 - bound), value * (1 + bound)));
                Assert.All(losses, actual => Assert.Equal(losses[0], actual));
                Assert.All(layer.Y.Where((_, i) => i % classes == label), y => Assert.Equal(-losses[0], y));
                Assert.All(gradient.Where((_, i) => i % classes == label), g => Assert.InRange(g, slope * (1 + bound), slope * (1 - bound)));
                Assert.All(layer.Dx.Where((_, i) => i % classes == label), g => Assert.InRange(g, slope * (1 + bound), slope * (1 - bound)));
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
                    ElementLoss.Run<float, V, BceWithLogitsLoss.Logistic<float>>(new(pw), px, pt, pl, pg, 0, length);
                Assert.Equal((42, 42), (losses[length], gradient[length]));
                BinaryCrossEntropy(x, targets, weights).AssertHolds(
                    $"{V.Count} lanes, {length} elements", null, [.. x.Select(_ => 1f)], losses[..length], gradient[..length]);
            }
        }
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits_and_a_warm_forward_takes_no_memory()
    {
        Random random = new(6);
        Tensor<float> x = random.Tensor(100_003, 2);
        Tensor<float> targets = Tensor.Create([.. random.Reals(200_006).Select(MathF.Abs)], x.Lengths);
        int[] labels = [.. Enumerable.Range(0, 100_003).Select(_ => random.Next(2) == 0 ? -100 : random.Next(2))];
        CrossEntropyLoss crossEntropy = new([1, 3], labelSmoothing: 0.1f);
        BceWithLogitsLoss bce = new([2, 0.5f]);
        MseLoss mse = new();
        (float[] Values, float[][] Gradients) one = Threads.Of(1, Run);
        Threads.Of(1, () => Assert.Equal(0, Allocated.Bytes(() =>
        {
            mse.Forward(x, targets);
            bce.Forward(x, targets);
            crossEntropy.Forward(x, labels);
            crossEntropy.Forward(x, targets);
        })));
        SquaredError([.. x.AsSpan()], [.. targets.AsSpan()]).AssertHolds("many pieces", Reduction.Mean, [], [one.Values[2]], one.Gradients[2]);
        foreach (int threads in (int[])[2, 3, 5])
        {
            (float[] Values, float[][] Gradients) more = Threads.Of(threads, Run);
            Assert.Equal(one.Values, more.Values);
            for (int i = 0; i < one.Gradients.Length; i++)
                Assert.True(one.Gradients[i].AsSpan().SequenceEqual(more.Gradients[i]), $"gradient {i} with {threads} threads");
        }

        (float[] Values, float[][] Gradients) Run() => (
            [crossEntropy.Forward(x, labels), bce.Forward(x, targets), mse.Forward(x, targets)],
            [crossEntropy.Backward().AsSpan().ToArray(), bce.Backward().AsSpan().ToArray(), mse.Backward().AsSpan().ToArray()]);
    }

    [Fact]
    public void A_smaller_batch_after_a_larger_one_of_another_shape_has_its_own_loss_and_shape()
    {
        BceWithLogitsLoss bce = new([1, 2, 3]);
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

        CrossEntropyLoss crossEntropy = new();
        crossEntropy.Forward(new Random(1).Tensor(33, 3), new int[33]);
        Assert.Equal(MathF.Log(3), crossEntropy.Forward(Tensor.CreateFromShape<float>([2, 3]), [0, 2]), 1e-6f);
        Assert.Equal(float.NaN, crossEntropy.Forward(Tensor.CreateFromShape<float>([0, 3]), []));
        Assert.Equal([0, 3], crossEntropy.Backward().Lengths.ToArray());
    }

    [Fact]
    public void Large_logits_do_not_overflow_wherever_the_largest_is()
    {
        float[][] rows = [[1000, 0, -1000], [0, 1000, -1000], [-1000, 0, 1000], [-1000, -1000, -1000]];
        float[][] gradients = [[0, 0, 0], [-1, 1, 0], [-1, 0, 1], [-2 / 3f, 1 / 3f, 1 / 3f]];        // softmax − onehot(0), times 1/4 below
        CrossEntropyLoss loss = new();
        float value = loss.Forward(Tensor.Create(rows.SelectMany(row => row).ToArray(), [4, 3]), [0, 0, 0, 0]);
        Assert.Equal((0 + 1000 + 2000 + MathF.Log(3)) / 4, value, 1e-3f);
        Assert.All(loss.Backward().AsSpan().ToArray().Zip(gradients.SelectMany(row => row)), g => Assert.Equal(g.Second / 4, g.First, 1e-7f));
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
        foreach (LabelLoss binary in (LabelLoss[])[new BceWithLogitsLoss(), new DiceLoss(0)])
        {
            alone = binary.Forward(Tensor.Create([1f, 2], [1, 1, 1, 2]), [1, 0]);
            gradient = binary.Backward().AsSpan().ToArray();
            Assert.Equal(alone, binary.Forward(Tensor.Create([float.NaN, 7, 1, 2], [2, 1, 1, 2]), [-100, -100, 1, 0]));
            Assert.Equal([0, 0, .. gradient], binary.Backward().AsSpan().ToArray());
        }
    }

    [Fact]
    public void A_class_that_cannot_be_costs_nothing_unless_it_is_wanted()
    {
        Tensor<float> logits = Tensor.Create([1, float.NegativeInfinity, 3], [1, 3]);
        CrossEntropyLoss loss = new();
        Assert.Equal(LogP1(Math.Exp(-2)), loss.Forward(logits, [2]), 1e-7);
        Assert.Equal(0, loss.Backward().AsSpan()[1]);
        Assert.Equal(LogP1(Math.Exp(-2)) + 0.5, loss.Forward(logits, Tensor.Create([0.25f, 0, 0.75f], [1, 3])), 1e-6);
        Assert.Equal(0, loss.Backward().AsSpan()[1]);
        Assert.Equal(float.PositiveInfinity, loss.Forward(logits, [1]));
        Assert.Equal(float.PositiveInfinity, new CrossEntropyLoss(labelSmoothing: 0.1f).Forward(logits, [2]));
        Assert.Equal(float.NaN, loss.Forward(Tensor.Create([1, float.NaN, 3], [1, 3]), [2]));
        Assert.Equal(float.NaN, loss.Forward(Tensor.Create([1, float.PositiveInfinity, 3], [1, 3]), [2]));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Tensor<float> two = Tensor.CreateFromShape<float>([2]), column = Tensor.CreateFromShape<float>([2, 1]), wide = Tensor.CreateFromShape<float>([2, 3]);
        Is("MseLoss: targets must have the shape of the model's output, [2, 1], not [2]; there is no broadcasting", () => new MseLoss().Forward(column, two));
        Is("BceWithLogitsLoss: targets must have the shape of the model's output, [2], not [2, 1]; there is no broadcasting",
            () => new BceWithLogitsLoss().Forward(two, column));
        Is("BceWithLogitsLoss: 2 positive weights need outputs with a last axis of 2, not [2, 3]", () => new BceWithLogitsLoss([1, 2]).Forward(wide, wide));
        Is("BceWithLogitsLoss: a positive weight must be finite and at least 0, not -0.5", () => new BceWithLogitsLoss([1, -0.5f]));
        Is("cross-entropy has weights for 2 classes, but the logits have 3 classes", () => new CrossEntropyLoss([1, 2]).Forward(wide, [0, 1]));
        Is("the weight of class 1 is NaN; weights must be finite and at least 0", () => new CrossEntropyLoss([1, float.NaN]));
        Is("label smoothing must be in [0, 1], not 1.5", () => new CrossEntropyLoss(labelSmoothing: 1.5f));
        Is("label 1 is -100, but there are 3 classes, 0 to 2", () => new CrossEntropyLoss(ignoreIndex: -1).Forward(wide, [-1, -100]));
        Is("cross-entropy takes logits [N, classes] or [N, classes, H, W], not [2]", () => new CrossEntropyLoss().Forward(two, two));
        Is("label 0 is -1, but there are 3 classes, 0 to 2", () => new CrossEntropyLoss().Forward(wide, [-1, 3]));
        Is("cross-entropy takes logits [N, classes] and N labels, or [N, classes, H, W] and N·H·W labels, not [2, 3] and 1 labels",
            () => new CrossEntropyLoss().Forward(wide, [0]));
        Is("cross-entropy takes logits [N, classes] or [N, classes, H, W], not [1, 3, 1]",
            () => new CrossEntropyLoss().Forward(Tensor.CreateFromShape<float>([1, 3, 1]), [0]));
        Tensor<float> pixels = Tensor.CreateFromShape<float>([2, 3, 1, 2]), binary = Tensor.CreateFromShape<float>([2, 1, 1, 2]);
        Is("cross-entropy takes logits [N, classes] and N labels, or [N, classes, H, W] and N·H·W labels, not [2, 3, 1, 2] and 2 labels",
            () => new CrossEntropyLoss().Forward(pixels, [0, 1]));
        Is("label 3 is 3, but there are 3 classes, 0 to 2", () => new CrossEntropyLoss().Forward(pixels, [0, -100, 2, 3]));
        Is("BceWithLogitsLoss takes logits [N, 1] or [N, 1, H, W] and a label for each, not [2, 3, 1, 2] and 4 labels",
            () => new BceWithLogitsLoss().Forward(pixels, [0, 1, 0, 1]));
        Is("label 2 is 2, but DiceLoss has two classes, 0 and 1", () => new DiceLoss().Forward(binary, [0, -100, 2, 1]));
        Is("DiceLoss takes logits [N, 1, H, W], one channel for two classes, not [2, 3, 1, 2]", () => new DiceLoss().Forward(pixels, pixels));
        Is("DiceLoss: smooth must be finite and at least 0, not -1", () => new DiceLoss(-1));
        Assert.Equal("BceWithLogitsLoss(positive weight 1, 0.5; Sum)", $"{new BceWithLogitsLoss([1, 0.5f], Reduction.Sum)}");
        Assert.Equal("BceWithLogitsLoss()", $"{new BceWithLogitsLoss()}");
        Assert.Equal("DiceLoss(smooth 0.5; Sum)", $"{new DiceLoss(0.5f, Reduction.Sum)}");
        Is("CrossEntropyLoss: targets must have the shape of the model's output, [2, 3], not [2, 1]; there is no broadcasting",
            () => new CrossEntropyLoss().ForwardEach(wide, column));
        Is("cross-entropy with probabilities as targets cannot ignore label 1; use a negative ignoreIndex",
            () => new CrossEntropyLoss(ignoreIndex: 1).Forward(wide, wide));
        Is("there is no reduction 2; use Mean or Sum", () => new MseLoss((Reduction)2));
        Assert.Throws<ArgumentNullException>(() => new MseLoss().Forward(two, null!));

        Assert.Equal("CrossEntropyLoss()", $"{new CrossEntropyLoss()}");
        Assert.Equal(
            "CrossEntropyLoss(class weights 5.5, 0.25; ignored label 2; label smoothing 0.1; Sum)",
            $"{new CrossEntropyLoss([5.5f, 0.25f], 2, 0.1f, Reduction.Sum)}");
        CrossEntropyLoss each = new();
        each.ForwardEach(wide, [0, 1]);
        Is("CrossEntropyLoss: dlosses must have the shape of the losses, [2], not [2, 1]", () => each.Backward(column));
        Refused("CrossEntropyLoss: Backward needs a Forward before it; each Forward allows one Backward", () => each.Backward());
        each.Backward(two);
        Refused("CrossEntropyLoss: Backward(dlosses) needs a ForwardEach before it; each ForwardEach allows one Backward", () => each.Backward(two));
        MseLoss mse = new();
        Refused("MseLoss: Backward needs a Forward before it; each Forward allows one Backward", () => mse.Backward());
        mse.Forward(two, two);
        Refused("MseLoss: Backward(dlosses) needs a ForwardEach before it; each ForwardEach allows one Backward", () => mse.Backward(two));
        mse.Backward();
        Refused("MseLoss: Backward needs a Forward before it; each Forward allows one Backward", () => mse.Backward());
        mse.Forward(two, two);
        Assert.Throws<ArgumentException>(() => mse.Forward(two, column));
        Refused("MseLoss: Backward needs a Forward before it; each Forward allows one Backward", () => mse.Backward());
        BceWithLogitsLoss bce = new();
        bce.Forward(column, [0, 1]);
        Assert.Throws<ArgumentException>(() => bce.Forward(column, [0, 5]));
        Refused("BceWithLogitsLoss: Backward needs a Forward before it; each Forward allows one Backward", () => bce.Backward());

        static void Refused(string message, Func<object> call) => Assert.Equal(message, Assert.Throws<InvalidOperationException>(call).Message);

        static void Is(string message, Func<object> call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }

    /// <summary>
    /// Compares a gradient with fourth-order difference quotients. Their error with a step of 1e-3 is below 1e-11 for these slowly varying functions.
    /// </summary>
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
}
