namespace MiniCnn.Tests;

/// <summary>Runs that end and go on: to the same bits, or not at all where something else goes on.</summary>
public sealed class CheckpointTests : SmallRuns
{
    public static TheoryData<string> Optimizers => ["adam", "sgd", "two"];

    static Optimizer[] OptimizersOf(string name, Sequential model) => name switch
    {
        "sgd" => [new Sgd(model.Parameters, 0.01f, momentum: 0.9f, dampening: 0.5f, weightDecay: 0.01f)],
        "two" => [new AdamW(model.Parameters.Where(p => p.Value.Rank > 1)), new Sgd(model.Parameters.Where(p => p.Value.Rank == 1), 0.02f)],
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
}
