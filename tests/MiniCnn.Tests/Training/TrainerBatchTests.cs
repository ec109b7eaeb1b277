using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The batches of an epoch: their order, the last batch, batches without counted labels, and several batches in one step.</summary>
public sealed class TrainerBatchTests : SmallRuns
{
    [Fact]
    public void No_epoch_of_a_seed_is_one_of_another()
    {
        // Philox4x32-10 of Random123, worked out apart from the library's.
        int[] seeds = [Trainer.EpochSeed(0, 0), Trainer.EpochSeed(0, 1), Trainer.EpochSeed(1, 0), Trainer.EpochSeed(-1, 7)];
        Assert.Equal([-662539702, -875369987, 122869476, 527693212], seeds);
        Assert.Equal(10_000, (from seed in Enumerable.Range(0, 100) from epoch in Enumerable.Range(0, 100) select Trainer.EpochSeed(seed, epoch)).Distinct().Count());
    }

    [Fact]
    public void The_last_batch_is_dropped_where_that_is_asked_for()
    {
        Sequential model = Model(), plain = Model();
        List<int> sizes = [];
        new Trainer(model, new Sgd(model.Parameters, 0.1f)) { Epochs = 2, BatchSize = 40, DropLast = true }.Run(digits, step =>
        {
            sizes.Add(step.Images);
            Assert.Equal((sizes.Count, 6), (step.Step, step.Steps));
        });
        Assert.Equal([40, 40, 40, 40, 40, 40], sizes);
        Loop(plain, new Sgd(plain.Parameters, 0.1f), new(), digits, epochs: 2, 40, take: 3);
        Assert.Equal(plain.State, model.State);
        Trainer none = new(model, new Sgd(model.Parameters, 0.1f)) { BatchSize = 151, DropLast = true };
        Assert.Equal(
            "DropLast leaves no batch: 150 images are fewer than a BatchSize of 151", Assert.Throws<ArgumentException>(() => none.Run(digits)).Message);
    }

    [Fact]
    public void A_batch_norm_that_would_see_one_value_a_channel_is_foreseen()
    {
        Sequential model = Pooled(1);
        byte[][] before = model.State;
        string norm = "layer 3.body.1, BatchNorm2d(4) normalizes 1×1 maps, so a batch of one image has only one value per channel, and ";
        Refused(33, 32, $"{norm}the last batch of 33 images in batches of 32 has one image: set DropLast = true");
        Refused(1, 32, $"{norm}the last batch of 1 images in batches of 32 has one image: set DropLast = true");
        Refused(8, 1, $"{norm}BatchSize is 1: use a larger one");
        Assert.Equal(before, model.State);

        Run(model, 33, 32, dropLast: true);
        Run(model, 34, 32);
        Run(Pooled(2), 33, 32);                                                          // 2×2 maps have four
        Sequential held = Pooled(1);
        held.Layers[3].HoldInEvaluation = true;                                          // its statistics are no batch's
        Run(held, 33, 32);
        Run(new Sequential(new Conv2d(1, 4, 5), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(4, 10)), 33, 32);
        model = new(new Conv2d(1, 4, 5), new AdaptiveAvgPool2d(1), new Flatten(), new BatchNorm1d(4), new Linear(4, 10));
        norm = "layer 3, BatchNorm1d(4) normalizes features, so a batch of one image has only one value per channel, and ";
        Refused(33, 32, $"{norm}the last batch of 33 images in batches of 32 has one image: set DropLast = true");
        model.Layers[3].HoldInEvaluation = true;
        Run(model, 33, 32);

        static Sequential Pooled(int size) => new(
            new Conv2d(1, 4, 5), new BatchNorm2d(4), new AdaptiveAvgPool2d(size), new Residual(new Sequential(new Conv2d(4, 4, 1), new BatchNorm2d(4))),
            new Flatten(), new Linear(4 * size * size, 10));

        void Run(Sequential model, int count, int batchSize, bool dropLast = false) =>
            new Trainer(model, new Sgd(model.Parameters, 0.1f)) { BatchSize = batchSize, DropLast = dropLast }.Run(digits.Take(count));

        void Refused(int count, int batchSize, string why) => Assert.Equal(why, Assert.Throws<ArgumentException>(() => Run(model, count, batchSize)).Message);
    }

