using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace MiniCnn;

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
/// does to them, by the seed Seed + e. The weights are the caller's to draw first: <see cref="Layer.Initialize(int)"/>. NaN and infinity end the run:
/// no gradient that holds them is used, and no checkpoint does; batch norm's running statistics may by then, so load the checkpoint to go on.
/// </remarks>
/// <param name="model">From images to logits, [N, classes].</param>
/// <param name="optimizers">One, or one for each group of parameters.</param>
public sealed class Trainer(Layer model, params Optimizer[] optimizers)
{
    readonly Layer model = model ?? throw new ArgumentNullException(nameof(model));

    /// <summary>Times through the training images; a run that goes on cannot have more of them than it began with.</summary>
    public int Epochs { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>Images in a step.</summary>
    public int BatchSize { get; init => field = AtLeastOne(value); } = 64;

    /// <summary>What shuffling and augmentation hang on.</summary>
    public int Seed { get; init; }

    /// <summary>What is minimised; the cross-entropy of all classes alike if not given.</summary>
    public CrossEntropyLoss Loss { get; init; } = new();

    /// <summary>
    /// A factor on each optimizer's own learning rate, from the step, from 0, and the steps in all: see <see cref="LearningRate"/>. So the optimizer has the
    /// largest rate of the run, and several optimizers keep the ratio of theirs. When the run ends, they have their own rates again.
    /// </summary>
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

    /// <summary>Where to keep checkpoints: see <see cref="Checkpoint"/>. None if not given. A run that does not resume removes what is there.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>The least time between two checkpoints; the end of a run, on request too, writes one in any case.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether to go on from the checkpoint, if there is one. Images, loss, schedule and all other settings must be as they were.</summary>
    public bool Resume { get; init; }

    /// <summary>Trains, and returns what each whole epoch came to, those before a checkpoint included.</summary>
    /// <param name="train">The training images.</param>
    /// <param name="progress">Told of every step, on this thread if it is not a <see cref="Progress{T}"/>.</param>
    /// <param name="cancellationToken">Ends the run after the step that it is at; a checkpoint is written.</param>
    /// <exception cref="ArgumentException">No images or optimizer, images that the model does not fit, or a setting that lacks another.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is of another model, optimizer or run; nothing has changed then.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written or read.</exception>
    /// <exception cref="NotFiniteNumberException">NaN or infinity; the message names where it came up first, and the last checkpoint is kept.</exception>
    public IReadOnlyList<TrainingEpoch> Run(
        LabeledImages train, IProgress<TrainingStep>? progress = null, CancellationToken cancellationToken = default)
    {
        int epochBatches = Check(train);
        float[] rates = Array.ConvertAll(optimizers, optimizer => optimizer.LearningRate);
        try
        {
            return Run(train, epochBatches, rates, progress, cancellationToken);
        }
        finally
        {
            SetRates(rates, factor: 1);
        }
    }

    IReadOnlyList<TrainingEpoch> Run(
        LabeledImages train, int epochBatches, float[] rates, IProgress<TrainingStep>? progress, CancellationToken cancellationToken)
    {
        int steps = Epochs * epochBatches;
        TrainingState state = new() { Settings = CheckpointPath is null ? [] : Settings(train), KeepsBest = KeepBest };
        if (Resume && Checkpoint.Exists(CheckpointPath!))
            state = TrainingState.Load(CheckpointPath!, model, optimizers, state, epochBatches);
        else if (CheckpointPath is not null && !cancellationToken.IsCancellationRequested)
            Checkpoint.Delete(CheckpointPath);                   // another run's: killed before its first one, this run has none
        foreach (Optimizer optimizer in optimizers)
            optimizer.ZeroGrad();
        long saved = Stopwatch.GetTimestamp();
        bool moved = false;
        while (state.Epoch < Epochs && !state.IsOutOf(Patience) && !cancellationToken.IsCancellationRequested)
        {
            int epoch = state.Epoch;
            foreach (Batch batch in train.Batches(BatchSize, Seed + epoch, Augmentation, state.Batch))
            {
                int step = epoch * epochBatches + state.Batch;
                (float loss, int correct) = Step(batch, rates, step, steps);
                moved = true;
                state.Add(loss, correct, batch.Labels.Length);
                if (state.Batch == epochBatches)
                    EndEpoch(state);
                TrainingEpoch? ended = state.Batch == 0 ? state.History[^1] : null;
                progress?.Report(new(epoch, Epochs, step + 1, steps, loss, correct, batch.Labels.Length, ended));
                if (cancellationToken.IsCancellationRequested)
                    break;
                if (CheckpointPath is not null && Stopwatch.GetElapsedTime(saved) >= CheckpointInterval)
                {
                    Save(state);
                    saved = Stopwatch.GetTimestamp();
                }
            }
        }
        if (moved)
            Save(state);
        state.GiveBest(model);
        return state.History;
    }

    /// <summary>Refuses what would show late, and returns the steps of an epoch.</summary>
    int Check(LabeledImages train)
    {
        ArgumentNullException.ThrowIfNull(train);
        if (optimizers.Length == 0)
            throw new ArgumentException("a Trainer needs an optimizer");
        if (optimizers.FirstOrDefault(optimizer => !(optimizer.LearningRate > 0)) is { } still)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"the learning rate of {still.GetType().Name} is {still.LearningRate}, so nothing would be learnt: give it the largest rate of the run, ")
                + $"such as 0.05; a {nameof(Schedule)} is a factor on it");
        }
        if (Validation is null && (KeepBest || Patience is not null))
            throw new ArgumentException($"{nameof(KeepBest)} and {nameof(Patience)} need {nameof(Validation)} images: LabeledImages.Split gives some");
        if (Resume && CheckpointPath is null)
            throw new ArgumentException($"{nameof(Resume)} needs a {nameof(CheckpointPath)}");
        Evaluation.Check(model, train);
        if (Validation is not null)
            Evaluation.Check(model, Validation);
        if (CheckpointPath is not null && Path.GetDirectoryName(Path.GetFullPath(CheckpointPath)) is string folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{CheckpointPath}: there is no such folder");
        int epochBatches = (train.Count + BatchSize - 1) / BatchSize;
        if ((long)Epochs * epochBatches > int.MaxValue)
            throw new ArgumentException($"{Epochs} epochs of {epochBatches} steps are more than {int.MaxValue} steps; give fewer");
        return epochBatches;
    }

    void EndEpoch(TrainingState state)
    {
        Evaluation? validation = Validation is null ? null : Evaluation.Of(model, Validation);
        if (validation is { Loss: double loss } && !double.IsFinite(loss))
            throw NotFinite("the validation loss", $"the end of epoch {state.Epoch + 1}");
        state.EndEpoch(validation, model);
    }

    (float Loss, int Correct) Step(Batch batch, float[] rates, int step, int steps)
    {
        if (Schedule is not null)
            SetRates(rates, Schedule(step, steps));
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

        string At()
        {
            (int epoch, int before) = Math.DivRem(step, steps / Epochs);
            return $"batch {before + 1} of {steps / Epochs} in epoch {epoch + 1}";
        }
    }

    void SetRates(float[] own, float factor)
    {
        for (int i = 0; i < own.Length; i++)
            optimizers[i].LearningRate = own[i] * factor;
    }

    /// <summary>Looks at all numbers, and writes them to the checkpoint if there is one.</summary>
    void Save(TrainingState state)
    {
        KeyValuePair<string, SafeTensors.Entry>[] tensors = Checkpoint.Tensors(model, optimizers, state.BestOf(model));
        if (FiniteCheck.Tensor(tensors) is { } name)
            throw NotFinite(name, state.Batch == 0 ? $"the end of epoch {state.Epoch}" : $"batch {state.Batch} of epoch {state.Epoch + 1}");
        if (CheckpointPath is not null)
            Checkpoint.Write(model, CheckpointPath, state.Metadata, tensors);
    }

    /// <summary>What must be the same for a run to go on.</summary>
    Dictionary<string, string> Settings(LabeledImages train) => new()
    {
        ["model"] = Hash(Encoding.UTF8.GetBytes(model.Summary(train.Shape))),
        ["training set"] = Describe(train),
        ["batch size"] = $"{BatchSize}",
        ["epochs"] = $"{Epochs}",
        ["seed"] = $"{Seed}",
        ["augmentation"] = $"{Augmentation ?? new()}",
        ["validation set"] = Validation is null ? "none" : Describe(Validation),
        ["best model"] = KeepBest ? "kept" : "not kept",
    };

    static string Describe(LabeledImages images)
    {
        string numbers = Hash(
            images.Pixels, MemoryMarshal.AsBytes(images.Labels), MemoryMarshal.AsBytes(images.Mean), MemoryMarshal.AsBytes(images.Std));
        return $"{images.Count} images of {images.Shape} ({numbers})";
    }

    static string Hash(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b = default, ReadOnlySpan<byte> c = default, ReadOnlySpan<byte> d = default)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(a);
        hash.AppendData(b);
        hash.AppendData(c);
        hash.AppendData(d);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..8];
    }

    NotFiniteNumberException NotFinite(string where, string when) => new(
        $"NaN or infinity in {where}, at {when}; a smaller learning rate helps, or one that rises slowly"
        + (CheckpointPath is not null && Checkpoint.Exists(CheckpointPath) ? $"; the last checkpoint is kept: {CheckpointPath}" : ""));

    static int AtLeastOne(int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        return value;
    }
}
