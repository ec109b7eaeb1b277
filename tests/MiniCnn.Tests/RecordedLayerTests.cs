using System.Numerics.Tensors;
using MiniCnn.Parity;

namespace MiniCnn.Tests;

/// <summary>The other layers, the loss, a training and the generator, held against what was recorded from TorchSharp.</summary>
[Collection(nameof(Recorded))]
public sealed class RecordedLayerTests(Recorded recorded)
{
    const double Epsilon = 1.0 / (1 << 24);

    [Fact]
    [Checks("torchsharp-0.106.0", @"max_pool2d\.\w+", typeof(MaxPool2d))]
    public void Max_pools()
    {
        foreach (var c in recorded.Table.MaxPool2d)
        {
            var (x, dy) = (Tensor($"{c.Id}.x"), Tensor($"{c.Id}.dy"));
            var pool = new MaxPool2d(c.Window.KernelSize, c.Window.Stride, c.Window.Padding, c.Window.Dilation);
            AssertEqual(c.Id, $"{c.Id}.y", pool.Forward(x, training: true), _ => 0);              // it only picks: the same bits

            // dx sums the dy of the windows a pixel won.
            var dx = pool.BackwardToInput(dy);
            AssertEqual(c.Id, $"{c.Id}.dx", dx, Bound(c.Window.Taps, Gradient(pool, x, Abs(dy))));
        }
        recorded.Passed($"{recorded.Table.MaxPool2d.Count} max pools");
    }

    [Fact]
    [Checks("torchsharp-0.106.0", @"avg_pool2d\.\w+", typeof(AvgPool2d))]
    public void Average_pools()
    {
        foreach (var c in recorded.Table.AvgPool2d)
        {
            var (x, dy) = (Tensor($"{c.Id}.x"), Tensor($"{c.Id}.dy"));
            var pool = new AvgPool2d(c.Window.KernelSize, c.Window.Stride, c.Window.Padding, c.CountIncludePad);
            var y = pool.Forward(x, training: true);
            var dx = pool.BackwardToInput(dy);
            AssertEqual(c.Id, $"{c.Id}.y", y, Bound(c.Window.Taps, pool.Forward(Abs(x))));
            AssertEqual(c.Id, $"{c.Id}.dx", dx, Bound(c.Window.Taps, Gradient(pool, x, Abs(dy))));
        }
        recorded.Passed($"{recorded.Table.AvgPool2d.Count} average pools");
    }

    [Fact]
    [Checks("torchsharp-0.106.0", @"linear\.\w+", typeof(Linear))]
    public void Linear_layers()
    {
        foreach (var c in recorded.Table.Linear)
        {
            var layer = new Linear(c.In, c.Out);
            Tensor($"{c.Id}.weight").CopyTo(layer.Weight.Value);
            Tensor($"{c.Id}.bias").CopyTo(layer.Bias!.Value);
            var y = layer.Forward(Tensor($"{c.Id}.x"), training: true);
            var dx = layer.BackwardToInput(Tensor($"{c.Id}.dy"));

            // A linear layer is a 1×1 convolution of 1×1 images, so its bounds are too.
            var conv = new Conv2dCase(c.Id, IsInteger: false, IsDouble: false, new(c.Batch, c.In, 1, 1, c.Out, new(1)), Bias: true);
            var ours = new Conv2dResults<float>(Numbers(y), Numbers(dx), Numbers(layer.Weight.Gradient), Numbers(layer.Bias.Gradient));
            var report = Conv2dReport.Compare(conv, recorded.Recording.Inputs<float>(conv), recorded.Recording.Results<float>(conv), ours);
            Assert.True(report.Holds, report.ToString());
        }
        recorded.Passed($"{recorded.Table.Linear.Count} linear layers");
    }

    [Fact]
    [Checks("torchsharp-0.106.0", @"cross_entropy\.\w+", typeof(CrossEntropyLoss))]
    public void Cross_entropies()
    {
        foreach (var c in recorded.Table.CrossEntropy)
        {
            var logits = Tensor($"{c.Id}.logits");
            int[] labels = Labels($"{c.Id}.target");
            var loss = new CrossEntropyLoss();
            float value = loss.Forward(logits, labels);

            // With s the spread of the logits, exp(z − m) is off by (s + 2)·ε of itself, log Σ exp by (s + 2 + classes)·ε, and so on
            // through the subtraction, the mean and, for the gradient, the two divisions.
            double s = Numbers(logits).Max() - Numbers(logits).Min();
            AssertEqual(c.Id, $"{c.Id}.loss", [value], _ => 2 * (c.Classes + c.Batch + 4) * Epsilon * (1 + s + value));
            var probability = Softmax(Numbers(logits), c.Classes);
            AssertEqual(c.Id, $"{c.Id}.dlogits", loss.Backward(), i => 2 * (c.Classes + 7 + 2 * s) * Epsilon
                * (probability[i] + (i % c.Classes == labels[i / c.Classes] ? 1 : 0)) / c.Batch);
        }
        recorded.Passed($"{recorded.Table.CrossEntropy.Count} cross-entropies");
    }

