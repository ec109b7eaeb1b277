namespace MiniCnn.Tests;

/// <summary>A progress receiver can also receive the result of a run, or the exception that ended it.</summary>
public sealed class TrainerToldTests : SmallRuns
{
    [Fact]
    public void Of_the_result_once_after_the_last_step()
    {
        Sequential model = Model();
        Sgd sgd = new(model.Parameters, 0.5f);
        float rate = 0;
        Told told = new(result: () => rate = sgd.LearningRate);
        TrainingResult result = new Trainer(model, sgd) { BatchSize = 50, Epochs = 2, Schedule = (_, _) => 0.1f }.Run(digits, told);
        Assert.Equal(["1", "2", "3", "4", "5", "6", "all 2 epochs done"], told.Words);
        Assert.Same(result, told.Last);
        Assert.Equal(0.5f, rate);                                     // the run has ended: it has its own again

        using CancellationTokenSource stop = new();
        told = new(step: step => { if (step.Step == 2) stop.Cancel(); });
        new Trainer(model, sgd) { BatchSize = 50 }.Run(digits, told, stop.Token);
        Assert.Equal(["1", "2", "ended on request after 0 of 1 epochs"], told.Words);
    }

    [Fact]
    public void Of_an_exception_once_and_of_no_result_then()
    {
        Sequential model = Model();
        Trainer trainer = new(model, new Sgd(model.Parameters, 1)) { BatchSize = 50, Schedule = (step, _) => step == 1 ? 1e38f : 0.01f };
        Told told = new();
        NotFiniteNumberException thrown = Assert.Throws<NotFiniteNumberException>(() => trainer.Run(digits, told));
        Assert.Equal(["1", "2", thrown.Message], told.Words);
        Assert.Same(thrown, told.Last);

        told = new(step: _ => throw new InvalidOperationException("enough"));
        Assert.Throws<InvalidOperationException>(() => Create(Model()).Run(digits, told));
        Assert.Equal(["1", "enough"], told.Words);

        told = new(result: () => throw new InvalidOperationException("too late"));       // the result was told: nothing ended the run instead
        Assert.Throws<InvalidOperationException>(() => new Trainer(Model(), new Sgd([], 1)) { BatchSize = 150 }.Run(digits, told));
        Assert.Equal(["1", "all 1 epochs done"], told.Words);

        told = new();                                                                    // refused: it did not begin
        Assert.Throws<ArgumentException>(() => new Trainer(Model()).Run(digits, told));
        Assert.Empty(told.Words);
    }

    /// <summary>The first run ends in the middle of its second epoch of 5 steps.</summary>
    [Fact]
    public void Of_what_was_before_a_checkpoint_with_the_first_step_and_of_validation_with_an_epochs_last()
    {
        using CancellationTokenSource stop = new();
        List<TrainingStep> steps = [];
        Create(Model(), path: Path).Run(digits, Step, stop.Token);
        TrainingResult result = Create(Model(), path: Path).Run(digits, Step);
        Assert.Equal(Enumerable.Range(1, 15), steps.Select(step => step.Step));
        foreach (TrainingStep step in steps)
        {
            Assert.Equal(step.Step % 5 == 0 ? result.Epochs[step.Epoch] : null, step.Ended);
            Assert.Equal(step.Ended is null, step.Validation is null);
            Assert.Equal(step.Ended?.ValidationLoss, step.Validation?.Loss);
            Assert.Equal(step.Ended?.ValidationAccuracy, step.Validation?.Accuracy);
            Assert.Equal(step.Step == 8 ? result.Epochs.Take(1) : null, step.Before);
            Assert.Equal(step.Step == 8 ? result.Note : null, step.Note);
        }

        void Step(TrainingStep step)
        {
            steps.Add(step);
            if (step.Step == 7)
                stop.Cancel();
        }
    }

    sealed class Told(Action<TrainingStep>? step = null, Action? result = null) : IProgress<TrainingStep>, IProgress<TrainingResult>, IProgress<Exception>
    {
        public List<string> Words { get; } = [];

        public object? Last { get; private set; }

        public void Report(TrainingStep value)
        {
            Words.Add($"{value.Step}");
            step?.Invoke(value);
        }

        public void Report(TrainingResult value)
        {
            Last = value;
            Words.Add($"{value}");
            result?.Invoke();
        }

        public void Report(Exception value)
        {
            Last = value;
            Words.Add(value.Message);
        }
    }
}
