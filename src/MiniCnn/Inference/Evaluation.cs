using System.Globalization;
using System.Numerics.Tensors;
using System.Text;

namespace MiniCnn;

/// <summary>Scores of a model on labeled images: loss, confusion matrix, accuracy, precision, recall, F1 and IoU, per image or per pixel.</summary>
/// <remarks>
/// For images with masks, all counts are of pixels, not of images. Precision, recall and F1 are defined as in scikit-learn. A macro average is the mean, with
/// equal weights, over the classes that occur in the labels. An undefined score (the precision of a class that is never predicted) counts as 0 in it.
/// <see cref="MacroRecall"/> is the balanced accuracy.
/// Source: https://scikit-learn.org/stable/modules/model_evaluation.html.
/// </remarks>
public sealed class Evaluation
{
    readonly long[,] confusion;

    Evaluation(long[,] confusion, double loss, ImageDataset images) =>
        (this.confusion, Loss, ClassNames, IsOfPixels) = (confusion, loss, images.ClassNames, images is MaskedImages);

    /// <summary>Evaluates a model on all images of a set.</summary>
    /// <param name="model">
    /// Maps images [N, C, H, W] to logits [N, classes], or [N, classes, H, W] for images with masks. For two classes, one channel is enough.
    /// </param>
    /// <param name="images">The set; its classes must match the logits of the model.</param>
    /// <param name="batchSize">
    /// Number of images in a batch. It changes the results only by rounding errors. The default is 100, and fewer for images of more than 65,536 pixels.
    /// </param>
    /// <param name="loss">
    /// The loss that <see cref="Loss"/> is the mean of, with its class weights and label smoothing. The default is the cross-entropy with equal class weights,
    /// or the binary cross-entropy for one logit. Images, or pixels, with a label that it ignores do not count in any score.
    /// </param>
    /// <returns>The scores.</returns>
    /// <exception cref="ArgumentException">There are no images, the logits do not match the classes, or all labels are ignored.</exception>
    public static Evaluation Of(Layer model, ImageDataset images, int? batchSize = null, LabelLoss? loss = null) =>
        Of(model, images, batchSize, loss, (_, _) => { });

