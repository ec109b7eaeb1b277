using System.Numerics.Tensors;

namespace MiniCnn.Reports;

/// <summary>The predictions of a model for each image of a data set, and their scores.</summary>
sealed class Scored
{
    readonly int[] guesses;                                      // predicted class of each image; not used with masks
    readonly float[] certainties;                                // probabilities of the guesses; with masks, the fraction of wrong pixels
    readonly int ignored;                                        // the label that the scores ignore

    Scored(string name, ImageDataset images, int[] guesses, float[] certainties, int ignored, Func<Evaluation> run)
    {
        (Name, Images, this.guesses, this.certainties, this.ignored) = (name, images, guesses, certainties, ignored);
        Evaluation = run();
    }

    public string Name { get; }

    public ImageDataset Images { get; }

    public Evaluation Evaluation { get; }

    public static Scored Of(string name, Layer model, ImageDataset images, LabelLoss loss)
    {
        int[] guesses = new int[images.Count];
        float[] certainties = new float[images.Count];
        int next = 0;
        return new(name, images, guesses, certainties, loss.IgnoreIndex, () => Evaluation.Of(model, images, null, loss, Note));

        void Note(int[] labels, Tensor<float> logits)
        {
            int count = (int)logits.Lengths[0], channels = (int)logits.Lengths[1], pixels = labels.Length / count;
            int[] found = Guesses(logits, images.Classes);
            for (int n = 0; n < count; n++, next++)
            {
                ReadOnlySpan<float> own = logits.AsSpan().Slice(n * channels * pixels, channels * pixels);
                Span<int> marks = found.AsSpan(n * pixels, pixels), truth = labels.AsSpan(n * pixels, pixels);
                guesses[next] = marks[0];
                if (images is MaskedImages)
                {
                    int wrong = 0, all = 0;
                    for (int i = 0; i < pixels; i++)
                    {
                        bool counts = truth[i] != loss.IgnoreIndex;
                        (wrong, all) = (wrong + (counts && marks[i] != truth[i] ? 1 : 0), all + (counts ? 1 : 0));
                    }
                    certainties[next] = (float)wrong / Math.Max(all, 1);
                }
                else
                    certainties[next] = channels == 1 ? 1 / (1 + MathF.Exp(-MathF.Abs(own[0]))) : 1 / Excess(own, own[marks[0]]);
            }
        }

        static float Excess(ReadOnlySpan<float> logits, float largest)
        {
            float sum = 0;
            foreach (float logit in logits)
                sum += MathF.Exp(logit - largest);
            return sum;
        }
    }

    /// <summary>The predicted class of each image or pixel of a batch.</summary>
    public static int[] Guesses(Tensor<float> logits, int classes)
    {
        Evaluation.Guesses all = new(logits, classes);
        int[] guesses = new int[logits.FlattenedLength / logits.Lengths[1]];
        for (int i = 0; i < guesses.Length; i++)
            guesses[i] = all[i];
        return guesses;
    }

    /// <summary>The predicted class of an image and its probability; with masks, the second is the fraction of wrong pixels.</summary>
    public (int Guess, float Certainty) this[int image] => (guesses[image], certainties[image]);

    /// <summary>Correctly, or incorrectly, classified images, highest probability first.</summary>
    public IEnumerable<int> Surest(bool right)
    {
        LabeledImages labeled = (LabeledImages)Images;
        return Order().Where(image => labeled.Labels[image] != ignored && guesses[image] == labeled.Labels[image] == right);
    }

    /// <summary>Images with masks, most wrong pixels first.</summary>
    public IEnumerable<int> Worst() => Order();

    IEnumerable<int> Order() => Enumerable.Range(0, Images.Count).OrderByDescending(image => certainties[image]).ThenBy(image => image);
}
