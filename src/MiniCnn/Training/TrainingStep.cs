namespace MiniCnn;

/// <summary>The progress of a training run, reported after every step.</summary>
/// <param name="Epoch">Index of the epoch, from 0.</param>
/// <param name="Epochs">Number of epochs of the whole run.</param>
/// <param name="Step">Number of completed steps.</param>
/// <param name="Steps">Number of steps of the whole run.</param>
/// <param name="Images">Number of images in the step.</param>
/// <param name="Loss">Mean loss of the step; NaN if the loss ignores all its labels.</param>
/// <param name="Correct">Number of correctly classified images, or pixels, in the step.</param>
/// <param name="Count">Number of images, or pixels, in the step with a label that the loss does not ignore.</param>
/// <param name="Ended">The result of the epoch, after its last step; null after other steps.</param>
/// <param name="BestEpoch">Index of the best epoch so far, from 0; null while there is none.</param>
/// <param name="Monitor">Name of the metric that selects the best epoch, “mean IoU”.</param>
/// <param name="Note">Set in the first step of a run that resumed from a checkpoint: see <see cref="TrainingResult.Note"/>.</param>
/// <param name="Before">Set in the first step of a run that resumed: results of the epochs completed before the checkpoint.</param>
/// <param name="Validation">The scores of the validation images, after the last step of an epoch; null after other steps or without validation images.</param>
public readonly record struct TrainingStep(
    int Epoch, int Epochs, int Step, int Steps, int Images, float Loss, long Correct, long Count, TrainingEpoch? Ended = null, int? BestEpoch = null,
    string Monitor = "loss", string? Note = null, IReadOnlyList<TrainingEpoch>? Before = null, Evaluation? Validation = null);

/// <summary>The result of an epoch.</summary>
/// <param name="Loss">Mean training loss, with the weights that the network had at each step.</param>
/// <param name="Accuracy">Training accuracy, from 0 to 1, with the weights that the network had at each step.</param>
/// <param name="LearningRate">Learning rate of the first optimizer at the last step of the epoch.</param>
/// <param name="ValidationLoss">Mean loss of the validation images after the epoch; null without validation images.</param>
/// <param name="ValidationAccuracy">Accuracy on the validation images after the epoch, from 0 to 1; null without validation images.</param>
/// <param name="Monitored">Value of <see cref="Trainer.Monitor"/> after the epoch; null without validation images.</param>
public sealed record TrainingEpoch(
    double Loss, double Accuracy, float LearningRate, double? ValidationLoss = null, double? ValidationAccuracy = null, double? Monitored = null);