    [Fact]
    [Checks("torchsharp-0.106.0", "training", typeof(Sequential))]
    [Checks("torchsharp-0.106.0", "training", typeof(ReLU))]
    [Checks("torchsharp-0.106.0", "training", typeof(Flatten))]
    [Checks("torchsharp-0.106.0", "training", typeof(Sgd))]
    [Checks("torchsharp-0.106.0", "training", typeof(Layer), Member = nameof(Layer.Initialize))]
    public void Ten_training_steps()
    {
        var model = new Sequential(
            new Conv2d(1, 4, kernelSize: 3, padding: 1), new ReLU(), new MaxPool2d(2),
            new Conv2d(4, 8, kernelSize: 3), new ReLU(),
            new Flatten(), new Linear(128, 10));
        model.Initialize(seed: 42);
        foreach (var p in model.Parameters)
            AssertEqual("ten steps", $"training.initial.{p.Name}", p.Value, _ => 0);              // the same bits

        // Rounding errors of n independent additions grow as √n (Higham & Mary, 2019); the longest sum of a step is that of the
        // first convolution's weight, 20 images of 12×12. A hyper-parameter that is off by a few per cent is far outside.
        double perStep = Math.Sqrt(20 * 12 * 12) * Epsilon;
        var loss = new CrossEntropyLoss();
        var optimizer = new Sgd(model.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 5e-4f);
        for (int step = 0; step < 10; step++)
        {
            var logits = model.Forward(Tensor($"training.{step:00}.x"), training: true);
            float value = loss.Forward(logits, Labels($"training.{step:00}.target"));
            AssertEqual($"step {step}", $"training.{step:00}.loss", [value], _ => (step + 1) * perStep * value);
            model.Backward(loss.Backward());
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        foreach (var p in model.Parameters)
        {
            double largest = Numbers(p.Value).Max(Math.Abs);
            AssertEqual("ten steps", $"training.final.{p.Name}", p.Value, _ => 10 * perStep * largest);
        }
        recorded.Passed("ten training steps from the same seed");
    }

    [Fact]
    [Checks("torchsharp-0.106.0", @"generator\.\w+", typeof(Permutation), Member = nameof(Permutation.Random))]
    public void A_permutation()
    {
        Assert.Equal(Labels("generator.randperm_100_seed_42"), Permutation.Random(100, seed: 42));
        recorded.Passed("a random permutation");
    }

    Tensor<float> Tensor(string name)
    {
        var entry = recorded.Recording[name];
        return System.Numerics.Tensors.Tensor.Create(entry.As<float>().ToArray(), [.. entry.Shape.Select(length => (nint)length)]);
    }

    int[] Labels(string name) => Array.ConvertAll(recorded.Recording[name].As<long>().ToArray(), label => (int)label);

    void AssertEqual(string what, string name, Tensor<float> ours, Func<int, double> bound)
    {
        Assert.Equal(recorded.Recording[name].Shape, ours.Lengths.ToArray().Select(length => (long)length));
        AssertEqual(what, name, ours.AsSpan(), bound);
    }

    void AssertEqual(string what, string name, ReadOnlySpan<float> ours, Func<int, double> bound)
    {
        var agreement = Agreement.Of(recorded.Recording[name].As<float>(), ours, bound);
        Assert.True(agreement.Holds, $"{what}: {name} is {agreement.WorstShare} of the bound off at element {agreement.WorstIndex}");
    }

    /// <summary>2·k·ε·Σ|terms|, for sums of at most so many terms and a division.</summary>
    static Func<int, double> Bound(int terms, Tensor<float> sums)
    {
        float[] sum = Numbers(sums);
        return i => 2 * (terms + 1) * Epsilon * sum[i];
    }

    static Tensor<float> Gradient(Layer layer, Tensor<float> x, Tensor<float> dy)
    {
        layer.Forward(x, training: true);
        return layer.BackwardToInput(dy);
    }

    static float[] Numbers(Tensor<float> tensor) => tensor.AsSpan().ToArray();

    static Tensor<float> Abs(Tensor<float> x) => System.Numerics.Tensors.Tensor.Abs<float>(x);

    static double[] Softmax(float[] logits, int classes)
    {
        double[] exp = [.. logits.Select(z => Math.Exp(z))];
        return [.. exp.Select((e, i) => e / exp.AsSpan(i / classes * classes, classes).ToArray().Sum())];
    }
}
