using System.Globalization;
using System.Text;

namespace MiniCnn;

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are completed.</summary>
    AllEpochs,

    /// <summary>Too many epochs in a row were no better than the best one: <see cref="Trainer.Patience"/>.</summary>
    Patience,

    /// <summary>The cancellation token was cancelled.</summary>
    Cancelled,
}

/// <summary>The result of a <see cref="Trainer"/>'s run.</summary>
public sealed class TrainingResult
{
    internal TrainingResult(Trainer trainer, TrainingState state, TrainingEnd endedBy, string? note)
    {
        (Note, Epochs, EndedBy, EpochsAsked, Monitor, IsBestKept) = (note, state.History, endedBy, trainer.Epochs, trainer.Monitor, trainer.KeepBest);
        BestEpoch = state.BestEpoch < 0 ? null : state.BestEpoch;
    }

    /// <summary>Results of all completed epochs, including those before the checkpoint from which the run resumed.</summary>
    public IReadOnlyList<TrainingEpoch> Epochs { get; }

    /// <summary>
    /// Index of the best epoch, from 0: <c>Epochs[BestEpoch]</c>. Null without validation images, without a completed epoch, or if the monitored value was
    /// always NaN.
    /// </summary>
    public int? BestEpoch { get; }

    /// <summary>The monitored value of the best epoch; null if there is none.</summary>
    public double? BestValue => BestEpoch is int best ? Epochs[best].Monitored : null;

    /// <summary>The metric that selected the best epoch.</summary>
    public Metric Monitor { get; }

    /// <summary>Why the run ended.</summary>
    public TrainingEnd EndedBy { get; }

    /// <summary>
    /// For a run that resumed from a checkpoint: the step after which it resumed, and the settings that have changed, “…; learning rate 0.05 → 0.01”. Null for
    /// other runs.
    /// </summary>
    public string? Note { get; }

    int EpochsAsked { get; }

    bool IsBestKept { get; }

    /// <summary>Returns one line: “all 10 epochs done; best: epoch 6, macro recall 0.9131; the model is that epoch's”. Epochs are counted from 1.</summary>
    public override string ToString()
    {
        string ended = EndedBy switch
        {
            TrainingEnd.AllEpochs => $"all {Epochs.Count} epochs done",
            TrainingEnd.Patience => FormattableString.Invariant(
                $"ended by {nameof(Trainer.Patience)} after {Epochs.Count} of {EpochsAsked} epochs, at a learning rate of {Epochs[^1].LearningRate:G3}"),
            _ => $"ended on request after {Epochs.Count} of {EpochsAsked} epochs",
        };
        if (BestEpoch is int best)
        {
            ended += FormattableString.Invariant(
                $"; best: epoch {best + 1}, {Monitor} {BestValue:F4}; the model is {(IsBestKept ? "that epoch's" : "the last step's")}");
        }
        return Note is null ? ended : $"{ended} ({Note})";
    }

    /// <summary>
    /// Returns the epochs as comma-separated values, with a decimal point in numbers. The columns are epoch (from 1), learning_rate, loss, accuracy,
    /// validation_loss, validation_accuracy, monitored. A missing value is empty.
    /// </summary>
    public string ToCsv() => ToCsv(Epochs);

    internal static string ToCsv(IReadOnlyList<TrainingEpoch> epochs)
    {
        StringBuilder csv = new("epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,monitored\n");
        for (int i = 0; i < epochs.Count; i++)
        {
            TrainingEpoch e = epochs[i];
            csv.Append(CultureInfo.InvariantCulture,
                $"{i + 1},{e.LearningRate},{e.Loss},{e.Accuracy},{e.ValidationLoss},{e.ValidationAccuracy},{e.Monitored}\n");
        }
        return csv.ToString();
    }
}
