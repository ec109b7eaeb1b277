using System.Globalization;
using System.Numerics.Tensors;
using System.Text;

namespace MiniCnn;

/// <summary>What a classifier makes of images whose labels are known.</summary>
/// <remarks>
/// Precision, recall and F1 are scikit-learn's. A macro average is the mean over the classes that the set has images of, each counted alike; what is not
/// defined for one of them (the precision of a class that no image is taken for) is 0 there. MacroRecall is the balanced accuracy.
/// Source: https://scikit-learn.org/stable/modules/model_evaluation.html.
/// </remarks>
public sealed class Evaluation
{
    readonly int[,] confusion;

    Evaluation(int[,] confusion, double loss, IReadOnlyList<string> classNames) => (this.confusion, Loss, ClassNames) = (confusion, loss, classNames);

    /// <summary>Runs a model over all images of a set.</summary>
    /// <param name="model">From a batch of images to logits, [N, classes].</param>
    /// <param name="images">The set, of as many classes as the model has logits.</param>
    /// <param name="batchSize">Images in a batch; the numbers depend on it in their last bits only.</param>
    /// <param name="loss">
    /// What <see cref="Loss"/> is the mean of, with its class weights and label smoothing; the plain cross-entropy if not given. Images whose label it
    /// ignores are left out of all numbers.
    /// </param>
    /// <exception cref="ArgumentException">No images, logits of another number of classes, or images that all are left out.</exception>
    public static Evaluation Of(Layer model, LabeledImages images, int batchSize = 100, CrossEntropyLoss? loss = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        loss ??= new();
        Check(model, images, loss);
        int[,] confusion = new int[images.Classes, images.Classes];
        double sum = 0, total = 0;
        foreach ((Tensor<float> batch, int[] labels) in images.Batches(batchSize))
        {
            Tensor<float> logits = model.Forward(batch);
            loss.Forward(logits, labels);
            (sum, total) = (sum + loss.Sum, total + loss.Total);
            for (int n = 0; n < labels.Length; n++)
            {
                if (labels[n] != loss.IgnoreIndex)
                    confusion[labels[n], Guess(logits, n)]++;
            }
        }
        return new(confusion, sum / total, images.ClassNames);
    }

    /// <summary>Runs a model over all images of a set that has its shape, class names, mean and std.</summary>
    /// <inheritdoc cref="Of(Layer, LabeledImages, int, CrossEntropyLoss)"/>
    public static Evaluation Of(ImageClassifier model, LabeledImages images, int batchSize = 100, CrossEntropyLoss? loss = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        if (model.Input != images.Shape)
            throw new ArgumentException($"the model takes images of {model.Input}, not {images.Shape}");
        CheckAlike("the model", model.ClassNames, model.Mean, model.Std, "the images", images);
        return Of(model.Network, images, batchSize, loss);
    }

