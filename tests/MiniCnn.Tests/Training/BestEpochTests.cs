using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The choice of the best epoch, and its effects: the kept model, the end of a run, reduced learning rates.</summary>
public sealed class BestEpochTests : SmallRuns
{
    [Fact]
    public void The_best_epochs_model_is_kept_and_patience_ends()
    {
        // After two epochs that learn, steps the wrong way.
        foreach (int? patience in (int?[])[null, 2])
        {
            Sequential model = Model();
            Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f))
            {
                Epochs = 6,
                Validation = others,
                KeepBest = true,
                Patience = patience,
                Monitor = Metric.Accuracy,
                Schedule = (step, steps) => step < 6 ? 1 : -0.4f,
            };
            TrainingResult result = trainer.Run(digits);
            IReadOnlyList<TrainingEpoch> history = result.Epochs;
            int best = Enumerable.Range(0, history.Count).MaxBy(e => (history[e].ValidationAccuracy, -history[e].ValidationLoss));
            Assert.NotEqual(history.Count - 1, best);
            Assert.Equal((best, history[best].ValidationAccuracy), (result.BestEpoch, result.BestValue));
            Assert.Equal(patience is null ? TrainingEnd.AllEpochs : TrainingEnd.Patience, result.EndedBy);
            Evaluation now = Evaluation.Of(model, others);
            Assert.Equal((history[best].ValidationAccuracy, history[best].ValidationLoss), (now.Accuracy, now.Loss));
            if (patience is null)
                Assert.Equal(6, history.Count);
            else
            {
                Assert.InRange(history.Count, 3, 5);
                for (int end = 3; end <= history.Count; end++)
                {
                    int bestYet = Enumerable.Range(0, end).MaxBy(e => (history[e].ValidationAccuracy, -history[e].ValidationLoss));
                    Assert.Equal(end == history.Count, end - 1 - bestYet >= 2);
                }
            }
        }
        // Without KeepBest the last one stays.
        Sequential last = Model();
        IReadOnlyList<TrainingEpoch> all = new Trainer(last, new Sgd(last.Parameters, 0.05f)) { Epochs = 2, Validation = others }.Run(digits).Epochs;
        Assert.Equal(all[^1].ValidationAccuracy, Evaluation.Of(last, others).Accuracy);
    }

    [Fact]
    public void Of_epochs_equally_accurate_the_one_of_the_lowest_loss_is_the_best()
    {
        LabeledImages images = new([255, 255, 0], [1, 1, 1], new(1, 1, 1), 2, mean: [0], std: [1]);
        Sequential model = new(new Flatten(), new Linear(1, 2, bias: false));
        TrainingState state = new() { Settings = [] };
        foreach ((float scale, int best) in ((float, int)[])[(1, 0), (2, 1), (1.5f, 1), (-3, 1), (2.5f, 4)])
        {
            (model.Parameters[0].Value[0, 0], model.Parameters[0].Value[1, 0]) = (-scale, scale);
            state.EndEpoch(Evaluation.Of(model, images), Metric.Accuracy, 1, model);
            Assert.Equal(best, state.BestEpoch);
        }
    }

    /// <summary>
    /// 80 images of dents and 800 of good metal. The brightness separates 64 dents from 600 good images. Predicting no dents gives an accuracy of 90.9 %, the
    /// best classifier 75.5 %. With balanced class weights, training moves from the first to the second.
    /// </summary>
    [Fact]
    public void Of_unequal_classes_accuracy_keeps_the_epoch_that_finds_none_of_the_rare_one_and_macro_recall_the_right_one()
    {
        byte[] pixels = [.. Enumerable.Repeat((byte)200, 64), .. new byte[16], .. Enumerable.Repeat((byte)200, 200), .. new byte[600]];
        LabeledImages images = new(pixels, [.. new int[80], .. Enumerable.Repeat(1, 800)], new(1, 1, 1), 2, [0.5f], [0.5f], ["dent", "ok"]);
        Assert.Equal((0.5, 0), Kept(Metric.Accuracy));
        Assert.Equal((0.775, 0.8), Kept(Metric.MacroRecall));
        Assert.Equal((0.775, 0.8), Kept(Metric.MacroF1));
        Assert.Equal((0.775, 0.8), Kept(Metric.Loss));                                   // it has the classes' weights
        Assert.Equal((0.775, 0.8), Kept(new("recall of dents", e => e.Recall(0), higherIsBetter: true)));
        Assert.Equal((0.5, 0), Kept(new("dents missed", e => e.Recall(0), higherIsBetter: false)));

        (double, double) Kept(Metric monitor)
        {
            Sequential model = new(new Flatten(), new Linear(1, 2));
            new float[] { 0, 0 }.CopyTo(model.Parameters[0].Value.AsSpan());
            new float[] { -1, 1 }.CopyTo(model.Parameters[1].Value.AsSpan());            // at first all are ok
            Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f))
            {
                Epochs = 12,
                BatchSize = 80,
                Loss = new CrossEntropyLoss(ClassWeights.Balanced(images)),
                Validation = images,
                Monitor = monitor,
                KeepBest = true,
            };
            TrainingResult result = trainer.Run(images);
            Evaluation kept = Evaluation.Of(model, images, loss: trainer.Loss);
            Assert.Equal((monitor.Name, result.Epochs[result.BestEpoch!.Value].Monitored), (result.Monitor.Name, result.BestValue));
            Assert.Equal(kept.Loss, result.Epochs[result.BestEpoch!.Value].ValidationLoss);
            return (kept.MacroRecall, kept.Recall(0));
        }
    }

    [Fact]
    public void An_epoch_without_a_number_is_never_the_best()
    {
        double[] values = [double.NaN, 1, double.NaN, 2, 1.5];
        TrainingResult result = Run(values);
        Assert.Equal((3, 2.0), (result.BestEpoch, result.BestValue));
        Assert.Null(Run([double.NaN, double.NaN]).BestEpoch);
        Assert.Contains("NaN", Run(values).ToCsv(), StringComparison.Ordinal);
    }

    [Fact]
    public void Patience_counts_from_the_end_of_a_warm_up()
    {
        double[] falling = [.. Enumerable.Range(0, 12).Select(epoch => -epoch + 0.0)];  // no epoch is better than the first
        Assert.Equal(3, Run(falling, patience: 2).Epochs.Count);
        Assert.Equal(3, Run(falling, patience: 2, schedule: (_, _) => 0.5f).Epochs.Count);
        // Five steps an epoch: the rate rises to the end of the fourth epoch, to its first step, and not at all.
        Assert.Equal(6, Run(falling, patience: 2, schedule: (step, _) => Math.Min(1, (step + 1) / 20f)).Epochs.Count);
        Assert.Equal(6, Run(falling, patience: 2, schedule: (step, _) => Math.Min(1, (step + 1) / 16f)).Epochs.Count);
        Assert.Equal(5, Run(falling, patience: 2, schedule: (step, _) => Math.Min(1, (step + 1) / 15f)).Epochs.Count);
        Assert.Equal(3, Run(falling, patience: 2, schedule: (step, _) => LearningRate.Step(step, 3)).Epochs.Count);
        TrainingResult result = Run(falling, patience: 2);
        Assert.Equal(TrainingEnd.Patience, result.EndedBy);
        Assert.Equal("ended by Patience after 3 of 12 epochs, at a learning rate of 0.01; best: epoch 1, counted 0.0000; the model is the last step's", $"{result}");

        // One that is made for all its steps would be cut off before its rate comes down.
        foreach (Func<int, int, float> schedule in (Func<int, int, float>[])[
            (step, steps) => LearningRate.OneCycle(step, steps), (step, steps) => LearningRate.Cosine(step, steps, warmUp: 3),
            (step, steps) => step < steps - 1 ? 1 : 0.1f])
        {
            string why = Assert.Throws<ArgumentException>(() => Run(falling, patience: 2, schedule)).Message;
            Assert.StartsWith("Patience would end the run before its Schedule, which depends on the number of steps, has lowered the rate", why, StringComparison.Ordinal);
            Assert.Equal(12, Run(falling, schedule: schedule).Epochs.Count);
        }
    }

    [Fact]
    public void Rates_are_reduced_where_epochs_get_no_better()
    {
        // Epochs 2 and 3 are no better than epoch 1: from epoch 4 on a tenth; then from epoch 8 on, after one that is not counted.
        double[] losses = [5, 4, 4, 4.1, 4, 4, 3.9999, 5, 5, 3, 2];
        List<(float, float)> rates = [];
        Sequential model = Model();
        Sgd weights = new(model.Parameters.Where(p => p.Value.Rank > 1), 0.01f), biases = new(model.Parameters.Where(p => p.Value.Rank == 1), 0.002f);
        int epoch = 0;
        Trainer trainer = new(model, weights, biases)
        {
            Epochs = losses.Length,
            BatchSize = 150,
            Schedule = (step, _) => step < 10 ? 1 : 0.5f,
            Validation = others,
            Monitor = new("counted", _ => losses[epoch++], higherIsBetter: false),
            ReduceOnPlateau = new() { Patience = 1, Cooldown = 1, MinRate = 0.0005f },
        };
        TrainingResult result = trainer.Run(digits, _ => rates.Add((weights.LearningRate, biases.LearningRate)));
        (float, float) first = (0.01f, 0.002f), tenth = ((float)(0.01f * 0.1), 0.0005f), least = (0.0005f, 0.0005f);
        Assert.Equal([first, first, first, first, tenth, tenth, tenth, least, least, least, (0.00025f, 0.00025f)], rates);
        Assert.Equal(rates.Select(rate => rate.Item1), result.Epochs.Select(e => e.LearningRate));
        Assert.Equal(first, (weights.LearningRate, biases.LearningRate));

        Trainer vain = new(model, weights) { Validation = others, Patience = 11, ReduceOnPlateau = new() };
        Assert.StartsWith(
            "ReduceOnPlateau waits for 11 epochs without improvement, but Patience ends the run after 11", Assert.Throws<ArgumentException>(() => vain.Run(digits)).Message,
            StringComparison.Ordinal);
        Action[] wrong =
        [
            () => _ = new ReduceOnPlateau { Factor = 0 }, () => _ = new ReduceOnPlateau { Factor = 1 }, () => _ = new ReduceOnPlateau { Patience = -1 },
            () => _ = new ReduceOnPlateau { Threshold = double.NaN }, () => _ = new ReduceOnPlateau { Cooldown = -1 }, () => _ = new ReduceOnPlateau { MinRate = -1 },
        ];
        Assert.All(wrong, action => Assert.Throws<ArgumentOutOfRangeException>(action));
    }

    [Fact]
    public void The_best_model_is_in_its_file_as_soon_as_an_epoch_is_best()
    {
        double[] values = [1, 3, 2, 4, 0];
        byte[]? before = null;
        int best = 0;
        Run(values, path: Path, progress: (step, model) =>
        {
            if (step.Ended is null)
                return;
            byte[] now = File.ReadAllBytes(Path);
            if (step.BestEpoch == step.Epoch)
            {
                ImageClassifier saved = ImageClassifier.Load(Path);
                Assert.Equal(model.State, saved.Network.State);
                Assert.Equal(digits.ClassNames, saved.ClassNames);
                best++;
            }
            Assert.Equal(step.BestEpoch == step.Epoch, before is null || !now.AsSpan().SequenceEqual(before));
            before = now;
        });
        Assert.Equal(3, best);

        // There may be a better one of another run.
        string why = Assert.Throws<IOException>(() => Run(values, path: Path)).Message;
        Assert.Equal($"{Path}: a model exists; another BestModelPath keeps it", why);
        Assert.Equal(before, File.ReadAllBytes(Path));

        // What only code can make is kept as weights.
        string other = System.IO.Path.Combine(folder, "weights");
        Sequential own = new(new Flatten(), new Doubled(), new Linear(784, 10)), again = new(new Flatten(), new Doubled(), new Linear(784, 10));
        new Trainer(own, new Sgd(own.Parameters, 0.01f)) { Validation = others, BestModelPath = other }.Run(digits);
        Weights.Load(again, other);
        Assert.Equal(own.State, again.State);
    }

    [Fact]
    public void A_result_says_what_there_is_to_say_and_gives_its_numbers_as_text()
    {
        Assert.Equal("all 2 epochs done; best: epoch 2, counted 1.5000; the model is the last step's", $"{Run([0.5, 1.5])}");
        Sequential model = Model();
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.25f)) { Epochs = 3, BatchSize = 150, KeepBest = true, Validation = others };
        using CancellationTokenSource stop = new();
        TrainingResult result = trainer.Run(digits, step => { if (step.Step == 2) stop.Cancel(); }, stop.Token);
        TrainingEpoch[] epochs = [.. result.Epochs];
        int best = epochs[0].ValidationLoss <= epochs[1].ValidationLoss ? 0 : 1;
        Assert.Equal((TrainingEnd.Cancelled, best, Metric.Loss), (result.EndedBy, result.BestEpoch, result.Monitor));
        Assert.Equal(
            FormattableString.Invariant($"ended on request after 2 of 3 epochs; best: epoch {best + 1}, loss {epochs[best].ValidationLoss:F4}; the model is that epoch's"),
            $"{result}");
        Assert.Equal(
            "epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,monitored\n" + string.Concat(epochs.Select((e, i) => FormattableString.Invariant(
                $"{i + 1},0.25,{e.Loss:R},{e.Accuracy:R},{e.ValidationLoss:R},{e.ValidationAccuracy:R},{e.ValidationLoss:R}\n"))),
            result.ToCsv());
        result = new Trainer(model, new Sgd(model.Parameters, 0.25f)).Run(digits);
        Assert.Equal(("all 1 epochs done", null), ($"{result}", result.BestValue));
        Assert.EndsWith(",,,\n", result.ToCsv(), StringComparison.Ordinal);
    }

    /// <summary>A run of five steps an epoch with given values of the monitor; higher is better.</summary>
    static TrainingResult Run(
        double[] values, int? patience = null, Func<int, int, float>? schedule = null, string? path = null, Action<TrainingStep, Sequential>? progress = null)
    {
        Sequential model = Model();
        int epoch = 0;
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.01f))
        {
            Epochs = values.Length,
            BatchSize = 30,
            Schedule = schedule,
            Validation = others,
            Monitor = new("counted", _ => values[epoch++], higherIsBetter: true),
            Patience = patience,
            BestModelPath = path,
        };
        return trainer.Run(digits, step => progress?.Invoke(step, model));
    }

    sealed class Doubled : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => Tensor.Multiply<float>(x, 2);

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => Tensor.Multiply<float>(dy, 2);
    }
}
