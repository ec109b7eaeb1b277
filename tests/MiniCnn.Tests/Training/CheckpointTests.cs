using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>Resumed runs are bit-identical, or are refused if the data, model or options differ.</summary>
public sealed class CheckpointTests : SmallRuns
{
    public static TheoryData<string> Optimizers => ["adam", "sgd", "two"];

    static Optimizer[] OptimizersOf(string name, Sequential model) => name switch
    {
        "sgd" => [new Sgd(model.Parameters, 0.01f, momentum: 0.9f, dampening: 0.5f, weightDecay: 0.01f)],
        "two" => [new AdamW(model.Parameters.Where(p => p.Value.Rank > 1)), new Sgd(model.Parameters.Where(p => p.Value.Rank == 1), 0.02f)],
        _ => [new Adam(model.Parameters)],
    };

    /// <summary>A run that is cancelled and resumed several times, with new objects, is identical to an uninterrupted run.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_run_in_pieces_is_the_run_in_one_to_the_bit(string optimizer)
    {
        Sequential whole = Model();
        TrainingResult history = Create(whole, model => OptimizersOf(optimizer, model)).Run(digits);
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
            TrainingResult resumed = Create(last, model => OptimizersOf(optimizer, model), Path).Run(digits, new Reports(_ => rest++));
            Assert.Equal(15 - ends.Sum(), rest);
            Assert.Equal(history.ToCsv(), resumed.ToCsv());
            Assert.StartsWith($"{history} (resumed after step ", $"{resumed}", StringComparison.Ordinal);
            Assert.Equal(whole.State, last.State);
        }
    }

    [Fact]
    public void A_checkpoint_of_something_else_is_refused_and_nothing_changes()
    {
        using CancellationTokenSource stop = new();
        Create(Model(), path: Path).Run(digits, new Reports(step => { if (step.Step == 7) stop.Cancel(); }), stop.Token);
        Refused("its seed: 7; this run's: 8", model => Other(model, 3, 32, 8));
        Refused("its batch size: 32; this run's: 64", model => Other(model, 3, 64, 7));
        LabeledImages images = new([.. digits.Pixels.ToArray().Select((x, i) => i == 5 ? (byte)(x ^ 1) : x)], digits.Labels.ToArray(), digits.Shape, 10);
        string others = Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(images)).Message;
        Assert.Contains("its training set: 150 images of 1×28×28 (", others, StringComparison.Ordinal);
        images = digits.WithNormalization([0.5f], [0.3f]);
        others = Assert.Throws<InvalidDataException>(() => Other(Model(), 3, 32, 7).Run(images)).Message;
        Assert.Contains("its training set: 150 images of 1×28×28 (", others, StringComparison.Ordinal);
        Sequential likewise = new(
            new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new Sigmoid(), new Residual(new Sequential(new Dropout(0.2), new Conv2d(4, 4, 3, padding: 1))),
            new Flatten(), new Dropout(0.3), new Linear(256, 10));
        Assert.Contains("its model: ", Assert.Throws<InvalidDataException>(() => Create(likewise, path: Path).Run(digits)).Message);
        Refused("the checkpoint's run has 3 epochs, this run 5, and the Schedule depends on their number: use 3 epochs, or", model => Create(model, path: Path, epochs: 5));
        Refused("its augmentation: CropPadding 2, Brightness 0.2, Cutout 5; this run's: none", model => Other(model, 3, 32, 7));
        Refused("its loss: CrossEntropyLoss(); this run's: CrossEntropyLoss(label smoothing 0.125)", model => Other(model, 3, 32, 7, new(labelSmoothing: 0.125f)));
        float[] weights = [1, 2, 1, 1, 1, 1, 1, 1, 1, 0.5f];
        Refused(
            "this run's: CrossEntropyLoss(class weights 1, 2, 1, 1, 1, 1, 1, 1, 1, 0.5; ignored label 3)", model => Other(model, 3, 32, 7, new(weights, ignoreIndex: 3)));
        Refused("its optimizers: Adam; this run's: Sgd", model => Create(model, m => [new Sgd(m.Parameters, 0.1f, momentum: 0.9f)], Path));
        Refused("optimizer.0.steps is I32 [8], but", model => Create(model, m => [new Adam([])], Path));
        File.Delete(Path + ".previous");
        Weights.Save(Model(), Path);
        Refused("not a checkpoint", model => Create(model, path: Path));
        Checkpoint.Save(Model(), [], Path);
        File.Delete(Path + ".previous");
        Refused("not one that a Trainer wrote", model => Create(model, path: Path));

        Trainer Other(Sequential model, int epochs, int batchSize, int seed, CrossEntropyLoss? loss = null) => new(model, new Adam(model.Parameters))
        {
            Loss = loss ?? new(),
            Epochs = epochs,
            BatchSize = batchSize,
            Seed = seed,
            CheckpointPath = Path,
            Resume = true,
        };

        void Refused(string why, Func<Sequential, Trainer> trainer)
        {
            Sequential model = Model();
            byte[][] before = model.State;
            string message = Assert.Throws<InvalidDataException>(() => trainer(model).Run(digits)).Message;
            Assert.Contains(why, message, StringComparison.Ordinal);
            Assert.StartsWith(Path, message, StringComparison.Ordinal);
            Assert.DoesNotContain("ithout Resume", message, StringComparison.Ordinal);   // that is how a checkpoint was lost
            Assert.Equal(before, model.State);
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
            Assert.Equal(whole.State, model.State);
        }
        foreach (string path in (string[])[Path, Path + ".previous"])
            File.WriteAllText(path, "rubbish");
        Assert.Throws<InvalidDataException>(() => Create(Model(), path: Path).Run(digits));
        Assert.True(Checkpoint.Exists(Path));
        Assert.False(Checkpoint.Exists(Path + "x"));
        Assert.Throws<FileNotFoundException>(() => Checkpoint.Load(Model(), [], Path + "x"));
    }

    [Fact]
    public void A_run_that_does_not_resume_refuses_where_there_is_a_checkpoint_unless_it_is_told_to_overwrite()
    {
        Create(Model(), path: Path).Run(digits);
        foreach (string[] files in (string[][])[[Path, Path + ".previous"], [Path + ".previous"]])
        {
            Sequential model = Model();
            byte[][] weights = model.State;
            byte[][] before = [.. files.Select(File.ReadAllBytes)];
            string message = Assert.Throws<IOException>(() => new Trainer(model, new Adam(model.Parameters)) { CheckpointPath = Path }.Run(digits)).Message;
            Assert.Equal($"{Path}: the checkpoint of a run exists; Resume = true resumes it, another CheckpointPath keeps it", message);
            Assert.Equal(before, files.Select(File.ReadAllBytes));
            Assert.Equal(weights, model.State);
            File.Delete(Path);
        }
        Sequential other = Model();
        Trainer fresh = new(other, new Adam(other.Parameters)) { CheckpointPath = Path, Overwrite = true };
        Assert.Empty(fresh.Run(digits, null, new CancellationToken(canceled: true)).Epochs);
        Assert.True(Checkpoint.Exists(Path));                                            // it never began
        Assert.Throws<TimeoutException>(() => fresh.Run(digits, new Reports(_ => throw new TimeoutException())));
        Assert.False(Checkpoint.Exists(Path));                                           // nothing of the older one is left to resume
        fresh.Run(digits);
        Assert.True(Checkpoint.Exists(Path));
        Checkpoint.Delete(Path);
        Assert.False(Checkpoint.Exists(Path));
    }

    [Fact]
    public void A_run_may_have_more_epochs_than_it_began_with()
    {
        Sequential whole = Model(), longer = Model();
        TrainingResult all = Of(whole, 5, null).Run(digits);
        Of(Model(), 2, Path).Run(digits);
        foreach (Parameter p in longer.Parameters)
            p.Value.AsSpan().Fill(float.NaN);
        TrainingResult result = Of(longer, 5, Path).Run(digits);
        Assert.Equal(whole.State, longer.State);
        Assert.Equal(all.ToCsv(), result.ToCsv());
        Assert.Equal("resumed after step 10 of 25; epochs 2 → 5", result.Note);
        Assert.Null(all.Note);
        Assert.Equal(5, Of(Model(), 3, Path).Run(digits).Epochs.Count);                  // fewer are done already

        static Trainer Of(Sequential model, int epochs, string? path) => new(model, new Sgd(model.Parameters, 0.05f, momentum: 0.9f))
        {
            Epochs = epochs,
            BatchSize = 32,
            Schedule = (step, _) => LearningRate.Step(step, every: 12),
            Validation = others,
            KeepBest = true,
            CheckpointPath = path,
            Resume = path is not null,
        };
    }

    /// <summary>A resumed run uses the new learning rate, momentum and schedule, and reports the differences once.</summary>
    [Fact]
    public void Another_learning_rate_and_momentum_are_taken_and_said()
    {
        Sequential begun = Model(), model = Model(), plain = Model();
        using CancellationTokenSource stop = new();
        Of(begun, new Sgd(begun.Parameters, 0.05f, momentum: 0.9f), every: 4).Run(digits, step => { if (step.Step == 7) stop.Cancel(); }, stop.Token);
        Sgd sgd = new(model.Parameters, 0.02f, momentum: 0.5f), optimizer = new(plain.Parameters, 0.02f, momentum: 0.5f);
        Checkpoint.Load(plain, [optimizer], Path);
        List<float> rates = [];
        List<string?> notes = [];
        TrainingResult result = Of(model, sgd, every: 8, clip: 3).Run(digits, step =>
        {
            rates.Add(sgd.LearningRate);
            notes.Add(step.Note);
        });
        Assert.Equal([0.02f, 0.02f * 0.1f, 0.02f * 0.1f], rates);
        Assert.Equal(
            "resumed after step 7 of 10; learning rate 0.05 → 0.02; momentum 0.9 → 0.5; schedule 1 to 1 to 0.01 (…) → 1 to 1 to 0.1 (…); ClipNorm none → 3",
            Regex.Replace(result.Note!, @"\([0-9a-f]{8}\)", "(…)"));
        Assert.Equal([result.Note, null, null], notes);
        Assert.Contains("learning rate 0.05 → 0.02", $"{result}", StringComparison.Ordinal);

        CrossEntropyLoss loss = new();                                                   // from the velocity of the run before
        foreach ((Batch batch, float rate) in digits.Batches(32, Trainer.EpochSeed(0, 1)).Skip(2).Zip(rates))
        {
            loss.Forward(plain.Forward(batch.Images, training: true), batch.Labels);
            plain.Backward(loss.Backward());
            GradientClipping.ClipNorm(plain.Parameters, 3);
            optimizer.LearningRate = rate;
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        Assert.Equal(plain.State, model.State);

        Trainer Of(Sequential model, Sgd optimizer, int every, float? clip = null) => new(model, optimizer)
        {
            Epochs = 2,
            BatchSize = 32,
            Schedule = (step, _) => LearningRate.Step(step, every),
            ClipNorm = clip,
            CheckpointPath = Path,
            Resume = true,
        };
    }

    /// <summary>Covers the remaining state of a run: reduced learning rates, several batches in a step, and a best epoch by a custom monitor.</summary>
    [Fact]
    public void A_run_with_all_that_a_trainer_can_do_is_the_same_in_pieces()
    {
        Sequential whole = Model();
        TrainingResult result = Of(whole, null).Run(digits);
        Assert.True(result.Epochs[^1].LearningRate < 0.02f, "no rate was reduced");
        for (int end = 1; end < 4; end++)
        {
            Checkpoint.Delete(Path);
            TrainingResult resumed;
            Sequential piece;
            do
            {
                using CancellationTokenSource stop = new();
                int steps = 0;
                piece = Model();
                resumed = Of(piece, Path).Run(digits, step => { if (++steps == end) stop.Cancel(); }, stop.Token);
            }
            while (resumed.EndedBy == TrainingEnd.Cancelled);
            Assert.Equal(whole.State, piece.State);
            Assert.Equal(result.ToCsv(), resumed.ToCsv());
            Assert.Equal((result.EndedBy, result.BestEpoch), (resumed.EndedBy, resumed.BestEpoch));
        }

        static Trainer Of(Sequential model, string? path) => new(model, new Sgd(model.Parameters, 0.02f, momentum: 0.9f, nesterov: true))
        {
            Epochs = 7,
            BatchSize = 32,
            DropLast = true,
            AccumulateGradBatches = 3,
            ClipNorm = 1,
            Loss = new CrossEntropyLoss(ClassWeights.Balanced(digits), ignoreIndex: 4, labelSmoothing: 0.1f),
            Validation = others,
            Monitor = new("at least a half", e => Math.Max(0.5, e.Accuracy), higherIsBetter: true),
            ReduceOnPlateau = new() { Patience = 0, Cooldown = 1, Factor = 0.5 },
            Patience = 6,
            KeepBest = true,
            CheckpointPath = path,
            CheckpointInterval = TimeSpan.Zero,
            Resume = path is not null,
        };
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
            ("\"Batch\":2", "\"Batch\":5"), ("\"BestEpoch\":0", "\"BestEpoch\":1"), ("\"Count\":64", "\"Count\":-1"), ("\"Epochs\":3", "\"Epochs\":0"),
            ("\"Reductions\":0", "\"Reductions\":2")])
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
        Assert.Equal(model.State, other.State);

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
}
