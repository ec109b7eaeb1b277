using System.Globalization;
using System.Numerics.Tensors;
using System.Text;

namespace MiniCnn;

/// <summary>What a model makes of images whose labels are known: of each image's class, or of each pixel's.</summary>
/// <remarks>
/// Of images with masks every number counts pixels, not images. Precision, recall and F1 are scikit-learn's. A macro average is the mean over the classes
/// that the set has images of, each counted alike; what is not defined for one of them (the precision of a class that no image is taken for) is 0 there.
/// MacroRecall is the balanced accuracy.
/// Source: https://scikit-learn.org/stable/modules/model_evaluation.html.
/// </remarks>
public sealed class Evaluation
{
    readonly long[,] confusion;

    Evaluation(long[,] confusion, double loss, ImageDataset images) =>
        (this.confusion, Loss, ClassNames, IsOfPixels) = (confusion, loss, images.ClassNames, images is MaskedImages);

    /// <summary>Runs a model over all images of a set.</summary>
    /// <param name="model">From a batch of images to logits: [N, classes], or of images with masks [N, classes, H, W]; of two classes one channel may do.</param>
    /// <param name="images">The set, of as many classes as the model has logits.</param>
    /// <param name="batchSize">
    /// Images in a batch; the numbers depend on it in their last bits only. If not given 100, and fewer of images of more than 65,536 pixels.
    /// </param>
    /// <param name="loss">
    /// What <see cref="Loss"/> is the mean of, with its class weights and label smoothing; the plain cross-entropy if not given, the binary one of one
    /// logit. Images whose label it ignores are left out of all numbers.
    /// </param>
    /// <exception cref="ArgumentException">No images, logits of another number of classes, or images that all are left out.</exception>
    public static Evaluation Of(Layer model, ImageDataset images, int? batchSize = null, LabelLoss? loss = null) =>
        Of(model, images, batchSize, loss, (_, _) => { });

