using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The training loop with validation, selection of the best model, early stopping, progress reports, cancellation and checkpoints. A run that was killed can
/// resume from its checkpoint, and ends with bit-identical weights.
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
/// A step sets the learning rate and calls Forward, the loss, Backward, Step and ZeroGrad. Each epoch has its own seed for shuffling and augmentation, which
/// Philox computes from <see cref="Seed"/> and the index of the epoch. The trainer continues from the current weights: call <see cref="Layer.Initialize(int)"/>
/// first to draw new ones. NaN and infinity end the run. A gradient that contains them is not used, and they are never written to a checkpoint. The running
/// statistics of a batch norm may contain them then, so load the checkpoint before you continue. If the loss ignores all labels of a batch, the batch changes
/// no weight and does not count in loss and accuracy.
/// </remarks>
/// <param name="model">Maps images [N, C, H, W] to logits [N, classes], or [N, classes, H, W] for images with masks.</param>
/// <param name="optimizers">One optimizer, or one for each group of parameters.</param>
public sealed partial class Trainer(Layer model, params Optimizer[] optimizers)
{
    const uint EpochSeeds = 0x45706F63;                          // “Epoc” in ASCII: separates these random numbers from those of the layers

    readonly Layer model = model ?? throw new ArgumentNullException(nameof(model));

    internal Layer Model => model;

    internal IReadOnlyList<Optimizer> Optimizers => optimizers;

