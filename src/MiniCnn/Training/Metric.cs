namespace MiniCnn;

/// <summary>A metric of the validation results that ranks epochs: see <see cref="Trainer.Monitor"/>.</summary>
/// <remarks>
/// If the classes are imbalanced, a model that never predicts the rare class can have the highest accuracy. <see cref="MacroRecall"/> and
/// <see cref="MacroF1"/> weight all classes equally. <see cref="Loss"/> does so if it has <see cref="ClassWeights"/>.
/// </remarks>
/// <param name="name">Name in results and messages, for example “recall of dents”.</param>
/// <param name="value">Computes the metric. An epoch with the value NaN is never the best.</param>
/// <param name="higherIsBetter">Whether a higher value is better.</param>
public sealed class Metric(string name, Func<Evaluation, double> value, bool higherIsBetter)
{
    /// <summary>The mean validation loss: <see cref="Trainer.Loss"/> with its class weights and label smoothing. Lower is better.</summary>
    public static Metric Loss { get; } = new("loss", e => e.Loss, higherIsBetter: false);

    /// <summary>The fraction of correctly classified images, or pixels: <see cref="Evaluation.Accuracy"/>.</summary>
    public static Metric Accuracy { get; } = new("accuracy", e => e.Accuracy, higherIsBetter: true);

    /// <summary>The mean recall of the classes: <see cref="Evaluation.MacroRecall"/>.</summary>
    public static Metric MacroRecall { get; } = new("macro recall", e => e.MacroRecall, higherIsBetter: true);

    /// <summary>The mean F1 score of the classes: <see cref="Evaluation.MacroF1"/>.</summary>
    public static Metric MacroF1 { get; } = new("macro F1", e => e.MacroF1, higherIsBetter: true);

    /// <summary>The mean intersection over union of the classes, for images with masks: <see cref="Evaluation.MeanIoU"/>.</summary>
    public static Metric MeanIoU { get; } = new("mean IoU", e => e.MeanIoU, higherIsBetter: true);

    /// <summary>Name in results and messages.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Whether a higher value is better.</summary>
    public bool HigherIsBetter { get; } = higherIsBetter;

    internal Func<Evaluation, double> Value { get; } = value ?? throw new ArgumentNullException(nameof(value));

    /// <summary>Returns <see cref="Name"/>.</summary>
    public override string ToString() => Name;
}
