namespace MiniCnn;

/// <summary>A number that tells a good model from a better one, by what it makes of the validation images: see <see cref="Trainer.Monitor"/>.</summary>
/// <remarks>
/// Where classes are unequally frequent, a model that never finds the rare one can have the highest accuracy: <see cref="MacroRecall"/> and
/// <see cref="MacroF1"/> count each class alike, and <see cref="Loss"/> does with <see cref="ClassWeights"/>.
/// </remarks>
/// <param name="name">What it is called in results and messages, “recall of dents”.</param>
/// <param name="value">The number; an epoch for which it is NaN is never the best.</param>
/// <param name="higherIsBetter">Whether a higher one is better.</param>
public sealed class Metric(string name, Func<Evaluation, double> value, bool higherIsBetter)
{
    /// <summary>The mean of the training's loss, with its class weights and label smoothing.</summary>
    public static Metric Loss { get; } = new("loss", e => e.Loss, higherIsBetter: false);

    /// <summary>The fraction of correctly classified images.</summary>
    public static Metric Accuracy { get; } = new("accuracy", e => e.Accuracy, higherIsBetter: true);

    /// <summary>See <see cref="Evaluation.MacroRecall"/>.</summary>
    public static Metric MacroRecall { get; } = new("macro recall", e => e.MacroRecall, higherIsBetter: true);

    /// <summary>See <see cref="Evaluation.MacroF1"/>.</summary>
    public static Metric MacroF1 { get; } = new("macro F1", e => e.MacroF1, higherIsBetter: true);

    /// <summary>See <see cref="Evaluation.MeanIoU"/>: for images with masks.</summary>
    public static Metric MeanIoU { get; } = new("mean IoU", e => e.MeanIoU, higherIsBetter: true);

    /// <summary>What it is called.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <summary>Whether a higher one is better.</summary>
    public bool HigherIsBetter { get; } = higherIsBetter;

    internal Func<Evaluation, double> Value { get; } = value ?? throw new ArgumentNullException(nameof(value));

    /// <summary>Its name.</summary>
    public override string ToString() => Name;
}
