using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The training loop plus validation, keeping the best model, early stopping, progress, cancellation, and
/// checkpoints, from which a run that was killed goes on to the same weights, to the bit.
/// </summary>
/// <remarks>
/// <code>
/// var (train, validation) = images.Split(0.1, seed: 0, stratify: true);
/// Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f, momentum: 0.9f))
/// {
///     Epochs = 10, Validation = validation, KeepBest = true, CheckpointPath = "run.checkpoint", Resume = true,
/// };
/// Console.WriteLine(trainer.Run(train));
/// </code>
/// A step is what a loop of one's own does: learning rate, Forward, loss, Backward, Step, ZeroGrad. Each epoch takes its batches, and what augmentation
/// does to them, by a seed of its own, which Philox makes of Seed and the epoch's index. The weights are the caller's to draw first:
/// <see cref="Layer.Initialize(int)"/>. NaN and infinity end the run: no gradient that holds them is used, and no checkpoint does; batch norm's running
/// statistics may by then, so load the checkpoint to go on. A batch whose labels the loss all ignores changes no weight and counts in no number.
/// </remarks>
/// <param name="model">From images to logits: [N, classes], or for images with masks [N, classes, H, W].</param>
/// <param name="optimizers">One, or one for each group of parameters.</param>
public sealed partial class Trainer(Layer model, params Optimizer[] optimizers)
{
    const uint EpochSeeds = 0x45706F63;                          // what Philox's words are for: not a layer's place

    readonly Layer model = model ?? throw new ArgumentNullException(nameof(model));

    internal Layer Model => model;

    internal IReadOnlyList<Optimizer> Optimizers => optimizers;

