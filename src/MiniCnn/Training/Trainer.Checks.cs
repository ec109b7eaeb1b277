using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace MiniCnn;

/// <summary>Checks before a run begins or resumes.</summary>
public sealed partial class Trainer
{
    /// <summary>Throws on errors that would appear only late in the run. Returns the number of batches in an epoch.</summary>
    int Check(ImageDataset train)
    {
        ArgumentNullException.ThrowIfNull(train);
        CheckSettings();
        CheckFiles();
        Augmentation?.Check(train.Shape);
        Evaluation.Check(model, train, Loss);
        (train as MaskedImages)?.RefuseBlack();
        if (Validation is not null)
        {
            Evaluation.CheckAlike("the training images", train.ClassNames, train.Mean, train.Std, train.Fit, "the validation images", Validation);
            Evaluation.Check(model, Validation, Loss);
        }
        int epochBatches = train.Count / BatchSize + (train.Count % BatchSize > 0 && !DropLast ? 1 : 0);
        if (epochBatches == 0)
            throw new ArgumentException($"{nameof(DropLast)} leaves no batch: {train.Count} images are fewer than a {nameof(BatchSize)} of {BatchSize}");
        bool single = BatchSize == 1 || train.Count % BatchSize == 1 && !DropLast;
        if (single && OneValue(model, train.Shape) is { } norm)
        {
            throw new ArgumentException(
                $"{norm.Description} normalizes {(norm is BatchNorm1d ? "features" : "1×1 maps")}, so a batch of one image has only one value per channel, and "
                + (BatchSize == 1 ? $"{nameof(BatchSize)} is 1: use a larger one"
                    : $"the last batch of {train.Count} images in batches of {BatchSize} has one image: set {nameof(DropLast)} = true"));
        }
        train.RefuseOneClass();
        long steps = (long)Epochs * StepsOf(epochBatches);
        if (steps > int.MaxValue)
            throw new ArgumentException($"{Epochs} epochs of {StepsOf(epochBatches)} steps are more than {int.MaxValue} steps; use fewer epochs");
        if (Patience is not null && IsOtherFor((int)steps, (int)long.Min(2 * steps, int.MaxValue)))
        {
            throw new ArgumentException(
                $"{nameof(Patience)} would end the run before its {nameof(Schedule)}, which depends on the number of steps, has lowered the rate: remove "
                + $"{nameof(Patience)} ({nameof(KeepBest)} keeps the best epoch), or use LearningRate.Step or {nameof(ReduceOnPlateau)}");
        }
        return epochBatches;
    }

