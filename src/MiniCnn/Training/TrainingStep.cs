namespace MiniCnn;

/// <summary>How far a training is, told after every step.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Epochs">Of the whole run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Of the whole run.</param>
/// <param name="Images">The step's images.</param>
/// <param name="Loss">Its mean loss; NaN where the loss ignores all its labels.</param>
/// <param name="Correct">Its correctly classified images, or pixels.</param>
/// <param name="Count">All of these, but for those whose label the loss ignores.</param>
/// <param name="Ended">After an epoch's last step, what the epoch came to.</param>
/// <param name="BestEpoch">The best epoch so far, from 0, if there are validation images.</param>
/// <param name="Monitor">What decides that, “mean IoU”.</param>
/// <param name="Note">With the first step of a run that goes on from a checkpoint: see <see cref="TrainingResult.Note"/>.</param>
/// <param name="Before">With the first step of such a run, what the whole epochs before the checkpoint came to.</param>
/// <param name="Validation">After an epoch's last step, what the model makes of the validation images, if there are any.</param>
public readonly record struct TrainingStep(
    int Epoch, int Epochs, int Step, int Steps, int Images, float Loss, long Correct, long Count, TrainingEpoch? Ended = null, int? BestEpoch = null,
    string Monitor = "loss", string? Note = null, IReadOnlyList<TrainingEpoch>? Before = null, Evaluation? Validation = null);

/// <summary>What an epoch came to.</summary>
/// <param name="Loss">The mean over the training images, each as the net was at its step.</param>
/// <param name="Accuracy">Likewise, from 0 to 1.</param>
/// <param name="LearningRate">That of the first optimizer at the epoch's last step.</param>
/// <param name="ValidationLoss">The mean of the same loss over the validation images after the epoch, if there are any.</param>
/// <param name="ValidationAccuracy">Likewise, from 0 to 1.</param>
/// <param name="Monitored">What <see cref="Trainer.Monitor"/> says of them.</param>
public sealed record TrainingEpoch(
    double Loss, double Accuracy, float LearningRate, double? ValidationLoss = null, double? ValidationAccuracy = null, double? Monitored = null);