    /// <summary>The same; what is told gets the labels and logits of each batch.</summary>
    internal static Evaluation Of(Layer model, ImageDataset images, int? batchSize, LabelLoss? loss, Action<int[], Tensor<float>> told)
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
            Guesses guesses = new(logits, images.Classes);
            for (int i = 0; i < labels.Length; i++)
            {
                if (labels[i] != loss.IgnoreIndex)
                    confusion[labels[i], guesses[i]]++;
            }
            told(labels, logits);
        }
        return new(confusion, sum / total, images);
    }

    /// <summary>Runs a model over all images of a set that has its shape, class names, mean and std.</summary>
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

    /// <summary>Refuses images of other classes, another normalisation or another fit, than those that a model learns from or was made for.</summary>
    internal static void CheckAlike(
        string first, IReadOnlyList<string> names, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, Fit fit, string second, ImageDataset images)
    {
        for (int c = 0; c < int.Max(names.Count, images.Classes); c++)
        {
            (string there, string here) = (Name(names, c), Name(images.ClassNames, c));
            if (there != here)
            {
                throw new ArgumentException(
                    $"class {c} is {there} of {first}, but {here} of {second}: they need the same class names in the same order, "
                    + $"not {string.Join(", ", names)} and {string.Join(", ", images.ClassNames)}");
            }
        }
        if (!mean.SequenceEqual(images.Mean) || !std.SequenceEqual(images.Std))
        {
            throw new ArgumentException(
                $"the mean and std of {first} are {Text(mean)} and {Text(std)}, but those of {second} {Text(images.Mean)} and {Text(images.Std)}: "
                + "WithNormalization gives them the same");
        }
        if (fit != images.Fit)
            throw new ArgumentException($"the fit of {first} is {fit}, but that of {second} {images.Fit}: load both with the same");

        static string Name(IReadOnlyList<string> names, int label) => label < names.Count ? $"'{names[label]}'" : "none";

        static string Text(ReadOnlySpan<float> values) =>
            $"[{string.Join(", ", values.ToArray().Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";
    }

    /// <summary>Whether there are images that a loss does not leave out, and the logits that it needs for their classes.</summary>
    internal static void Check(Layer model, ImageDataset images, LabelLoss loss)
    {
        ImageShape output = model.OutputShape(images.Shape);
        if (images.Count == 0)
            throw new ArgumentException("there are no images");
        long[] counts = images.CountLabels();
        if (loss.IgnoreIndex != MaskedImages.IgnoredLabel && counts.Sum() < images.Count * (long)images.LabelsPerImage)
        {
            throw new ArgumentException(
                $"{MaskedImages.Ignored} in a mask is the label {MaskedImages.IgnoredLabel} in a batch, which a loss ignores unless it is told otherwise: "
                + $"leave ignoreIndex {loss.IgnoreIndex} out, and write {MaskedImages.Ignored} for a class that is to be ignored too");
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
            throw new ArgumentException($"{loss} tells two classes apart, not {images.Classes}: take CrossEntropyLoss, and as many logits");
        if (output != images.OutputShape(channels))
        {
            string classes = $"{images.Classes} classes ({string.Join(", ", images.ClassNames)})", made = $"but the model makes {output} of {images.Shape}";
            ImageShape needed = images.OutputShape(channels);
            string why = output switch
            {
                _ when output.IsFlat != needed.IsFlat => $"images with {(needed.IsFlat ? "one class each" : "masks")} of {classes} need {needed}, {made}",
                _ when output.Channels == channels =>
                    $"the logits must have the images' size, {needed}, {made}: upsample as often as it is pooled; "
                    + "a size that a pool does not divide takes ceilMode, and a Pad2d that crops",
                { Channels: 1 } when images.Classes == 2 => $"{loss} needs a logit for each of {classes}; for one logit take BceWithLogitsLoss",
                _ when channels == 1 => $"{loss} takes one logit for {classes}, {needed}, {made}; for two take CrossEntropyLoss",
                _ => $"images of {classes} need as many logits, {needed}, {made}",
            };
            throw new ArgumentException(why);
        }
    }

    /// <summary>Number of correctly classified images, or pixels, in a batch.</summary>
    /// <param name="logits">[N, classes] or [N, classes, H, W], or with one channel for two classes.</param>
    /// <param name="labels">[N] or [N, H, W].</param>
    /// <param name="ignoreIndex">Images with this label are left out.</param>
    /// <exception cref="ArgumentException">Another shape, or another number of labels.</exception>
    public static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels, int ignoreIndex = -100)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return CountCorrect(logits, labels, ignoreIndex, classes: 2);
    }

    /// <summary>The same, where one channel may be the logits of one class.</summary>
    internal static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels, int ignoreIndex, int classes)
    {
        if (logits.Rank is not (2 or 4) || labels.Length != logits.FlattenedLength / nint.Max(logits.Lengths[1], 1))
        {
            throw new ArgumentException(
                "labels are counted of logits [N, classes] or [N, classes, H, W], one an image or a pixel, not "
                + $"{labels.Length} of [{string.Join(", ", logits.Lengths.ToArray())}]");
        }
        int correct = 0;
        Guesses guesses = new(logits, classes);
        for (int i = 0; i < labels.Length; i++)
            correct += labels[i] != ignoreIndex && guesses[i] == labels[i] ? 1 : 0;
        return correct;
    }

    internal bool IsOfPixels { get; }

    /// <summary>The mean loss.</summary>
    public double Loss { get; }

    /// <summary>The name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Images.</summary>
    public long Count => confusion.Cast<long>().Sum();

    /// <summary>Correctly classified images.</summary>
    public long Correct => Labels.Sum(c => confusion[c, c]);

    /// <summary>The share of these, from 0 to 1.</summary>
    public double Accuracy => (double)Correct / Count;

    /// <summary>[label, guess]: how many images of a class are taken for which.</summary>
    public long[,] Confusion => (long[,])confusion.Clone();

    /// <summary>Images of a class.</summary>
    public long Support(int label) => Labels.Sum(c => confusion[label, c]);

    /// <summary>Of the images taken for a class, the share that are of it; NaN if there are none.</summary>
    public double Precision(int label) => confusion[label, label] / (double)Taken(label);

    /// <summary>Of the images of a class, the share that are taken for it; NaN if there are none.</summary>
    public double Recall(int label) => confusion[label, label] / (double)Support(label);

    /// <summary>The harmonic mean of precision and recall, 2 · right / (images of the class + images taken for it); NaN if there are neither.</summary>
    public double F1(int label) => 2 * confusion[label, label] / (double)(Support(label) + Taken(label));

    /// <summary>
    /// Intersection over union: right / (images of the class + images taken for it − right), the Jaccard index; NaN if there are neither.
    /// </summary>
    public double IoU(int label) => confusion[label, label] / (double)(Support(label) + Taken(label) - confusion[label, label]);

    /// <summary>The macro average of <see cref="IoU"/>: over the classes that the set has, what masks are usually scored by.</summary>
    public double MeanIoU => Macro(IoU);

    /// <summary>The macro average of <see cref="Precision"/>.</summary>
    public double MacroPrecision => Macro(Precision);

    /// <summary>The macro average of <see cref="Recall"/>.</summary>
    public double MacroRecall => Macro(Recall);

    /// <summary>The macro average of <see cref="F1"/>.</summary>
    public double MacroF1 => Macro(F1);

    /// <summary>“98.73 % (9873 of 10000)”.</summary>
    public override string ToString() => FormattableString.Invariant($"{100 * Accuracy:F2} % ({Correct} of {Count})");

    /// <summary>
    /// A table to print: of each class how many images are taken for which, its precision, recall and F1 in percent, of masks its IoU too, and their macro
    /// averages, over the classes that the set has; “–” where one is not defined.
    /// </summary>
    public string ToTable()
    {
        List<string[]> rows = [["is \\ taken for", .. ClassNames, IsOfPixels ? "pixels" : "images", "precision", "recall", "F1", .. OfPixels("IoU")]];
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
            Counted == ClassNames.Count ? "macro average" : $"macro average of {Counted} classes", .. Labels.Select(_ => ""), $"{Count}", Text(MacroPrecision), Text(MacroRecall), Text(MacroF1), .. OfPixels(Text(MeanIoU)),
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

    /// <summary>Classes that the set has, which macro averages are over.</summary>
    int Counted => Labels.Count(c => Support(c) > 0);

    /// <summary>Images that are taken for a class.</summary>
    long Taken(int label) => Labels.Sum(c => confusion[c, label]);

    double Macro(Func<int, double> of) => Labels.Where(c => Support(c) > 0).Average(c => of(c) is double share && double.IsNaN(share) ? 0 : of(c));

    /// <summary>What images, or pixels in the order of their labels, are taken for: the largest logit, or of one for two classes whether it is above 0.</summary>
    internal readonly ref struct Guesses(Tensor<float> logits, int classes)
    {
        readonly ReadOnlySpan<float> logits = logits.AsSpan();                    // [N, channels, plane]
        readonly int channels = (int)logits.Lengths[1], plane = logits.Rank == 4 ? (int)(logits.Lengths[2] * logits.Lengths[3]) : 1;
        readonly bool isBinary = logits.Lengths[1] == 1 && classes == 2;

        /// <summary>NaN is larger than any number.</summary>
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