    void CheckSettings()
    {
        if (optimizers.Length == 0)
            throw new ArgumentException("a Trainer needs an optimizer");
        if (optimizers.FirstOrDefault(optimizer => !(optimizer.LearningRate > 0)) is { } still)
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"the learning rate of {still.GetType().Name} is {still.LearningRate}, but it must be above 0: set it to the largest rate of the run, ")
                + $"such as 0.05; {nameof(Schedule)} is a factor on it");
        }
        string[] following =
        [
            Monitor != Metric.Loss ? nameof(Monitor) : "", KeepBest ? nameof(KeepBest) : "", BestModelPath is not null ? nameof(BestModelPath) : "",
            Patience is not null ? nameof(Patience) : "", ReduceOnPlateau is not null ? nameof(ReduceOnPlateau) : "",
        ];
        if (Validation is null && following.FirstOrDefault(name => name is not "") is string needs)
            throw new ArgumentException($"{needs} needs {nameof(Validation)} images: use Split to get some");
        if (Patience <= ReduceOnPlateau?.Patience + 1)
        {
            throw new ArgumentException(
                $"{nameof(ReduceOnPlateau)} waits for {ReduceOnPlateau!.Patience + 1} epochs without improvement, but {nameof(Patience)} ends the run after "
                + $"{Patience}: use a larger {nameof(Patience)}, or a smaller {nameof(ReduceOnPlateau)}.Patience");
        }
    }

    void CheckFiles()
    {
        if (Resume && CheckpointPath is null)
            throw new ArgumentException($"{nameof(Resume)} needs a {nameof(CheckpointPath)}");
        foreach (string path in new[] { CheckpointPath, BestModelPath }.OfType<string>())
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is string folder && !Directory.Exists(folder))
                throw new DirectoryNotFoundException($"{path}: the folder does not exist");
        }
        if (CheckpointPath is not null && BestModelPath is not null && Path.GetFullPath(CheckpointPath) == Path.GetFullPath(BestModelPath))
            throw new ArgumentException($"{nameof(CheckpointPath)} and {nameof(BestModelPath)} are the same file, {CheckpointPath}; use two different files");
        if (Resume || Overwrite)
            return;
        if (CheckpointPath is not null && Checkpoint.Exists(CheckpointPath))
        {
            throw new IOException(
                $"{CheckpointPath}: the checkpoint of a run exists; {nameof(Resume)} = true resumes it, another {nameof(CheckpointPath)} keeps it");
        }
        if (BestModelPath is not null && File.Exists(BestModelPath))
            throw new IOException($"{BestModelPath}: a model exists; another {nameof(BestModelPath)} keeps it");
    }

    /// <summary>Returns a batch norm inside the layer that computes statistics of features or 1×1 maps; null if there is none.</summary>
    static BatchNorm? OneValue(Layer layer, ImageShape input) => layer switch
    {
        BatchNorm { HoldInEvaluation: false } norm when input is { Height: 1, Width: 1 } => norm,
        Container container => container.Inputs(input).Select(part => OneValue(part.Layer, part.Input)).FirstOrDefault(found => found is not null),
        _ => null,
    };

    /// <summary>Returns the state in which the run begins, a new one or that of the checkpoint, and the note for a run that resumes.</summary>
    (TrainingState State, string? Note) Begin(ImageDataset train, float[] rates, int epochBatches, CancellationToken cancellationToken)
    {
        int epochSteps = StepsOf(epochBatches), steps = Epochs * epochSteps;
        TrainingState state = new()
        {
            Settings = CheckpointPath is null ? [] : Settings(train),
            Choices = CheckpointPath is null ? [] : Choices(rates, steps),
            Epochs = Epochs,
            KeepsBest = KeepBest,
        };
        if (!Resume || !Checkpoint.Exists(CheckpointPath!))
        {
            if (CheckpointPath is not null && !cancellationToken.IsCancellationRequested)
                Checkpoint.Delete(CheckpointPath);
            return (state, null);
        }
        string changes = "";
        TrainingState found = TrainingState.Load(CheckpointPath!, model, optimizers, (path, there) => changes = Compare(path, there, state, rates, epochBatches));
        for (int i = 0; i < rates.Length; i++)
            optimizers[i].LearningRate = rates[i];
        (found.Epochs, found.Choices) = (state.Epochs, state.Choices);
        return (found, $"resumed after step {found.Epoch * epochSteps + StepsOf(found.Batch)} of {steps}{changes}");
    }

    /// <summary>Throws if the checkpoint is of another run. Returns the settings that have changed and may change.</summary>
    string Compare(string path, TrainingState there, TrainingState here, float[] rates, int epochBatches)
    {
        foreach ((string name, string value) in here.Settings)
        {
            if (there.Settings.GetValueOrDefault(name, "?") is var old && old != value)
            {
                throw new InvalidDataException(
                    $"{path}: the checkpoint is of another run (its {name}: {old}; this run's: {value}); "
                    + $"use the same {name}, or another {nameof(CheckpointPath)}");
            }
        }
        if (there.Batch >= epochBatches)
            throw new InvalidDataException($"{path}: the checkpoint is at batch {there.Batch}, but an epoch has {epochBatches} batches");
        int then = (int)long.Min((long)there.Epochs * StepsOf(epochBatches), int.MaxValue), now = here.Epochs * StepsOf(epochBatches);
        if (then != now && IsOtherFor(then, now))
        {
            throw new InvalidDataException(
                $"{path}: the checkpoint's run has {there.Epochs} epochs, this run {Epochs}, and the {nameof(Schedule)} depends on their number: "
                + $"use {there.Epochs} epochs, or a {nameof(Schedule)} that does not depend on it, such as (_, _) => 0.1f");
        }
        return string.Concat(Choices(rates, then).Where(choice => there.Choices.GetValueOrDefault(choice.Key) != choice.Value)
            .Select(choice => $"; {choice.Key} {there.Choices.GetValueOrDefault(choice.Key, "?")} → {choice.Value}"));
    }

    /// <summary>Whether the schedule gives other factors for another total number of steps. Up to 1,000 steps are compared.</summary>
    bool IsOtherFor(int steps, int otherSteps) => Schedule is not null && Sampled(int.Min(steps, otherSteps)).Any(
        step => Schedule(step, steps) != Schedule(step, otherSteps));

    static IEnumerable<int> Sampled(int steps)
    {
        int samples = int.Min(steps, 1000);
        return Enumerable.Range(0, samples).Select(i => (int)(i * (steps - 1L) / int.Max(samples - 1, 1)));
    }

    /// <summary>Settings that must be the same when a run resumes.</summary>
    Dictionary<string, string> Settings(ImageDataset train) => new()
    {
        ["model"] = Hash(Encoding.UTF8.GetBytes(model.Summary(train.Shape))),
        ["optimizers"] = string.Join(", ", optimizers.Select(optimizer => optimizer.GetType().Name)),
        ["loss"] = $"{Loss}",
        ["training set"] = train.Describe(),
        ["batch size"] = $"{BatchSize}{(DropLast ? ", the last one dropped" : "")}{(AccumulateGradBatches > 1 ? $", {AccumulateGradBatches} to a step" : "")}",
        ["seed"] = $"{Seed}",
        ["augmentation"] = $"{Augmentation ?? new()}",
        ["validation set"] = Validation is null ? "none" : Validation.Describe(),
        ["monitor"] = $"{Monitor}",
        ["best model"] = KeepBest ? "kept" : "not kept",
    };

    /// <summary>Settings that may change when a run resumes; changes are reported in its note.</summary>
    Dictionary<string, string> Choices(float[] rates, int steps)
    {
        Dictionary<string, string> choices = new() { ["epochs"] = $"{Epochs}" };
        for (int i = 0; i < optimizers.Length; i++)
        {
            string of = optimizers.Length == 1 ? "" : $" of optimizer {i}";
            choices[$"learning rate{of}"] = FormattableString.Invariant($"{rates[i]}");
            foreach ((string name, double value) in optimizers[i].Settings)
                choices[$"{name}{of}"] = FormattableString.Invariant($"{(float)value}");
        }
        float[] factors = Schedule is null ? [] : [.. Sampled(steps).Select(step => Schedule(step, steps))];
        choices["schedule"] = factors is [] ? "none" : FormattableString.Invariant(
            $"{factors[0]:G3} to {factors.Max():G3} to {factors[^1]:G3} ({Hash(MemoryMarshal.AsBytes<float>(factors))})");
        choices[nameof(ReduceOnPlateau)] = ReduceOnPlateau?.ToString() ?? "none";
        choices[nameof(Patience)] = Patience is null ? "none" : $"{Patience}";
        choices[nameof(ClipNorm)] = ClipNorm is null ? "none" : FormattableString.Invariant($"{ClipNorm}");
        return choices;
    }

    static string Hash(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(SHA256.HashData(data))[..8];
}