    /// <summary>Evaluates a model; <paramref name="onBatch"/> receives the labels and logits of each batch.</summary>
    internal static Evaluation Of(Layer model, ImageDataset images, int? batchSize, LabelLoss? loss, Action<int[], Tensor<float>> onBatch)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        loss ??= model.OutputShape(images.Shape).Channels == 1 && images.Classes == 2 ? new BceWithLogitsLoss() : new CrossEntropyLoss();
        Check(model, images, loss);
        long[,] confusion = new long[images.Classes, images.Classes];
        double sum = 0, total = 0;
        long plane = (long)images.Shape.Height * images.Shape.Width;
        foreach ((Tensor<float> batch, int[] labels) in images.Batches(batchSize ?? (int)long.Clamp(100L * 65536 / plane, 1, 100)))
        {
            Tensor<float> logits = model.Forward(batch);
            loss.Forward(logits, labels);
            (sum, total) = (sum + loss.Sum, total + loss.Total);
            Guesses predictions = new(logits, images.Classes);
            for (int i = 0; i < labels.Length; i++)
            {
                if (labels[i] != loss.IgnoreIndex)
                    confusion[labels[i], predictions[i]]++;
            }
            onBatch(labels, logits);
        }
        return new(confusion, sum / total, images);
    }

    /// <summary>Evaluates a model on all images of a set. The set must have the shape, class names, mean, std and fit of the model.</summary>
    /// <inheritdoc cref="Of(Layer, ImageDataset, int?, LabelLoss)"/>
    public static Evaluation Of(ImageModel model, ImageDataset images, int? batchSize = null, LabelLoss? loss = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        if (model.Input != images.Shape)
            throw new ArgumentException($"the model takes images of {model.Input}, not {images.Shape}");
        CheckAlike("the model", model.ClassNames, model.Mean, model.Std, model.Fit, "the images", images);
        return Of(model.Network, images, batchSize, loss);
    }

    /// <summary>Throws if the class names, mean, std or fit of the images differ from those of the training images or the model.</summary>
    internal static void CheckAlike(
        string first, IReadOnlyList<string> names, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, Fit fit, string second, ImageDataset images)
    {
        for (int c = 0; c < int.Max(names.Count, images.Classes); c++)
        {
            (string there, string here) = (Name(names, c), Name(images.ClassNames, c));
            if (there != here)
            {
                throw new ArgumentException(
                    $"class {c} is {there} in {first}, but {here} in {second}: both need the same class names in the same order, "
                    + $"not {string.Join(", ", names)} and {string.Join(", ", images.ClassNames)}");
            }
        }
        if (!mean.SequenceEqual(images.Mean) || !std.SequenceEqual(images.Std))
        {
            throw new ArgumentException(
                $"the mean and std of {first} are {Text(mean)} and {Text(std)}, but those of {second} are {Text(images.Mean)} and {Text(images.Std)}: "
                + "use WithNormalization to make them equal");
        }
        if (fit != images.Fit)
            throw new ArgumentException($"the fit of {first} is {fit}, but that of {second} is {images.Fit}: load both with the same fit");

        static string Name(IReadOnlyList<string> names, int label) => label < names.Count ? $"'{names[label]}'" : "missing";

        static string Text(ReadOnlySpan<float> values) =>
            $"[{string.Join(", ", values.ToArray().Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";
    }

    /// <summary>Throws if there are no images, if the loss ignores all labels, or if the logits of the model do not match the loss and the classes.</summary>
    internal static void Check(Layer model, ImageDataset images, LabelLoss loss)
    {
        ImageShape output = model.OutputShape(images.Shape);
        if (images.Count == 0)
            throw new ArgumentException("there are no images");
        long[] counts = images.CountLabels();
        if (loss.IgnoreIndex != MaskedImages.IgnoredLabel && counts.Sum() < images.Count * (long)images.LabelsPerImage)
        {
            throw new ArgumentException(
                $"the mask value {MaskedImages.Ignored} is the label {MaskedImages.IgnoredLabel} in a batch, but the loss has ignoreIndex {loss.IgnoreIndex}: "
                + $"remove ignoreIndex, and write {MaskedImages.Ignored} in the masks for a class to ignore");
        }
        bool isClass = loss.IgnoreIndex >= 0 && loss.IgnoreIndex < counts.Length;
        if (counts.Sum() == (isClass ? counts[loss.IgnoreIndex] : 0))
        {
            throw new ArgumentException(isClass
                ? $"all {images.Count} images are of the class that the loss ignores, '{images.ClassNames[loss.IgnoreIndex]}'"
                : $"no pixel of the {images.Count} masks has a class: all are {MaskedImages.Ignored}, which is ignored");
        }
        int channels = loss.Channels(images.Classes);
        if (channels == 0)
            throw new ArgumentException($"{loss} is for two classes, not {images.Classes}: use CrossEntropyLoss, and {images.Classes} logits");
        if (output != images.OutputShape(channels))
        {
            string classes = $"{images.Classes} classes ({string.Join(", ", images.ClassNames)})";
            string made = $"but the output of the model for {images.Shape} is {output}";
            ImageShape needed = images.OutputShape(channels);
            string why = output switch
            {
                _ when output.IsFlat != needed.IsFlat => $"images with {(needed.IsFlat ? "one class each" : "masks")} of {classes} need {needed}, {made}",
                _ when output.Channels == channels =>
                    $"the logits must have the images' size, {needed}, {made}: upsample as often as you pool; "
                    + "for a size that a pool does not divide, use ceilMode, and a Pad2d that crops",
                { Channels: 1 } when images.Classes == 2 => $"{loss} needs a logit for each of {classes}; for one logit use BceWithLogitsLoss",
                _ when channels == 1 => $"{loss} takes one logit for {classes}, {needed}, {made}; for two logits use CrossEntropyLoss",
                _ => $"images of {classes} need one logit per class, {needed}, {made}",
            };
            throw new ArgumentException(why);
        }
    }

    /// <summary>Counts the correctly classified images, or pixels, in a batch.</summary>
    /// <param name="logits">[N, classes] or [N, classes, H, W]. For two classes, one channel is enough.</param>
    /// <param name="labels">Class indices, [N] or [N, H, W].</param>
    /// <param name="ignoreIndex">Images, or pixels, with this label do not count. The default is −100, as in PyTorch.</param>
    /// <returns>Number of correct predictions.</returns>
    /// <exception cref="ArgumentException">The logits have another rank, or the number of labels does not match.</exception>
    public static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels, int ignoreIndex = -100)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return CountCorrect(logits, labels, ignoreIndex, classes: 2);
    }

    /// <summary>
    /// Counts correct predictions. For one channel, <paramref name="classes"/> tells whether it is the logit of class 1 of two, or the only class.
    /// </summary>
    internal static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels, int ignoreIndex, int classes)
    {
        if (logits.Rank is not (2 or 4) || labels.Length != logits.FlattenedLength / nint.Max(logits.Lengths[1], 1))
        {
            throw new ArgumentException(
                "expected logits [N, classes] or [N, classes, H, W] and one label per image or pixel, got "
                + $"[{string.Join(", ", logits.Lengths.ToArray())}] and {labels.Length} labels");
        }
        int correct = 0;
        Guesses predictions = new(logits, classes);
        for (int i = 0; i < labels.Length; i++)
            correct += labels[i] != ignoreIndex && predictions[i] == labels[i] ? 1 : 0;
        return correct;
    }

    internal bool IsOfPixels { get; }

    /// <summary>Mean loss.</summary>
    public double Loss { get; }

    /// <summary>Name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Number of images, or pixels. Ignored labels do not count.</summary>
    public long Count => confusion.Cast<long>().Sum();

    /// <summary>Number of correctly classified images, or pixels.</summary>
    public long Correct => Labels.Sum(c => confusion[c, c]);

    /// <summary>Fraction of correctly classified images, or pixels, from 0 to 1.</summary>
    public double Accuracy => (double)Correct / Count;

    /// <summary>Confusion matrix [label, prediction]: number of images, or pixels. Each access returns a copy.</summary>
    public long[,] Confusion => (long[,])confusion.Clone();

    /// <summary>Number of images, or pixels, of a class.</summary>
    public long Support(int label) => Labels.Sum(c => confusion[label, c]);

    /// <summary>Fraction of the predictions of a class that are correct, from 0 to 1; NaN if the class is never predicted.</summary>
    public double Precision(int label) => confusion[label, label] / (double)Predicted(label);

    /// <summary>Fraction of the images, or pixels, of a class that are predicted correctly, from 0 to 1; NaN if there are none.</summary>
    public double Recall(int label) => confusion[label, label] / (double)Support(label);

    /// <summary>Harmonic mean of precision and recall: 2 · correct / (support + predictions of the class); NaN if both are 0.</summary>
    public double F1(int label) => 2 * confusion[label, label] / (double)(Support(label) + Predicted(label));

    /// <summary>
    /// Intersection over union, the Jaccard index: correct / (support + predictions of the class − correct); NaN if support and predictions are 0.
    /// </summary>
    public double IoU(int label) => confusion[label, label] / (double)(Support(label) + Predicted(label) - confusion[label, label]);

    /// <summary>Macro average of <see cref="IoU"/>, the usual score of segmentation.</summary>
    public double MeanIoU => Macro(IoU);

    /// <summary>Macro average of <see cref="Precision"/>.</summary>
    public double MacroPrecision => Macro(Precision);

    /// <summary>Macro average of <see cref="Recall"/>: the balanced accuracy.</summary>
    public double MacroRecall => Macro(Recall);

    /// <summary>Macro average of <see cref="F1"/>.</summary>
    public double MacroF1 => Macro(F1);

    /// <summary>Returns the accuracy: “98.73 % (9873 of 10000)”.</summary>
    public override string ToString() => FormattableString.Invariant($"{100 * Accuracy:F2} % ({Correct} of {Count})");

    /// <summary>
    /// Returns a text table: the confusion matrix (rows: label, columns: prediction), precision, recall and F1 of each class in percent, and their macro
    /// averages; for masks also the IoU. An undefined score is “–”. The last line is the accuracy.
    /// </summary>
    public string ToTable()
    {
        List<string[]> rows = [["true \\ predicted", .. ClassNames, IsOfPixels ? "pixels" : "images", "precision", "recall", "F1", .. OfPixels("IoU")]];
        foreach (int c in Labels)
        {
            rows.Add(
            [
                ClassNames[c], .. Labels.Select(g => $"{confusion[c, g]}"), $"{Support(c)}", Text(Precision(c)), Text(Recall(c)), Text(F1(c)),
                .. OfPixels(Text(IoU(c))),
            ]);
        }
        rows.Add(
        [
            Counted == ClassNames.Count ? "macro average" : $"macro average of {Counted} classes", .. Labels.Select(_ => ""), $"{Count}",
            Text(MacroPrecision), Text(MacroRecall), Text(MacroF1), .. OfPixels(Text(MeanIoU)),
        ]);
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        StringBuilder table = new();
        foreach (string[] row in rows)
            table.AppendJoin("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).Append('\n');
        return table.Append($"accuracy {this}").ToString();

        string[] OfPixels(string cell) => IsOfPixels ? [cell] : [];

        static string Text(double share) => double.IsNaN(share) ? "–" : FormattableString.Invariant($"{100 * share:F1}");
    }

    IEnumerable<int> Labels => Enumerable.Range(0, ClassNames.Count);

    /// <summary>Number of classes that occur in the labels, over which macro averages are computed.</summary>
    int Counted => Labels.Count(c => Support(c) > 0);

    /// <summary>Number of predictions of a class.</summary>
    long Predicted(int label) => Labels.Sum(c => confusion[c, label]);

    double Macro(Func<int, double> of) => Labels.Where(c => Support(c) > 0).Average(c => of(c) is double share && double.IsNaN(share) ? 0 : of(c));

    /// <summary>
    /// Predicted classes of images, or of pixels in the order of their labels: the index of the largest logit. For one logit and two classes: 1 if it is above
    /// 0.
    /// </summary>
    internal readonly ref struct Guesses(Tensor<float> logits, int classes)
    {
        readonly ReadOnlySpan<float> logits = logits.AsSpan();                    // [N, channels, plane]
        readonly int channels = (int)logits.Lengths[1], plane = logits.Rank == 4 ? (int)(logits.Lengths[2] * logits.Lengths[3]) : 1;
        readonly bool isBinary = logits.Lengths[1] == 1 && classes == 2;

        /// <summary>NaN counts as the largest value.</summary>
        public int this[int i]
        {
            get
            {
                ReadOnlySpan<float> own = logits[(i / plane * channels * plane + i % plane)..];
                if (isBinary)
                    return own[0] <= 0 ? 0 : 1;
                int guess = 0;
                for (int c = 1; c < channels && !float.IsNaN(own[guess * plane]); c++)
                    guess = own[c * plane] <= own[guess * plane] ? guess : c;
                return guess;
            }
        }
    }
}