    /// <summary>Refuses images of other classes, or of another normalisation, than those that a model learns from or was made for.</summary>
    internal static void CheckAlike(
        string first, IReadOnlyList<string> names, ReadOnlySpan<float> mean, ReadOnlySpan<float> std, string second, LabeledImages images)
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
                + "LabeledImages.WithNormalization gives them the same");
        }

        static string Name(IReadOnlyList<string> names, int label) => label < names.Count ? $"'{names[label]}'" : "none";

        static string Text(ReadOnlySpan<float> values) =>
            $"[{string.Join(", ", values.ToArray().Select(value => value.ToString(CultureInfo.InvariantCulture)))}]";
    }

    /// <summary>Whether there are images that a loss does not leave out, and a logit for each of their classes.</summary>
    internal static void Check(Layer model, LabeledImages images, CrossEntropyLoss loss)
    {
        ImageShape output = model.OutputShape(images.Shape);
        if (images.Count == 0)
            throw new ArgumentException("there are no images");
        if (!images.Labels.ContainsAnyExcept(loss.IgnoreIndex))
            throw new ArgumentException($"all {images.Count} images are of the class that the loss ignores, '{images.ClassNames[loss.IgnoreIndex]}'");
        if (output != ImageShape.Features(images.Classes))
        {
            throw new ArgumentException(
                $"images of {images.Classes} classes ({string.Join(", ", images.ClassNames)}) need as many logits, but the model makes {output} of {images.Shape}");
        }
    }

    /// <summary>How many images of a batch are taken for what they are.</summary>
    /// <param name="logits">[N, classes].</param>
    /// <param name="labels">[N].</param>
    /// <param name="ignoreIndex">Images with this label are left out.</param>
    public static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels, int ignoreIndex = -100)
    {
        ArgumentNullException.ThrowIfNull(logits);
        int correct = 0;
        for (int n = 0; n < labels.Length; n++)
            correct += labels[n] != ignoreIndex && Guess(logits, n) == labels[n] ? 1 : 0;
        return correct;
    }

    /// <summary>The mean loss.</summary>
    public double Loss { get; }

    /// <summary>The name of each class: <c>ClassNames[label]</c>.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Images.</summary>
    public int Count => confusion.Cast<int>().Sum();

    /// <summary>Images that are taken for what they are.</summary>
    public int Correct => Labels.Sum(c => confusion[c, c]);

    /// <summary>The share of these, from 0 to 1.</summary>
    public double Accuracy => (double)Correct / Count;

    /// <summary>[label, guess]: how many images of a class are taken for which.</summary>
    public int[,] Confusion => (int[,])confusion.Clone();

    /// <summary>Images of a class.</summary>
    public int Support(int label) => Labels.Sum(c => confusion[label, c]);

    /// <summary>Of the images taken for a class, the share that are of it; NaN if there are none.</summary>
    public double Precision(int label) => confusion[label, label] / (double)Taken(label);

    /// <summary>Of the images of a class, the share that are taken for it; NaN if there are none.</summary>
    public double Recall(int label) => confusion[label, label] / (double)Support(label);

    /// <summary>The harmonic mean of precision and recall, 2 · right / (images of the class + images taken for it); NaN if there are neither.</summary>
    public double F1(int label) => 2 * confusion[label, label] / (double)(Support(label) + Taken(label));

    /// <summary>The macro average of <see cref="Precision"/>.</summary>
    public double MacroPrecision => Macro(Precision);

    /// <summary>The macro average of <see cref="Recall"/>.</summary>
    public double MacroRecall => Macro(Recall);

    /// <summary>The macro average of <see cref="F1"/>.</summary>
    public double MacroF1 => Macro(F1);

    /// <summary>“98.73 % (9873 of 10000)”.</summary>
    public override string ToString() => FormattableString.Invariant($"{100 * Accuracy:F2} % ({Correct} of {Count})");

    /// <summary>
    /// A table to print: of each class how many images are taken for which, its precision, recall and F1 in percent, and their macro averages; “–” where
    /// one is not defined.
    /// </summary>
    public string ToTable()
    {
        List<string[]> rows = [["is \\ taken for", .. ClassNames, "images", "precision", "recall", "F1"]];
        foreach (int c in Labels)
            rows.Add([ClassNames[c], .. Labels.Select(g => $"{confusion[c, g]}"), $"{Support(c)}", Text(Precision(c)), Text(Recall(c)), Text(F1(c))]);
        rows.Add(["macro average", .. Labels.Select(_ => ""), $"{Count}", Text(MacroPrecision), Text(MacroRecall), Text(MacroF1)]);
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        StringBuilder table = new();
        foreach (string[] row in rows)
            table.AppendJoin("  ", row.Select((cell, i) => i == 0 ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).Append('\n');
        return table.Append($"accuracy {this}").ToString();

        static string Text(double share) => double.IsNaN(share) ? "–" : FormattableString.Invariant($"{100 * share:F1}");
    }

    IEnumerable<int> Labels => Enumerable.Range(0, ClassNames.Count);

    /// <summary>Images that are taken for a class.</summary>
    int Taken(int label) => Labels.Sum(c => confusion[c, label]);

    double Macro(Func<int, double> of) => Labels.Where(c => Support(c) > 0).Average(c => of(c) is double share && double.IsNaN(share) ? 0 : of(c));

    /// <summary>The class of the largest logit.</summary>
    static int Guess(Tensor<float> logits, int image) =>
        TensorPrimitives.IndexOfMax<float>(logits.AsSpan().Slice(image * (int)logits.Lengths[1], (int)logits.Lengths[1]));
}