    [Fact]
    public void A_batch_whose_labels_are_all_ignored_changes_nothing_and_ends_nothing()
    {
        // Of twelve images nine are of class 2, which is ignored: three or four of six batches.
        LabeledImages images = new(
            [.. Enumerable.Range(0, 12 * 16).Select(i => (byte)(i * 37))], [2, 2, 2, 0, 2, 2, 1, 2, 2, 0, 2, 2], new(1, 4, 4), 3, classNames: ["a", "b", "unknown"]);
        Sequential model = Net(), plain = Net();
        CrossEntropyLoss loss = new(ignoreIndex: 2);
        List<TrainingStep> steps = [];
        TrainingResult result = new Trainer(model, Optimizer(model)) { Epochs = 3, BatchSize = 2, Loss = loss, Validation = images }.Run(images, steps.Add);
        (double sum, int right) = Loop(plain, Optimizer(plain), new(ignoreIndex: 2), images, epochs: 3, 2);
        Assert.Equal(plain.State, model.State);
        Assert.InRange(steps.Count(step => step.Count == 0), 9, 12);
        Assert.All(steps, step => Assert.Equal(2, step.Images));
        Assert.All(steps, step => Assert.Equal(step.Count == 0, float.IsNaN(step.Loss)));
        Assert.All(steps.Chunk(6), epoch => Assert.Equal(3, epoch.Sum(step => step.Count)));
        Assert.Equal((sum / 3, right / 3.0), (result.Epochs[2].Loss, result.Epochs[2].Accuracy));
        Assert.Equal(Evaluation.Of(model, images, batchSize: 2, loss).Loss, result.Epochs[2].ValidationLoss);

        LabeledImages unknown = new(new byte[32], [2, 2], new(1, 4, 4), 3, classNames: ["a", "b", "unknown"]);
        string why = Assert.Throws<ArgumentException>(() => new Trainer(model, Optimizer(model)) { Loss = loss }.Run(unknown)).Message;
        Assert.Equal("all 2 images are of the class that the loss ignores, 'unknown'", why);

        static Sequential Net()
        {
            Sequential net = new(new Flatten(), new Linear(16, 3));
            net.Initialize(1);
            return net;
        }

        // Momentum and weight decay would move the weights without a gradient.
        static Sgd Optimizer(Sequential model) => new(model.Parameters, 0.1f, momentum: 0.9f, weightDecay: 0.1f);
    }

