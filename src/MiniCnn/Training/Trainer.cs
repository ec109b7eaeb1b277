using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>How far a training is, told after every step.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Epochs">Of the whole run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Of the whole run.</param>
/// <param name="Loss">The batch's mean loss.</param>
/// <param name="Correct">Its images that were taken for what they are.</param>
/// <param name="Count">Its images.</param>
public readonly record struct TrainingStep(int Epoch, int Epochs, int Step, int Steps, float Loss, int Correct, int Count);

/// <summary>What an epoch came to.</summary>
/// <param name="Loss">The mean over the training images, each as the net was at its step.</param>
/// <param name="Accuracy">Likewise, from 0 to 1.</param>
/// <param name="ValidationLoss">After the epoch, if there is a validation set.</param>
/// <param name="ValidationAccuracy">Likewise, from 0 to 1.</param>
public sealed record TrainingEpoch(double Loss, double Accuracy, double? ValidationLoss = null, double? ValidationAccuracy = null);

/// <summary>
/// The training loop with what people expect around it: a validation set, the best model kept, early stopping, progress, an end on request, and
/// checkpoints, from which a run that was killed goes on to the same weights, to the bit.
/// </summary>
/// <remarks>
/// <code>
/// var (train, validation) = images.Split(0.1, seed: 0, stratify: true);
/// Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f, momentum: 0.9f))
/// {
///     Epochs = 10, Validation = validation, KeepBest = true, CheckpointPath = "run.checkpoint", Resume = true,
/// };
/// IReadOnlyList&lt;TrainingEpoch&gt; epochs = trainer.Run(train);
/// </code>
/// A step is what a loop of one's own does: learning rate, Forward, loss, Backward, Step, ZeroGrad. Epoch e takes its batches, and what augmentation
/// does to them, by the seed Seed + e. The weights are the caller's to draw first: <see cref="Layer.Initialize(int)"/>. Numbers that are not finite
/// end the run before they reach a weight or a checkpoint.
/// </remarks>
/// <param name="model">From images to logits, [N, classes].</param>
/// <param name="optimizers">One, or one for each group of parameters.</param>
public sealed class Trainer(Layer model, params Optimizer[] optimizers)
{
    /// <summary>Times through the training images.</summary>
    public int Epochs { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>Images in a step.</summary>
    public int BatchSize { get; init => field = AtLeastOne(value); } = 64;

    /// <summary>What shuffling and augmentation hang on.</summary>
    public int Seed { get; init; }

    /// <summary>What is minimised; the cross-entropy of all classes alike if not given.</summary>
    public CrossEntropyLoss Loss { get; init; } = new();

    /// <summary>The optimizers' learning rate from step, from 0, and steps in all; without it they keep theirs. See <see cref="LearningRate"/>.</summary>
    public Func<int, int, float>? Schedule { get; init; }

    /// <summary>Changes the training images at random.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Images to score the model on after each epoch.</summary>
    public LabeledImages? Validation { get; init; }

    /// <summary>
    /// Whether the model ends as it was after its best epoch: of the highest validation accuracy, among equal ones of the lowest validation loss.
    /// </summary>
    public bool KeepBest { get; init; }

    /// <summary>Ends the run after so many epochs in a row that were no better than the best one; if not given, never.</summary>
    public int? Patience { get; init => field = value is int epochs ? AtLeastOne(epochs) : null; }

    /// <summary>Where to keep checkpoints: see <see cref="Checkpoint"/>. None if not given.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>The least time between two checkpoints; the end of a run, on request too, writes one in any case.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether to go on from the checkpoint, if there is one. Everything else must be as it was.</summary>
    public bool Resume { get; init; }

    /// <summary>Trains, and returns what each whole epoch came to, those before a checkpoint included.</summary>
    /// <param name="train">The training images.</param>
    /// <param name="progress">Told of every step, on this thread if it is not a <see cref="Progress{T}"/>.</param>
    /// <param name="cancellationToken">Ends the run after the step that it is at; a checkpoint is written.</param>
    /// <exception cref="ArgumentException">No images, or a setting that lacks another: KeepBest or Patience Validation, Resume CheckpointPath.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is of another model, optimizer or run; nothing has changed then.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written or read.</exception>
    /// <exception cref="NotFiniteNumberException">NaN or infinity; the message names where it came up first, and the last checkpoint is kept.</exception>
    public IReadOnlyList<TrainingEpoch> Run(
        LabeledImages train, IProgress<TrainingStep>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (train.Count == 0)
            throw new ArgumentException("there are no images to train on");
        if (Validation is null && (KeepBest || Patience is not null))
            throw new ArgumentException($"{nameof(KeepBest)} and {nameof(Patience)} need {nameof(Validation)} images: LabeledImages.Split gives some");
        if (Resume && CheckpointPath is null)
            throw new ArgumentException($"{nameof(Resume)} needs a {nameof(CheckpointPath)}");

        int inEpoch = (train.Count + BatchSize - 1) / BatchSize, steps = checked(Epochs * inEpoch);
        TrainingState state = new() { Settings = Settings(train), KeepsBest = KeepBest };
        if (Resume && Checkpoint.Exists(CheckpointPath!))
            state = TrainingState.Load(CheckpointPath!, model, optimizers, state);
        long saved = Stopwatch.GetTimestamp();
        while (state.Epoch < Epochs && !state.IsOutOf(Patience) && !cancellationToken.IsCancellationRequested)
        {
            int epoch = state.Epoch;
            foreach (Batch batch in train.Batches(BatchSize, Seed + epoch, Augmentation, state.Batch))
            {
                int step = epoch * inEpoch + state.Batch;
                (float loss, int correct) = Step(batch, step, steps, inEpoch);
                state.Add(loss, correct, batch.Labels.Length);
                progress?.Report(new(epoch, Epochs, step + 1, steps, loss, correct, batch.Labels.Length));
                if (state.Batch == inEpoch)
                    state.EndEpoch(Validation is null ? null : Evaluation.Of(model, Validation), model);
                if (cancellationToken.IsCancellationRequested)
                    break;
                if (CheckpointPath is not null && Stopwatch.GetElapsedTime(saved) >= CheckpointInterval)
                {
                    Save(state);
                    saved = Stopwatch.GetTimestamp();
                }
            }
        }
        if (CheckpointPath is not null)
            Save(state);
        if (state.Epoch == Epochs || state.IsOutOf(Patience))
            state.GiveBest(model);
        return state.History;
    }

    (float Loss, int Correct) Step(Batch batch, int step, int steps, int inEpoch)
    {
        if (Schedule is not null)
        {
            foreach (Optimizer optimizer in optimizers)
                optimizer.LearningRate = Schedule(step, steps);
        }
        Tensor<float> logits = model.Forward(batch.Images, training: true);
        float loss = Loss.Forward(logits, batch.Labels);
        if (!float.IsFinite(loss))
            throw NotFinite(FiniteCheck.Output(model, batch.Images), At());
        model.Backward(Loss.Backward());
        if (FiniteCheck.Gradient(model.Parameters) is { } parameter)
            throw NotFinite($"the gradient of {parameter}", At());
        foreach (Optimizer optimizer in optimizers)
            optimizer.Step();
        foreach (Optimizer optimizer in optimizers)
            optimizer.ZeroGrad();
        return (loss, Evaluation.CountCorrect(logits, batch.Labels));

        string At() => $"batch {step % inEpoch + 1} of {inEpoch} in epoch {step / inEpoch + 1}";
    }

    void Save(TrainingState state)
    {
        if (FiniteCheck.Value(model.Parameters) is { } parameter)
            throw NotFinite($"parameter {parameter}", state.Batch == 0 ? $"the end of epoch {state.Epoch}" : $"batch {state.Batch} of epoch {state.Epoch + 1}");
        state.Save(CheckpointPath!, model, optimizers);
    }

    /// <summary>What must be the same for a run to go on.</summary>
    Dictionary<string, string> Settings(LabeledImages train) => new()
    {
        ["training set"] = $"{train.Count} images of {train.Shape}",
        ["batch size"] = $"{BatchSize}",
        ["epochs"] = $"{Epochs}",
        ["seed"] = $"{Seed}",
        ["augmentation"] = Augmentation?.ToString() ?? "none",
        ["validation set"] = Validation is null ? "none" : $"{Validation.Count} images",
        ["best model"] = KeepBest ? "kept" : "not kept",
    };

    NotFiniteNumberException NotFinite(string where, string when) => new(
        $"NaN or infinity in {where}, at {when}{(CheckpointPath is null ? "" : $"; the last checkpoint is kept, {CheckpointPath}")}: "
        + "a smaller learning rate, or one that rises slowly, helps");

    static int AtLeastOne(int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        return value;
    }
}
