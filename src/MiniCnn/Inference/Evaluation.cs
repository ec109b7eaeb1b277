using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>What a classifier makes of images whose labels are known.</summary>
public sealed class Evaluation
{
    readonly int[,] confusion;

    Evaluation(int[,] confusion, double loss) => (this.confusion, Loss) = (confusion, loss);

    /// <summary>Runs a model over all images of a set.</summary>
    /// <param name="model">From a batch of images to logits, [N, classes].</param>
    /// <param name="images">The set, of as many classes as the model has logits.</param>
    /// <param name="batchSize">Images in a batch; the numbers depend on it in their last bits only.</param>
    /// <exception cref="ArgumentException">No images, or logits of another number of classes.</exception>
    public static Evaluation Of(Layer model, LabeledImages images, int batchSize = 100)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        Check(model, images);
        CrossEntropyLoss loss = new();
        int[,] confusion = new int[images.Classes, images.Classes];
        double sum = 0;
        foreach ((Tensor<float> batch, int[] labels) in images.Batches(batchSize))
        {
            Tensor<float> logits = model.Forward(batch);
            sum += loss.Forward(logits, labels) * (double)labels.Length;
            for (int n = 0; n < labels.Length; n++)
                confusion[labels[n], Guess(logits, n)]++;
        }
        return new(confusion, sum / images.Count);
    }

    /// <summary>Whether there are images, and a logit for each of their classes.</summary>
    internal static void Check(Layer model, LabeledImages images)
    {
        ImageShape output = model.OutputShape(images.Shape);
        if (images.Count == 0)
            throw new ArgumentException("there are no images");
        if (output != ImageShape.Features(images.Classes))
            throw new ArgumentException($"images of {images.Classes} classes need as many logits, but the model makes {output} of {images.Shape}");
    }

    /// <summary>How many images of a batch are taken for what they are.</summary>
    /// <param name="logits">[N, classes].</param>
    /// <param name="labels">[N].</param>
    public static int CountCorrect(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        int correct = 0;
        for (int n = 0; n < labels.Length; n++)
            correct += Guess(logits, n) == labels[n] ? 1 : 0;
        return correct;
    }

    /// <summary>The mean cross-entropy.</summary>
    public double Loss { get; }

    /// <summary>Images.</summary>
    public int Count => confusion.Cast<int>().Sum();

    /// <summary>Images that are taken for what they are.</summary>
    public int Correct => Enumerable.Range(0, Classes).Sum(c => confusion[c, c]);

    /// <summary>The share of these, from 0 to 1.</summary>
    public double Accuracy => (double)Correct / Count;

    /// <summary>[label, guess]: how many images of a class are taken for which.</summary>
    public int[,] Confusion => (int[,])confusion.Clone();

    /// <summary>Of the images taken for a class, the share that are of it; NaN if there are none.</summary>
    public double Precision(int label) => confusion[label, label] / (double)Enumerable.Range(0, Classes).Sum(c => confusion[c, label]);

    /// <summary>Of the images of a class, the share that are taken for it; NaN if there are none.</summary>
    public double Recall(int label) => confusion[label, label] / (double)Enumerable.Range(0, Classes).Sum(c => confusion[label, c]);

    /// <summary>“98.73 % (9873 of 10000)”.</summary>
    public override string ToString() => FormattableString.Invariant($"{100 * Accuracy:F2} % ({Correct} of {Count})");

    int Classes => confusion.GetLength(0);

    /// <summary>The class of the largest logit.</summary>
    static int Guess(Tensor<float> logits, int image) =>
        TensorPrimitives.IndexOfMax<float>(logits.AsSpan().Slice(image * (int)logits.Lengths[1], (int)logits.Lengths[1]));
}