    [Fact]
    public void Gradients_are_clipped_by_the_norm_of_all()
    {
        Sequential model = Model(), plain = Model(), unclipped = Model();
        new Trainer(model, new Sgd(model.Parameters, 0.1f)) { BatchSize = 40, ClipNorm = 0.5f }.Run(digits);
        Loop(plain, new Sgd(plain.Parameters, 0.1f), new(), digits, epochs: 1, 40, clip: 0.5f);
        Loop(unclipped, new Sgd(unclipped.Parameters, 0.1f), new(), digits, epochs: 1, 40);
        Assert.Equal(plain.State, model.State);
        Assert.NotEqual(unclipped.State, model.State);

        // 10²⁵ is finite, its square is not in float: clipped by an infinite norm, gradients would be zeros, and nothing learnt.
        LabeledImages huge = new([255, 255], [0, 1], new(1, 1, 1), 2, mean: [0], std: [1e-25f]);
        Sequential small = new(new Flatten(), new Linear(1, 2));
        small.Parameters[0].Value.AsSpan().Clear();
        string why = Assert.Throws<NotFiniteNumberException>(() => new Trainer(small, new Sgd(small.Parameters, 0.1f)) { BatchSize = 1, ClipNorm = 1 }.Run(huge)).Message;
        Assert.StartsWith("NaN or infinity in the norm of all gradients, at batch 1 of 2 in epoch 1", why, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model) { ClipNorm = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model) { ClipNorm = float.NaN });
    }

    /// <summary>
    /// A step of several batches uses the mean or sum over all their images, as a formula in double, also for the last unequal batches of an epoch.
    /// </summary>
    [Theory]
    [InlineData(60, 20, 3, 3)]
    [InlineData(50, 20, 4, 3)]
    [InlineData(30, 30, 5, 1)]
    [InlineData(50, 20, 3, 3, Reduction.Sum)]
    [InlineData(30, 30, 1, 1, Reduction.Sum)]
    public void Batches_are_accumulated_to_the_mean_over_their_images(
        int count, int batchSize, int accumulated, int batches, Reduction reduction = Reduction.Mean)
    {
        LabeledImages images = digits.Take(count);
        float[] weights = [.. Enumerable.Range(0, 10).Select(c => 0.25f * (c + 1))];
        Sequential model = new(new Flatten(), new Linear(784, 10));
        model.Initialize(seed: 3);
        float[] w = model.Parameters[0].Value.AsSpan().ToArray(), b = model.Parameters[1].Value.AsSpan().ToArray();
        List<TrainingStep> steps = [];
        const float Rate = 0.5f;
        new Trainer(model, new Sgd(model.Parameters, Rate)) { BatchSize = batchSize, AccumulateGradBatches = accumulated, Loss = new CrossEntropyLoss(weights, reduction: reduction) }
            .Run(images, steps.Add);
        Assert.Equal((count + batchSize - 1) / batchSize, batches);
        TrainingStep step = Assert.Single(steps);
        Assert.Equal((1, 1, count), (step.Step, step.Steps, step.Count));

        double[] gradient = new double[7840], size = new double[7840];                   // Σ dy·x, Σ |dy|·|x|
        double total = 0, loss = 0, terms = 0;
        foreach ((Tensor<float> x, int[] labels) in images.Batches(count))
        {
            for (int n = 0; n < count; n++)
            {
                float[] pixels = x.AsSpan().Slice(784 * n, 784).ToArray();
                double[] z = [.. Enumerable.Range(0, 10).Select(c => b[c] + pixels.Select((p, i) => (double)p * w[784 * c + i]).Sum())];
                terms = Math.Max(terms, Enumerable.Range(0, 10).Max(c => pixels.Select((p, i) => Math.Abs((double)p * w[784 * c + i])).Sum()));
                double log = Math.Log(z.Sum(Math.Exp));
                loss += weights[labels[n]] * (log - z[labels[n]]);
                total += weights[labels[n]];
                for (int i = 0; i < 7840; i++)
                {
                    double dy = weights[labels[n]] * (Math.Exp(z[i / 784] - log) - (i / 784 == labels[n] ? 1 : 0));
                    gradient[i] += dy * pixels[i % 784];
                    size[i] += Math.Abs(dy * pixels[i % 784]);
                }
            }
        }
        Assert.Equal(loss / total, step.Loss, 1e-5);
        double divisor = reduction == Reduction.Mean ? total : 1;
        // Rounding moves a logit by up to 785·ε·Σ|w·x|, a softmax by twice that share of itself; then there is a sum over the images.
        double epsilon = Math.Pow(2, -24);
        for (int i = 0; i < 7840; i++)
        {
            double expected = w[i] - Rate * gradient[i] / divisor, share = Rate * size[i] / divisor;
            double bound = epsilon * ((2 * 785 * terms + count + 8) * share + Math.Abs(expected) + Math.Abs(w[i]));
            Assert.InRange(model.Parameters[0].Value.AsSpan()[i], expected - bound, expected + bound);
        }
    }

    [Fact]
    public void An_epochs_last_step_takes_the_batches_that_are_left()
    {
        Sequential model = Model();
        List<(int, int, int)> steps = [];
        TrainingResult result = new Trainer(model, new Sgd(model.Parameters, 0.01f)) { Epochs = 2, BatchSize = 20, AccumulateGradBatches = 3, Schedule = (s, _) => s + 1 }
            .Run(digits, step => steps.Add((step.Step, step.Steps, step.Images)));
        Assert.Equal([(1, 6, 60), (2, 6, 60), (3, 6, 30), (4, 6, 60), (5, 6, 60), (6, 6, 30)], steps);
        Assert.Equal([3 * 0.01f, 6 * 0.01f], result.Epochs.Select(epoch => epoch.LearningRate));
    }

    /// <summary>A hand-written training loop. Returns the weighted losses of the last epoch and its number of correct predictions.</summary>
    static (double Loss, int Right) Loop(
        Sequential model, Optimizer optimizer, CrossEntropyLoss loss, LabeledImages images, int epochs, int batchSize, int take = int.MaxValue, float clip = 0)
    {
        double sum = 0;
        int right = 0;
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            (sum, right) = (0, 0);
            foreach ((Tensor<float> x, int[] labels) in images.Batches(batchSize, Trainer.EpochSeed(0, epoch)).Take(take))
            {
                int counted = labels.Count(label => label != loss.IgnoreIndex);
                if (counted == 0)
                    continue;
                Tensor<float> logits = model.Forward(x, training: true);
                sum += loss.Forward(logits, labels) * (double)counted;
                for (int n = 0; n < labels.Length; n++)
                {
                    int classes = (int)logits.Lengths[1];
                    if (labels[n] != loss.IgnoreIndex && TensorPrimitives.IndexOfMax<float>(logits.AsSpan().Slice(n * classes, classes)) == labels[n])
                        right++;
                }
                model.Backward(loss.Backward());
                if (clip > 0)
                    GradientClipping.ClipNorm(model.Parameters, clip);
                optimizer.Step();
                optimizer.ZeroGrad();
            }
        }
        return (sum, right);
    }
}
