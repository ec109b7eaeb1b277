namespace MiniCnn;

/// <summary>How far a training is, told after every step.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Epochs">Of the whole run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Of the whole run.</param>
/// <param name="Loss">The batch's mean loss.</param>
/// <param name="Correct">Its images that were taken for what they are.</param>
/// <param name="Count">Its images.</param>
/// <param name="Ended">After an epoch's last step, what the epoch came to.</param>
public readonly record struct TrainingStep(
    int Epoch, int Epochs, int Step, int Steps, float Loss, int Correct, int Count, TrainingEpoch? Ended = null);

/// <summary>What an epoch came to.</summary>
/// <param name="Loss">The mean over the training images, each as the net was at its step.</param>
/// <param name="Accuracy">Likewise, from 0 to 1.</param>
/// <param name="ValidationLoss">The mean cross-entropy after the epoch, if there is a validation set.</param>
/// <param name="ValidationAccuracy">Likewise, from 0 to 1.</param>
public sealed record TrainingEpoch(double Loss, double Accuracy, double? ValidationLoss = null, double? ValidationAccuracy = null);