    /// <summary>Times through the training images.</summary>
    public int Epochs { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>Images in a batch.</summary>
    public int BatchSize { get; init => field = AtLeastOne(value); } = 64;

    /// <summary>Whether an epoch leaves out what is left of the images when the last full batch has been taken; others in each epoch.</summary>
    public bool DropLast { get; init; }

    /// <summary>
    /// Batches in a step: the gradient is the mean over the images of so many batches together, as of one batch of their size, in the memory of one. An
    /// epoch's last step takes the batches that are left, and the mean over these. Batch norm sees each batch by itself.
    /// </summary>
    public int AccumulateGradBatches { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>The largest norm of all gradients together: see <see cref="GradientClipping.ClipNorm"/>. Without it they stay as they are.</summary>
    public float? ClipNorm
    {
        get;
        init => field = value is null or > 0 ? value : throw new ArgumentOutOfRangeException(nameof(ClipNorm), value, "a largest norm must be above 0");
    }

    /// <summary>Seed of shuffling and augmentation.</summary>
    public int Seed { get; init; }

    /// <summary>What is minimised; the cross-entropy of all classes alike if not given.</summary>
    public LabelLoss Loss { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = new CrossEntropyLoss();

    /// <summary>
    /// A factor on each optimizer's own learning rate, from the step, from 0, and the steps in all: see <see cref="LearningRate"/>. So the optimizer has the
    /// largest rate of the run, and several optimizers keep the ratio of theirs. When the run ends, they have their own rates again.
    /// </summary>
    public Func<int, int, float>? Schedule { get; init; }

    /// <summary>Reduces the learning rates when epochs get no better by <see cref="Monitor"/>, besides what <see cref="Schedule"/> does to them.</summary>
    public ReduceOnPlateau? ReduceOnPlateau { get; init; }

    /// <summary>Changes the training images at random.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Images to score the model on after each epoch, by the same <see cref="Loss"/> and in batches of the same size.</summary>
    public ImageDataset? Validation { get; init; }

    /// <summary>
    /// What tells which epoch is the best: <see cref="KeepBest"/>, <see cref="BestModelPath"/>, <see cref="Patience"/> and <see cref="ReduceOnPlateau"/>
    /// follow it. Among epochs that it calls equal the one of the lowest validation loss is the best.
    /// </summary>
    public Metric Monitor { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = Metric.Loss;

    /// <summary>Whether the model ends as it was after its best epoch.</summary>
    public bool KeepBest { get; init; }

    /// <summary>
    /// Where to write the model as soon as an epoch is the best so far: a file of <see cref="ImageModel.Save"/>, or, of a network that only code can
    /// make, of <see cref="Weights.Save"/>. It is whole at any time.
    /// </summary>
    public string? BestModelPath { get; init; }

    /// <summary>
    /// Ends the run after so many epochs in a row that were no better than the best one; if not given, never. It counts from the last epoch in which
    /// <see cref="Schedule"/> raised the rate, a warm-up's. A schedule that depends on the number of steps is refused beside it: the run would end
    /// before the rate comes down.
    /// </summary>
    public int? Patience { get; init => field = value is int epochs ? AtLeastOne(epochs) : null; }

    /// <summary>Where to keep checkpoints: see <see cref="Checkpoint"/>. None if not given.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>The least time between two checkpoints; the end of a run, on request too, writes one in any case.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether to go on from the checkpoint, if there is one. Model, kinds of optimizers, loss, images, batches, seed, augmentation and monitor must be as they
    /// were. Learning rates, momentum and its like, patience and clipping are this run's, the number of epochs too where the schedule does not depend on
    /// it; <see cref="TrainingResult.Note"/> says what is other than it was.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>
    /// Whether a run that does not resume may take the place of another's checkpoint and best model; else it is refused where there are some. The
    /// checkpoint is removed as the run begins: killed before its first one, it has none.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>Trains, and returns what each epoch came to, which was the best, and why the run ended.</summary>
    /// <param name="train">The training images.</param>
    /// <param name="progress">
    /// Told of every step, on this thread if it is not a <see cref="Progress{T}"/>. If it is an <see cref="IProgress{T}"/> of <see cref="TrainingResult"/> too,
    /// it is told of the result; if of <see cref="Exception"/>, of what ended the run instead.
    /// </param>
    /// <param name="cancellationToken">Ends the run after the step that it is at; a checkpoint is written.</param>
    /// <exception cref="ArgumentException">
    /// No images or optimizer, images that the model does not fit, validation images of other classes or another normalisation, a setting that lacks another
    /// or does not go with it, or a batch in which a batch norm would see one value a channel.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint is of another model, optimizer or run; nothing has changed then.</exception>
    /// <exception cref="IOException">There is a checkpoint or a best model that this run would overwrite; or one cannot be written or read.</exception>
    /// <exception cref="NotFiniteNumberException">NaN or infinity; the message names where it came up first, and the last checkpoint is kept.</exception>
    [OverloadResolutionPriority(1)]                              // for a null
    public TrainingResult Run(ImageDataset train, IProgress<TrainingStep>? progress = null, CancellationToken cancellationToken = default)
    {
        int epochBatches = Check(train);
        float[] rates = Array.ConvertAll(optimizers, optimizer => optimizer.LearningRate);
        TrainingResult result;
        try
        {
            result = Run(train, epochBatches, rates, progress, cancellationToken);
        }
        catch (Exception e) when (progress is IProgress<Exception>)
        {
            ((IProgress<Exception>)progress).Report(e);
            throw;
        }
        finally
        {
            for (int i = 0; i < rates.Length; i++)
                optimizers[i].LearningRate = rates[i];
        }
        (progress as IProgress<TrainingResult>)?.Report(result);
        return result;
    }

    /// <summary>The same, telling an action of every step: <c>trainer.Run(train, step => Console.WriteLine(step.Loss))</c>.</summary>
    /// <inheritdoc cref="Run(ImageDataset, IProgress{TrainingStep}, CancellationToken)"/>
    public TrainingResult Run(ImageDataset train, Action<TrainingStep> progress, CancellationToken cancellationToken = default) =>
        Run(train, new Told(progress ?? throw new ArgumentNullException(nameof(progress))), cancellationToken);

    TrainingResult Run(ImageDataset train, int epochBatches, float[] rates, IProgress<TrainingStep>? progress, CancellationToken cancellationToken)
    {
        int epochSteps = StepsOf(epochBatches), steps = Epochs * epochSteps;
        (TrainingState state, string? note) = Begin(train, rates, epochBatches, cancellationToken);
        foreach (Optimizer optimizer in optimizers)
            optimizer.ZeroGrad();
        long saved = Stopwatch.GetTimestamp();
        string? news = note;
        IReadOnlyList<TrainingEpoch>? before = note is null ? null : [.. state.History];
        bool moved = false;
        while (state.Epoch < Epochs && !IsOutOfPatience() && !cancellationToken.IsCancellationRequested)
        {
            int epoch = state.Epoch;
            TrainingSums sums = default;                         // over the batches of a step
            foreach (Batch batch in train.Batches(BatchSize, EpochSeed(Seed, epoch), Augmentation, state.Batch).Take(epochBatches - state.Batch))
            {
                state.Batch++;
                sums += Gradient(batch, train.Classes, At);
                if (state.Batch % AccumulateGradBatches != 0 && state.Batch < epochBatches)
                    continue;
                int step = epoch * epochSteps + StepsOf(state.Batch);
                SetRates(rates, step - 1, steps, state.Plateau);
                Step(sums.Weight, At);
                moved = true;
                state.Sums += sums;
                Evaluation? validation = state.Batch == epochBatches ? EndEpoch(state, train) : null;
                TrainingEpoch? ended = state.Batch == 0 ? state.History[^1] : null;
                progress?.Report(new(
                    epoch, Epochs, step, steps, sums.Images, (float)sums.MeanLoss, sums.Correct, sums.Count, ended, state.BestEpoch < 0 ? null : state.BestEpoch,
                    Monitor.Name, news, before, validation));
                (sums, news, before) = (default, null, null);
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
        TrainingEnd endedBy = state.Epoch >= Epochs ? TrainingEnd.AllEpochs : IsOutOfPatience() ? TrainingEnd.Patience : TrainingEnd.Cancelled;
        return new(this, state, endedBy, note);

        bool IsOutOfPatience() => Patience is not null && state.IsOutOf(Patience, since: LastRise(state.Epoch, epochSteps, steps));

        string At() => $"batch {state.Batch} of {epochBatches} in epoch {state.Epoch + 1}";
    }

    /// <summary>The seed of an epoch's order and augmentation: no epoch of a run is one of the run of the next seed.</summary>
    internal static int EpochSeed(int seed, int epoch) => (int)Philox.Block((uint)epoch, 0, 0, EpochSeeds, (uint)seed, 0).Item1;

    /// <summary>The steps that so many batches of an epoch take.</summary>
    int StepsOf(int batches) => (batches + AccumulateGradBatches - 1) / AccumulateGradBatches;

    /// <summary>Whether the gradients of several means become that of one.</summary>
    bool AddsMeans => AccumulateGradBatches > 1 && Loss.Reduction == Reduction.Mean;

    /// <summary>Adds a batch's gradient to the parameters'; where a step has several batches, that of its sum, not its mean.</summary>
    TrainingSums Gradient(Batch batch, int classes, Func<string> at)
    {
        Tensor<float> logits = model.Forward(batch.Images, training: true);
        Loss.Forward(logits, batch.Labels);
        int images = (int)batch.Images.Lengths[0];
        if (Loss.Total == 0)
            return new(0, 0, 0, 0, images);                      // no label counts: a mean of nothing
        if (!double.IsFinite(Loss.Sum))
            throw NotFinite(FiniteCheck.Output(model, batch.Images), at());
        Tensor<float> dy = Loss.Backward();
        if (AddsMeans)
            TensorPrimitives.Multiply(dy.AsSpan(), (float)Loss.Total, dy.AsSpan());
        model.Backward(dy);
        if (FiniteCheck.Gradient(model.Parameters) is { } parameter)
            throw NotFinite($"the gradient of {parameter}", at());
        int correct = Evaluation.CountCorrect(logits, batch.Labels, Loss.IgnoreIndex, classes);
        return new(Loss.Sum, Loss.Total, correct, batch.Labels.Length - batch.Labels.AsSpan().Count(Loss.IgnoreIndex), images);
    }

    /// <summary>Moves the parameters against the gradients of batches of a weight together.</summary>
    void Step(double weight, Func<string> at)
    {
        if (weight == 0)
            return;
        for (int i = 0; AddsMeans && i < model.Parameters.Count; i++)
        {
            Span<float> gradient = model.Parameters[i].GradientAs<float>();
            TensorPrimitives.Divide(gradient, (float)weight, gradient);
        }
        if (ClipNorm is float most && !float.IsFinite(GradientClipping.ClipNorm(model.Parameters, most)))
            throw NotFinite("the norm of all gradients", at());
        foreach (Optimizer optimizer in optimizers)
            optimizer.Step();
        foreach (Optimizer optimizer in optimizers)
            optimizer.ZeroGrad();
    }

    /// <summary>Gives the optimizers their rates for a step: their own, as they are reduced by now, times the schedule's factor.</summary>
    void SetRates(float[] own, int step, int steps, ReduceOnPlateau.State plateau)
    {
        for (int i = 0; (Schedule is not null || ReduceOnPlateau is not null) && i < own.Length; i++)
        {
            float rate = ReduceOnPlateau is null ? own[i] : plateau.Of(own[i], ReduceOnPlateau);
            optimizers[i].LearningRate = Schedule is null ? rate : rate * Schedule(step, steps);
        }
    }

    /// <summary>The last of so many epochs in which the schedule raised the rate, or −1.</summary>
    int LastRise(int epochs, int epochSteps, int steps)
    {
        int epoch = Schedule is null ? -1 : epochs - 1;
        while (epoch >= 0 && !(Schedule!((epoch + 1) * epochSteps - 1, steps) > Schedule(int.Max(epoch * epochSteps - 1, 0), steps)))
            epoch--;
        return epoch;
    }

    /// <summary>Scores the model, and returns what it makes of the validation images, if there are any.</summary>
    Evaluation? EndEpoch(TrainingState state, ImageDataset train)
    {
        Evaluation? validation = Validation is null ? null : Evaluation.Of(model, Validation, BatchSize, Loss);
        if (validation is { Loss: double loss } && !double.IsFinite(loss))
            throw NotFinite("the validation loss", $"the end of epoch {state.Epoch + 1}");
        state.EndEpoch(validation, Monitor, optimizers[0].LearningRate, model);
        if (ReduceOnPlateau is not null)
            state.Plateau.Step(state.History[^1].Monitored!.Value, Monitor.HigherIsBetter, ReduceOnPlateau);
        if (BestModelPath is null || state.BestEpoch != state.Epoch - 1)
            return validation;
        try
        {
            ImageModel.Of(model, train).Save(BestModelPath);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)     // a layer that only code can make, images of other than 1 or 3 channels
        {
            Weights.Save(model, BestModelPath);
        }
        return validation;
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

    NotFiniteNumberException NotFinite(string where, string when) => new(
        $"NaN or infinity in {where}, at {when}; a smaller learning rate helps, or one that rises slowly"
        + (CheckpointPath is not null && Checkpoint.Exists(CheckpointPath) ? $"; the last checkpoint is kept: {CheckpointPath}" : ""));

    static int AtLeastOne(int value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, name);
        return value;
    }

    sealed class Told(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }
}
