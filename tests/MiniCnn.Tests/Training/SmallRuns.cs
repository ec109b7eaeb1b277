namespace MiniCnn.Tests;

/// <summary>Base class of tests of small runs: a network on drawn digits, a trainer, and a folder for the checkpoint.</summary>
public abstract class SmallRuns : FolderTests
{
    private protected static readonly LabeledImages digits = DrawnDigits.Draw(150, seed: 1), others = DrawnDigits.Draw(60, seed: 2);

    private protected string Path => PathOf("checkpoint");

    /// <summary>A network with dropout masks and running statistics, which a run must restore.</summary>
    private protected static Sequential Model()
    {
        Sequential model = new(
            new Conv2d(1, 4, 5, stride: 3), new BatchNorm2d(4), new ReLU(), new Residual(new Sequential(new Dropout(0.2), new Conv2d(4, 4, 3, padding: 1))),
            new Flatten(), new Dropout(0.3), new Linear(256, 10));
        model.Initialize(seed: 5);
        return model;
    }

    private protected static Trainer Create(Sequential model, Func<Sequential, Optimizer[]>? optimizers = null, string? path = null, int epochs = 3) =>
        new(model, optimizers?.Invoke(model) ?? [new Adam(model.Parameters, 0.01f)])
        {
            Epochs = epochs,
            BatchSize = 32,
            Seed = 7,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
            Augmentation = new() { CropPadding = 2, Brightness = 0.2, Cutout = 5 },
            Validation = others,
            KeepBest = true,
            CheckpointPath = path,
            CheckpointInterval = TimeSpan.Zero,
            Resume = path is not null,
        };

    private protected sealed class Reports(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }
}
