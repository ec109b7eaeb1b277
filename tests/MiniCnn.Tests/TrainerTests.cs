using System.Numerics.Tensors;
using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>Runs of a trainer: their steps, what they keep, and how they go on.</summary>
[Collection("Workers")]                                               // one test turns Workers.Count
public sealed class TrainerTests : IDisposable
{
    static readonly LabeledImages digits = DrawnDigits.Draw(150, seed: 1), others = DrawnDigits.Draw(60, seed: 2);

    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    string Path => System.IO.Path.Combine(folder, "checkpoint");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>With all that a run has to remember: dropout's masks, running statistics, moments.</summary>
    static Sequential Model()
    {
        Sequential model = new(
            new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new ReLU(), new Residual(new Sequential(new Dropout(0.2), new Conv2d(4, 4, 3, padding: 1))),
            new Flatten(), new Dropout(0.3), new Linear(256, 10));
        model.Initialize(seed: 5);
        return model;
    }

    static Trainer Create(Sequential model, Func<Sequential, Optimizer[]>? optimizers = null, string? path = null) =>
        new(model, optimizers?.Invoke(model) ?? [new Adam(model.Parameters, 0.01f)])
        {
            Epochs = 3,
            BatchSize = 32,
            Seed = 7,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps, 0.01),
            Augmentation = new() { CropPadding = 2, Brightness = 0.2, Cutout = 5 },
            Validation = others,
            KeepBest = true,
            CheckpointPath = path,
            CheckpointInterval = TimeSpan.Zero,
            Resume = path is not null,
        };

    [Fact]
    public void It_is_the_plain_loop()
    {
        Sequential model = Model(), plain = Model();
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.1f, momentum: 0.9f))
        {
            Epochs = 2,
            BatchSize = 40,
            Seed = 3,
            Schedule = (step, steps) => 0.1f - step / 100f,
        };
        List<TrainingStep> steps = [];
        IReadOnlyList<TrainingEpoch> history = trainer.Run(digits, new Reports(steps.Add));

        CrossEntropyLoss loss = new();
        Sgd optimizer = new(plain.Parameters, 0, momentum: 0.9f);
        List<TrainingStep> expected = [];
        for (int epoch = 0; epoch < 2; epoch++)
        {
            double sum = 0;
            int right = 0;
            foreach ((Tensor<float> images, int[] labels) in digits.Batches(40, seed: 3 + epoch))
            {
                optimizer.LearningRate = 0.1f - expected.Count / 100f;
                Tensor<float> logits = plain.Forward(images, training: true);
                float value = loss.Forward(logits, labels);
                plain.Backward(loss.Backward());
                optimizer.Step();
                optimizer.ZeroGrad();
                int correct = logits.AsSpan().ToArray().Chunk(10).Zip(labels).Count(image => TensorPrimitives.IndexOfMax<float>(image.First) == image.Second);
                (sum, right) = (sum + value * (double)labels.Length, right + correct);
                TrainingEpoch? ended = expected.Count % 4 == 3 ? new(sum / 150, right / 150.0) : null;
                expected.Add(new(epoch, 2, expected.Count + 1, 8, value, correct, labels.Length, ended));
            }
            Assert.Equal(expected[^1].Ended, history[epoch]);
        }
        Assert.Equal(expected, steps);
        Assert.Equal(Bytes(plain), Bytes(model));
    }

    public static TheoryData<string> Optimizers => ["adam", "sgd", "two"];

    static Optimizer[] OptimizersOf(string name, Sequential model) => name switch
    {
        "sgd" => [new Sgd(model.Parameters, 0, momentum: 0.9f, dampening: 0.5f, weightDecay: 0.01f)],
        "two" => [new AdamW(model.Parameters.Where(p => p.Value.Rank > 1)), new Sgd(model.Parameters.Where(p => p.Value.Rank == 1), 0)],
        _ => [new Adam(model.Parameters)],
    };

    /// <summary>Ended after any number of steps and gone on with by other objects, again and again, it is the run that never ended.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_run_in_pieces_is_the_run_in_one_to_the_bit(string optimizer)
    {
        Sequential whole = Model();
        IReadOnlyList<TrainingEpoch> history = Create(whole, model => OptimizersOf(optimizer, model)).Run(digits);
        foreach (int[] ends in (int[][])[[1], [4], [5], [6, 8], [14], [15], [3, 3, 3, 3], [10, 1]])
        {
            File.Delete(Path);
            File.Delete(Path + ".previous");
            foreach (int end in ends)
            {
                using CancellationTokenSource stop = new();
                int steps = 0;
                Sequential piece = Model();
                Create(piece, model => OptimizersOf(optimizer, model), Path).Run(
                    digits, new Reports(_ => { if (++steps == end) stop.Cancel(); }), stop.Token);
                Assert.Equal(end, steps);
            }
            Sequential last = Model();
            foreach (Parameter p in last.Parameters)
                p.Value.AsSpan().Fill(float.NaN);                                        // all comes from the file
            int rest = 0;
            IReadOnlyList<TrainingEpoch> resumed = Create(last, model => OptimizersOf(optimizer, model), Path).Run(digits, new Reports(_ => rest++));
            Assert.Equal(15 - ends.Sum(), rest);
            Assert.Equal(history, resumed);
            Assert.Equal(Bytes(whole), Bytes(last));
        }
    }

    [Fact]
    public void The_bits_are_the_same_on_any_number_of_threads()
    {
        int before = Workers.Count;
        try
        {
            byte[][] files = [.. new[] { 1, 2, 3 }.Select(threads =>
            {
                Workers.Count = threads;
                Sequential model = Model();
                File.Delete(Path);
                File.Delete(Path + ".previous");
                Create(model, path: Path).Run(digits);
                return File.ReadAllBytes(Path);
            })];
            Assert.Equal(files[0], files[1]);
            Assert.Equal(files[0], files[2]);
        }
        finally
        {
            Workers.Count = before;
        }
    }

    [Fact]
    public void The_best_epochs_model_is_kept_and_patience_ends()
    {
        // After two epochs that learn, steps the wrong way.
        foreach (int? patience in (int?[])[null, 2])
        {
            Sequential model = Model();
            Trainer trainer = new(model, new Sgd(model.Parameters, 0))
            {
                Epochs = 6,
                Validation = others,
                KeepBest = true,
                Patience = patience,
                Schedule = (step, steps) => step < 6 ? 0.05f : -0.02f,
            };
            IReadOnlyList<TrainingEpoch> history = trainer.Run(digits);
            int best = Enumerable.Range(0, history.Count).MaxBy(e => (history[e].ValidationAccuracy, -history[e].ValidationLoss));
            Assert.NotEqual(history.Count - 1, best);
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
        // Without it the last one stays.
        Sequential last = Model();
        IReadOnlyList<TrainingEpoch> all = new Trainer(last, new Sgd(last.Parameters, 0.05f)) { Epochs = 2, Validation = others }.Run(digits);
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
            state.EndEpoch(Evaluation.Of(model, images), model);
            Assert.Equal(best, state.BestEpoch);
        }
    }

    [Fact]
    public void A_checkpoint_of_something_else_is_refused_and_nothing_changes()
    {
        using CancellationTokenSource stop = new();
        Create(Model(), path: Path).Run(digits, new Reports(step => { if (step.Step == 7) stop.Cancel(); }), stop.Token);
        Refused("its seed 7 and here 8", model => Other(model, 3, 32, 8));
        Refused("its batch size 32 and here 64", model => Other(model, 3, 64, 7));
        LabeledImages images = new([.. digits.Pixels.ToArray().Select((x, i) => i == 5 ? (byte)(x ^ 1) : x)], digits.Labels.ToArray(), digits.Shape, 10);
        string others = Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(images)).Message;
        Assert.Contains("its training set 150 images of 1×28×28 (", others, StringComparison.Ordinal);
        images = digits.WithNormalization([0.5f], [0.3f]);
        Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(images));
        Sequential likewise = new(
            new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new Sigmoid(), new Residual(new Sequential(new Dropout(0.2), new Conv2d(4, 4, 3, padding: 1))),
            new Flatten(), new Dropout(0.3), new Linear(256, 10));
        Assert.Contains("its model ", Assert.Throws<InvalidDataException>(() => Create(likewise, path: Path).Run(digits)).Message);
        Refused("its epochs 3 and here 1", model => Other(model, 1, 32, 7));
        Refused("its augmentation CropPadding 2, Brightness 0.2, Cutout 5 and here none", model => Other(model, 3, 32, 7));
        Refused("has no optimizer.0.0.velocity", model => Create(model, m => [new Sgd(m.Parameters, 0.1f, momentum: 0.9f)], Path));
        Refused("optimizer.0.steps is I32 [8], but", model => Create(model, m => [new Adam([])], Path));
        File.Delete(Path + ".previous");
        Weights.Save(Model(), Path);
        Refused("is no checkpoint", model => Create(model, path: Path));
        Checkpoint.Save(Model(), [], Path);
        File.Delete(Path + ".previous");
        Refused("not one of a Trainer", model => Create(model, path: Path));

        Trainer Other(Sequential model, int epochs, int batchSize, int seed) => new(model, new Adam(model.Parameters))
        {
            Epochs = epochs,
            BatchSize = batchSize,
            Seed = seed,
            CheckpointPath = Path,
            Resume = true,
        };

        void Refused(string why, Func<Sequential, Trainer> trainer)
        {
            Sequential model = Model();
            byte[] before = Bytes(model);
            string message = Assert.Throws<InvalidDataException>(() => trainer(model).Run(digits)).Message;
            Assert.Contains(why, message, StringComparison.Ordinal);
            Assert.StartsWith(Path, message, StringComparison.Ordinal);
            Assert.Equal(before, Bytes(model));
        }
    }

    [Fact]
    public void The_checkpoint_before_serves_where_the_last_one_is_damaged_or_missing()
    {
        Sequential whole = Model();
        Create(whole).Run(digits);
        foreach (Action<string> damage in (Action<string>[])[
            File.Delete, path => File.WriteAllBytes(path, []), path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]),
            path => { File.Move(path, path + ".tmp"); }])
        {
            using CancellationTokenSource stop = new();
            File.Delete(Path);
            File.Delete(Path + ".previous");
            Create(Model(), path: Path).Run(digits, new Reports(step => { if (step.Step == 8) stop.Cancel(); }), stop.Token);
            damage(Path);
            Sequential model = Model();
            int first = 0;
            Create(model, path: Path).Run(digits, new Reports(step => first = first == 0 ? step.Step : first));
            Assert.Equal(8, first);                                                      // its eighth step again
            Assert.Equal(Bytes(whole), Bytes(model));
        }
        foreach (string path in (string[])[Path, Path + ".previous"])
            File.WriteAllText(path, "rubbish");
        Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(digits));
        Assert.True(Checkpoint.Exists(Path));
        Assert.False(Checkpoint.Exists(Path + "x"));
        Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(Model(), [], Path + "x"));
    }

    [Fact]
    public void A_run_that_does_not_resume_leaves_nothing_of_an_older_one_to_resume()
    {
        Create(Model(), path: Path).Run(digits);
        Assert.True(File.Exists(Path) && File.Exists(Path + ".previous"));
        Sequential model = Model();
        Trainer fresh = new(model, new Adam(model.Parameters)) { CheckpointPath = Path };
        Assert.Empty(fresh.Run(digits, null, new CancellationToken(canceled: true)));
        Assert.True(Checkpoint.Exists(Path));                                            // it never began
        Assert.Throws<TimeoutException>(() => fresh.Run(digits, new Reports(_ => throw new TimeoutException())));
        Assert.False(Checkpoint.Exists(Path));
    }

    [Fact]
    public void A_damaged_checkpoint_never_takes_the_place_of_a_good_one()
    {
        using CancellationTokenSource stop = new();
        Create(Model(), path: Path).Run(digits, new Reports(step => { if (step.Step == 8) stop.Cancel(); }), stop.Token);
        byte[] good = File.ReadAllBytes(Path + ".previous");
        File.WriteAllText(Path, "rubbish");
        Assert.Throws<TimeoutException>(() => Create(Model(), path: Path).Run(digits, new Reports(_ => throw new TimeoutException())));
        Assert.Equal("rubbish", File.ReadAllText(Path));                                 // to load changes no file
        using CancellationTokenSource again = new();
        Create(Model(), path: Path).Run(digits, new Reports(_ => again.Cancel()), again.Token);
        Assert.Equal(good, File.ReadAllBytes(Path + ".previous"));
        Assert.NotEqual(good, File.ReadAllBytes(Path));
        File.WriteAllText(Path, "rubbish");

        // The same for one that is at a place that no epoch has.
        string state = SafeTensors.Read(Path + ".previous").Metadata["minicnn.training"];
        foreach ((string from, string to) in ((string, string)[])[
            ("\"Batch\":2", "\"Batch\":5"), ("\"BestEpoch\":0", "\"BestEpoch\":1"), ("\"Count\":64", "\"Count\":-1")])
        {
            Assert.Contains(from, state, StringComparison.Ordinal);
            SafeTensorsFile file = SafeTensors.Read(Path + ".previous");
            string changed = state.Replace(from, to, StringComparison.Ordinal);
            SafeTensors.Write(Path, file.Tensors, new Dictionary<string, string>(file.Metadata) { ["minicnn.training"] = changed });
            Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(digits));
        }
    }

    [Fact]
    public void A_checkpoint_in_a_loop_of_ones_own_keeps_text_too()
    {
        Sequential model = Model(), other = Model();
        Adam adam = new(model.Parameters), otherAdam = new(other.Parameters);
        Step(model, adam, 1);
        adam.LearningRate = 0.02f;
        Checkpoint.Save(model, [adam], Path, new Dictionary<string, string> { ["epoch"] = "3" });
        other.Parameters[0].Gradient.AsSpan().Fill(float.NaN);                           // what a batch left there
        Assert.Equal("3", Checkpoint.Load(other, [otherAdam], Path)["epoch"]);
        Step(model, adam, 2);
        Step(other, otherAdam, 2);
        Assert.Equal(Bytes(model), Bytes(other));

        static void Step(Sequential model, Adam adam, int seed)
        {
            CrossEntropyLoss loss = new();
            Batch batch = digits.Batches(20, seed).First();
            loss.Forward(model.Forward(batch.Images, training: true), batch.Labels);
            model.Backward(loss.Backward());
            adam.Step();
            adam.ZeroGrad();
        }
    }

    [Fact]
    public void What_is_not_finite_is_named_and_reaches_neither_weights_nor_checkpoint()
    {
        // The fourth batch of the second epoch is where the layer turns a number into NaN, forward or backward.
        foreach ((bool forward, string where) in ((bool, string)[])[
            (true, "NaN or infinity in the output of layer 3.body.1, Spoiler, at batch 4 of 5 in epoch 2"),
            (false, "NaN or infinity in the gradient of 3.body.0.bias [4], at batch 4 of 5 in epoch 2")])
        {
            File.Delete(Path);
            File.Delete(Path + ".previous");
            Spoiler spoiler = new(forward, call: 9);
            Sequential model = new(
                new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new ReLU(), new Residual(new Sequential(new Conv2d(4, 4, 3, padding: 1), spoiler)),
                new Flatten(), new Linear(256, 10));
            byte[] before = [];
            int steps = 0;
            Trainer trainer = new(model, new Sgd(model.Parameters, 0.01f))
            {
                Epochs = 3,
                BatchSize = 32,
                CheckpointPath = Path,
                CheckpointInterval = TimeSpan.Zero,
            };
            string message = Assert.Throws<NotFiniteNumberException>(() => trainer.Run(digits, new Reports(_ =>
            {
                if (++steps == 8)
                    before = Values(model);
            }))).Message;
            Assert.StartsWith($"{where}; a smaller learning rate helps", message, StringComparison.Ordinal);
            Assert.EndsWith($"; the last checkpoint is kept: {Path}", message, StringComparison.Ordinal);
            Assert.Equal(8, steps);
            Assert.Equal(before, Values(model));
            Sequential kept = new(
                new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new ReLU(), new Residual(new Sequential(new Conv2d(4, 4, 3, padding: 1), new ReLU())),
                new Flatten(), new Linear(256, 10));
            Checkpoint.Load(kept, [new Sgd(kept.Parameters, 0.01f)], Path);
            Assert.Equal(before, Values(kept));
        }

        // Branches read the same x.
        Sequential branches = new(
            new Conv2d(1, 4, 5, stride: 3), new Concat(new Conv2d(4, 2, 1), new Sequential(new Conv2d(4, 4, 1), new Spoiler(forward: true, call: 1))),
            new Flatten(), new Linear(384, 10));
        string second = Assert.Throws<NotFiniteNumberException>(() => new Trainer(branches, new Sgd(branches.Parameters, 0.01f)).Run(digits)).Message;
        Assert.StartsWith("NaN or infinity in the output of layer 1.1.1, Spoiler, at batch 1 of 3 in epoch 1; a smaller", second, StringComparison.Ordinal);

        static byte[] Values(Sequential model) => [.. model.Parameters.SelectMany(p => SafeTensors.Entry.From(p.Value).Data.ToArray())];
    }

    [Fact]
    public void Weights_that_are_not_finite_are_named_and_not_saved()
    {
        Sequential model = Model();
        model.Parameters[4].Value.AsSpan()[3] = float.NaN;
        string message = Assert.Throws<NotFiniteNumberException>(() => Create(model, path: Path).Run(digits)).Message;
        Assert.StartsWith("NaN or infinity in parameter 3.body.1.weight [4, 4, 3, 3], at batch 1 of 5 in epoch 1", message, StringComparison.Ordinal);

        // A rate that no weight survives, at the one step of a run.
        model = Model();
        foreach (string? path in (string?[])[Path, null])
        {
            message = Assert.Throws<NotFiniteNumberException>(() =>
                new Trainer(model, new Sgd(model.Parameters, float.PositiveInfinity)) { BatchSize = 150, CheckpointPath = path }.Run(digits)).Message;
            Assert.Matches(new Regex(@"^NaN or infinity in model\.\S+, at the end of epoch 1; a smaller.*slowly$"), message);
            Assert.False(Checkpoint.Exists(Path));
            model = Model();
        }
        Trainer diverging = new(model, new Sgd(model.Parameters, 1e25f)) { Validation = others, BatchSize = 150 };
        message = Assert.Throws<NotFiniteNumberException>(() => diverging.Run(digits)).Message;
        Assert.StartsWith("NaN or infinity in the validation loss, at the end of epoch 1", message, StringComparison.Ordinal);

        // What a batch left behind does no harm to the next run.
        model = Model();
        model.Parameters[0].Gradient.AsSpan().Fill(float.NaN);
        new Trainer(model, new Sgd(model.Parameters, 0.01f)).Run(digits);

        LabeledImages bad = new([.. Enumerable.Repeat((byte)9, 16)], [1], new(1, 4, 4), 2, mean: [0], std: [float.Epsilon]);
        Sequential small = new(new Flatten(), new Linear(16, 2));
        message = Assert.Throws<NotFiniteNumberException>(() => new Trainer(small, new Sgd(small.Parameters, 1)).Run(bad)).Message;
        Assert.StartsWith("NaN or infinity in the images themselves, at batch 1 of 1 in epoch 1", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_lack_something_are_refused()
    {
        Sequential model = Model();
        Sgd sgd = new(model.Parameters, 0.1f);
        Assert.Contains("need Validation images", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd) { KeepBest = true }.Run(digits)).Message);
        Assert.Contains("need Validation images", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd) { Patience = 2 }.Run(digits)).Message);
        Assert.Contains("needs a CheckpointPath", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd) { Resume = true }.Run(digits)).Message);
        Assert.Contains("needs an optimizer", Assert.Throws<ArgumentException>(() => new Trainer(model).Run(digits)).Message);
        Assert.Throws<ArgumentNullException>(() => new Trainer(null!, sgd));
        LabeledImages of3 = new(new byte[784], [0], new(1, 28, 28), classes: 3);
        Assert.Contains("as many logits", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd) { Validation = of3 }.Run(digits)).Message);
        Trainer endless = new(model, sgd) { Epochs = int.MaxValue };
        Assert.Contains("more than 2147483647 steps", Assert.Throws<ArgumentException>(() => endless.Run(digits)).Message);
        Trainer nowhere = new(model, sgd) { CheckpointPath = System.IO.Path.Combine(folder, "no", "where") };
        Assert.Contains("there is no such folder", Assert.Throws<DirectoryNotFoundException>(() => nowhere.Run(digits)).Message);
        Assert.Contains("no images", Assert.Throws<ArgumentException>(() => new Trainer(model, sgd).Run(digits.Take(0))).Message);
        Assert.Equal("Epochs", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { Epochs = 0 }).ParamName);
        Assert.Equal("BatchSize", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { BatchSize = 0 }).ParamName);
        Assert.Equal("Patience", Assert.Throws<ArgumentOutOfRangeException>(() => new Trainer(model, sgd) { Patience = 0 }).ParamName);
    }

    /// <summary>All that a model's file holds.</summary>
    byte[] Bytes(Sequential model)
    {
        string path = System.IO.Path.Combine(folder, "bytes");
        Weights.Save(model, path);
        return File.ReadAllBytes(path);
    }

    sealed class Reports(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }

    /// <summary>y = x, but for a NaN at one call, or in its gradient.</summary>
    sealed class Spoiler(bool forward, int call) : PlainLayer
    {
        int calls;

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            if (training)
                calls++;
            return forward && calls >= call ? Spoilt(x) : x;
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => !forward && calls >= call ? Spoilt(dy) : dy;

        static Tensor<float> Spoilt(Tensor<float> x)
        {
            float[] values = x.AsSpan().ToArray();
            values[^1] = float.NaN;
            return Tensor.Create(values, x.Lengths);
        }
    }
}
