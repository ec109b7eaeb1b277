using System.Globalization;
using System.Text;

namespace MiniCnn;

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are done.</summary>
    AllEpochs,

    /// <summary>So many epochs in a row were no better: <see cref="Trainer.Patience"/>.</summary>
    Patience,

    /// <summary>It was asked to.</summary>
    Cancelled,
}

/// <summary>What a run came to.</summary>
public sealed class TrainingResult
{
    internal TrainingResult(Trainer trainer, TrainingState state, TrainingEnd endedBy, string? note)
    {
        (Note, Epochs, EndedBy, EpochsAsked, Monitor, IsBestKept) = (note, state.History, endedBy, trainer.Epochs, trainer.Monitor, trainer.KeepBest);
        BestEpoch = state.BestEpoch < 0 ? null : state.BestEpoch;
    }

    /// <summary>What each whole epoch came to, those before a checkpoint included.</summary>
    public IReadOnlyList<TrainingEpoch> Epochs { get; }

    /// <summary>The index of the best epoch, from 0: <c>Epochs[BestEpoch]</c>; null without validation images.</summary>
    public int? BestEpoch { get; }

    /// <summary>Its monitored value.</summary>
    public double? BestValue => BestEpoch is int best ? Epochs[best].Monitored : null;

    /// <summary>What decided which is best.</summary>
    public Metric Monitor { get; }

    /// <summary>Why the run ended.</summary>
    public TrainingEnd EndedBy { get; }

    /// <summary>Of a run that went on from a checkpoint: where, and which of its settings are other than they were, “…; learning rate 0.05 → 0.01”.</summary>
    public string? Note { get; }

    int EpochsAsked { get; }

    bool IsBestKept { get; }

    /// <summary>“all 10 epochs done; best: epoch 6, macro recall 0.9131; the model is that epoch's”: epochs from 1, as people count.</summary>
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
    /// The epochs as comma-separated values, with a point in numbers: epoch (from 1), learning_rate, loss, accuracy, validation_loss, validation_accuracy,
    /// monitored; what there is not is empty.
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
