using System.Numerics.Tensors;
using System.Text.RegularExpressions;

namespace MiniCnn.Tests;

/// <summary>NaN and infinity are reported with the place where they arise, and do not reach weights or checkpoints.</summary>
public sealed class FiniteCheckTests : SmallRuns
{
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
            float[] before = [];
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
                    before = model.Values;
            }))).Message;
            Assert.StartsWith($"{where}; a smaller learning rate helps", message, StringComparison.Ordinal);
            Assert.EndsWith($"; the last checkpoint is kept: {Path}", message, StringComparison.Ordinal);
            Assert.Equal(8, steps);
            Assert.Equal(before, model.Values);
            Sequential kept = new(
                new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new ReLU(), new Residual(new Sequential(new Conv2d(4, 4, 3, padding: 1), new ReLU())),
                new Flatten(), new Linear(256, 10));
            Checkpoint.Load(kept, [new Sgd(kept.Parameters, 0.01f)], Path);
            Assert.Equal(before, kept.Values);
        }

        // Branches read the same x.
        Sequential branches = new(
            new Conv2d(1, 4, 5, stride: 3), new Concat(new Conv2d(4, 2, 1), new Sequential(new Conv2d(4, 4, 1), new Spoiler(forward: true, call: 1))),
            new Flatten(), new Linear(384, 10));
        string second = Assert.Throws<NotFiniteNumberException>(() => new Trainer(branches, new Sgd(branches.Parameters, 0.01f)).Run(digits)).Message;
        Assert.StartsWith("NaN or infinity in the output of layer 1.1.1, Spoiler, at batch 1 of 3 in epoch 1; a smaller", second, StringComparison.Ordinal);
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

        LabeledImages bad = new([.. Enumerable.Repeat((byte)9, 32)], [1, 0], new(1, 4, 4), 2, mean: [0], std: [float.Epsilon]);
        Sequential small = new(new Flatten(), new Linear(16, 2));
        message = Assert.Throws<NotFiniteNumberException>(() => new Trainer(small, new Sgd(small.Parameters, 1)).Run(bad)).Message;
        Assert.StartsWith("NaN or infinity in the images themselves, at batch 1 of 1 in epoch 1", message, StringComparison.Ordinal);
    }

    /// <summary>y = x, except for a NaN in one forward or backward pass.</summary>
    sealed class Spoiler(bool forward, int call) : CustomLayer
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