    /// <summary>Number of epochs. The default is 1.</summary>
    public int Epochs { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>Number of images in a batch. The default is 64.</summary>
    public int BatchSize { get; init => field = AtLeastOne(value); } = 64;

    /// <summary>
    /// Whether to drop the last incomplete batch of each epoch. Images are shuffled, so different images are dropped in each epoch. The default is false.
    /// </summary>
    public bool DropLast { get; init; }

    /// <summary>
    /// Number of batches in one optimizer step. The default is 1. The gradient is the mean over the images of these batches, as if they were one large batch,
    /// but with the memory of one batch. The last step of an epoch uses the remaining batches. Batch norm normalizes each batch separately.
    /// </summary>
    public int AccumulateGradBatches { get; init => field = AtLeastOne(value); } = 1;

    /// <summary>Maximum norm of the gradients of all parameters: see <see cref="GradientClipping.ClipNorm"/>. The default is no clipping.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not above 0.</exception>
    public float? ClipNorm
    {
        get;
        init => field = value is null or > 0 ? value : throw new ArgumentOutOfRangeException(nameof(ClipNorm), value, "the maximum norm must be above 0");
    }

    /// <summary>Seed of shuffling and augmentation. The default is 0.</summary>
    public int Seed { get; init; }

    /// <summary>The loss to minimize. The default is the cross-entropy with equal class weights.</summary>
    public LabelLoss Loss { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = new CrossEntropyLoss();

    /// <summary>
    /// Computes a factor on the learning rate of every optimizer from the index of the step (from 0) and the number of steps of the run: see
    /// <see cref="LearningRate"/>. The default is no schedule. Set the rate of the optimizer to the largest rate of the run. With several optimizers, the ratio
    /// of their rates stays the same. When the run ends, the optimizers have their own rates again.
    /// </summary>
    public Func<int, int, float>? Schedule { get; init; }

    /// <summary>
    /// Reduces the learning rates when <see cref="Monitor"/> stops improving. This factor is multiplied with that of <see cref="Schedule"/>. The default is no
    /// reduction.
    /// </summary>
    public ReduceOnPlateau? ReduceOnPlateau { get; init; }

    /// <summary>Random changes to the training images. The default is none.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Images to evaluate the model on after each epoch, with the same <see cref="Loss"/> and <see cref="BatchSize"/>. The default is none.</summary>
    public ImageDataset? Validation { get; init; }

    /// <summary>
    /// The metric that selects the best epoch, for <see cref="KeepBest"/>, <see cref="BestModelPath"/>, <see cref="Patience"/> and
    /// <see cref="ReduceOnPlateau"/>. Among epochs with equal values, the one with the lowest validation loss is the best. The default is
    /// <see cref="Metric.Loss"/>.
    /// </summary>
    public Metric Monitor { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = Metric.Loss;

    /// <summary>Whether the model has the weights of its best epoch when the run ends, instead of those of the last step. The default is false.</summary>
    public bool KeepBest { get; init; }

    /// <summary>
    /// Path of the file to write the model to whenever an epoch is the best so far. The default is no file. The file is written by
    /// <see cref="ImageModel.Save"/>; if a model file cannot hold the network, for example a <see cref="CustomLayer"/>, by <see cref="Weights.Save"/>. It is
    /// replaced atomically.
    /// </summary>
    public string? BestModelPath { get; init; }

    /// <summary>
    /// Ends the run after this many epochs in a row that were no better than the best one. The default is to run all epochs. Counting starts after the last
    /// epoch in which <see cref="Schedule"/> raised the rate (warm-up). A schedule that depends on the number of steps cannot be combined with it: the run
    /// would end before the schedule lowers the rate.
    /// </summary>
    public int? Patience { get; init => field = value is int epochs ? AtLeastOne(epochs) : null; }

    /// <summary>Path of the checkpoint file: see <see cref="Checkpoint"/>. The default is no checkpoint.</summary>
    public string? CheckpointPath { get; init; }

    /// <summary>
    /// Minimum time between two checkpoints. The default is 10 seconds. A checkpoint is always written when the run ends or is cancelled after at least one
    /// step.
    /// </summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether to resume from the checkpoint, if it exists. The default is false. Model, types of the optimizers, loss, images, batch size, accumulation, seed,
    /// augmentation, validation images, monitor and <see cref="KeepBest"/> must be the same as before. Learning rates, other optimizer settings, schedule,
    /// patience and clipping may change. The number of epochs may change if the schedule does not depend on it. <see cref="TrainingResult.Note"/> lists the
    /// changes.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>
    /// Whether a run that does not resume may replace an existing checkpoint and best model. The default is false: the run is refused if one of them exists.
    /// The old checkpoint is deleted when the run begins, so a run that is killed before its first checkpoint leaves none.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>Trains the model.</summary>
    /// <param name="train">The training images.</param>
    /// <param name="progress">
    /// Receives a report after every step. Reports are made on the calling thread; a <see cref="Progress{T}"/> posts them to its synchronization context. If
    /// the object also implements <see cref="IProgress{T}"/> of <see cref="TrainingResult"/>, it receives the result; if of <see cref="Exception"/>, it
    /// receives the exception that ended the run.
    /// </param>
    /// <param name="cancellationToken">Ends the run after the current step. A checkpoint is written.</param>
    /// <returns>The results of the epochs, the best epoch, and why the run ended.</returns>
    /// <exception cref="ArgumentException">
    /// There are no images or optimizers; the model does not accept the images; the validation images have other classes or another normalization; settings
    /// contradict each other or need another setting; or a batch norm would normalize only one value per channel.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint is of another model, optimizer or run. The model and the optimizers are unchanged.</exception>
    /// <exception cref="IOException">
    /// A checkpoint or a best model exists and neither <see cref="Resume"/> nor <see cref="Overwrite"/> is set; or a file cannot be read or written.
    /// </exception>
    /// <exception cref="NotFiniteNumberException">
    /// NaN or infinity appeared. The message names the first tensor that contains it. The last checkpoint is kept.
    /// </exception>
    [OverloadResolutionPriority(1)]                              // for a null progress
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

    /// <summary>Trains the model and calls an action after every step: <c>trainer.Run(train, step => Console.WriteLine(step.Loss))</c>.</summary>
    /// <inheritdoc cref="Run(ImageDataset, IProgress{TrainingStep}, CancellationToken)"/>
    public TrainingResult Run(ImageDataset train, Action<TrainingStep> progress, CancellationToken cancellationToken = default) =>
        Run(train, new ActionProgress(progress ?? throw new ArgumentNullException(nameof(progress))), cancellationToken);

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

    /// <summary>Seed of shuffling and augmentation in an epoch. Runs with consecutive seeds do not share epoch seeds.</summary>
    internal static int EpochSeed(int seed, int epoch) => (int)Philox.Block((uint)epoch, 0, 0, EpochSeeds, (uint)seed, 0).Item1;

    /// <summary>Number of steps for this many batches of an epoch.</summary>
    int StepsOf(int batches) => (batches + AccumulateGradBatches - 1) / AccumulateGradBatches;

    /// <summary>Whether a step must combine mean gradients of several batches into one mean.</summary>
    bool AddsMeans => AccumulateGradBatches > 1 && Loss.Reduction == Reduction.Mean;

    /// <summary>Adds the gradient of a batch to the gradients of the parameters. If <see cref="AddsMeans"/>, it is the gradient of the summed loss.</summary>
    TrainingSums Gradient(Batch batch, int classes, Func<string> at)
    {
        Tensor<float> logits = model.Forward(batch.Images, training: true);
        Loss.Forward(logits, batch.Labels);
        int images = (int)batch.Images.Lengths[0];
        if (Loss.Total == 0)
            return new(0, 0, 0, 0, images);                      // all labels are ignored: the mean is undefined
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

    /// <summary>Makes an optimizer step. <paramref name="weight"/> is the sum of the label weights of its batches.</summary>
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

    /// <summary>Sets the learning rates of a step: the optimizers' own rates, reduced by the plateau state, times the factor of the schedule.</summary>
    void SetRates(float[] own, int step, int steps, ReduceOnPlateau.State plateau)
    {
        for (int i = 0; (Schedule is not null || ReduceOnPlateau is not null) && i < own.Length; i++)
        {
            float rate = ReduceOnPlateau is null ? own[i] : plateau.Of(own[i], ReduceOnPlateau);
            optimizers[i].LearningRate = Schedule is null ? rate : rate * Schedule(step, steps);
        }
    }

    /// <summary>Index of the last of the first <paramref name="epochs"/> epochs in which the schedule raised the rate, or −1.</summary>
    int LastRise(int epochs, int epochSteps, int steps)
    {
        int epoch = Schedule is null ? -1 : epochs - 1;
        while (epoch >= 0 && !(Schedule!((epoch + 1) * epochSteps - 1, steps) > Schedule(int.Max(epoch * epochSteps - 1, 0), steps)))
            epoch--;
        return epoch;
    }

    /// <summary>Evaluates the model on the validation images, if there are any, ends the epoch, and saves the model if it is the best.</summary>
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
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)     // a custom layer, or images without 1 or 3 channels
        {
            Weights.Save(model, BestModelPath);
        }
        return validation;
    }

    /// <summary>Throws if a stored tensor is not finite; writes the checkpoint if there is a path for it.</summary>
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

    sealed class ActionProgress(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }
}
