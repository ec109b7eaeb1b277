using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public sealed class EvaluationTests
{
    [Fact]
    public void Counts_and_shares_are_those_that_a_hand_works_out()
    {
        // Images of one pixel 0, 1 or 2, whose logits are one-hot: a pixel is read as itself. Labels are given apart from it.
        byte[] read = [0, 0, 1, 2, 2, 2, 1];
        LabeledImages images = new(read, [0, 0, 0, 1, 2, 2, 2], new(1, 1, 1), classes: 4, mean: [0], std: [1 / 255f]);
        Evaluation evaluation = Evaluation.Of(new Reader(), images, batchSize: 3);
        Assert.Equal(new long[,] { { 2, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 1, 2, 0 }, { 0, 0, 0, 0 } }, evaluation.Confusion);
        Assert.Equal((4, 7), (evaluation.Correct, evaluation.Count));
        Assert.Equal(4 / 7.0, evaluation.Accuracy);
        Assert.Equal("57.14 % (4 of 7)", evaluation.ToString());
        Assert.Equal([1, 0, 2 / 3.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.Precision));
        Assert.Equal([2 / 3.0, 0, 2 / 3.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.Recall));
        Assert.Equal([3, 1, 3, 0], Enumerable.Range(0, 4).Select(evaluation.Support));
        Assert.Equal([4 / 5.0, 0, 4 / 6.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.F1));
        // Of the three classes that there are images of.
        Assert.Equal((1 + 0 + 2 / 3.0) / 3, evaluation.MacroPrecision, 1e-15);
        Assert.Equal((2 / 3.0 + 0 + 2 / 3.0) / 3, evaluation.MacroRecall, 1e-15);
        Assert.Equal((4 / 5.0 + 0 + 4 / 6.0) / 3, evaluation.MacroF1, 1e-15);
        double right = Math.Log(3 + Math.E) - 1, wrong = Math.Log(3 + Math.E);                    // log Σ exp − logit of the label
        Assert.Equal((4 * right + 3 * wrong) / 7, evaluation.Loss, 1e-6);
        evaluation.Confusion[0, 0] = 100;
        Assert.Equal(4, evaluation.Correct);

        Tensor<float> logits = Tensor.Create<float>([1, 2, 0, 5, 4, 3, 0, 0, 1], [3, 3]);
        Assert.Equal(2, Evaluation.CountCorrect(logits, [1, 1, 2]));
        string why = Assert.Throws<ArgumentException>(() => Evaluation.Of(new Sequential(new Flatten(), new Linear(1, 3)), images)).Message;
        Assert.Contains("images of 4 classes (0, 1, 2, 3) need one logit per class, 4 features, but the output of the model for 1×1×1 is 3 features", why, StringComparison.Ordinal);
        why = Assert.Throws<ArgumentException>(() => Evaluation.CountCorrect(logits, [1, 1])).Message;
        Assert.Equal("expected logits [N, classes] or [N, classes, H, W] and one label per image or pixel, got [3, 3] and 2 labels", why);

        // One class: there is one guess, whatever the logit.
        Evaluation one = Evaluation.Of(new Conv2d(1, 1, 1), new MaskedImages([0, 200, 100, 255], new byte[4], new(1, 2, 2), 1));
        Assert.Equal((4, 4, 1.0), (one.Correct, one.Count, one.MeanIoU));
        why = Assert.Throws<ArgumentException>(() => Evaluation.Of(new Reader(), images.Take(0))).Message;
        Assert.Contains("there are no images", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_has_names_counts_and_shares()
    {
        LabeledImages images = new([0, 0, 1, 2, 2, 2, 1], [0, 0, 0, 1, 2, 2, 2], new(1, 1, 1), 4, [0], [1 / 255f], ["ok", "dent", "long scratch", "none"]);
        Assert.Equal(
            """
            true \ predicted            ok  dent  long scratch  none  images  precision  recall    F1
            ok                           2     1             0     0       3      100.0    66.7  80.0
            dent                         0     0             1     0       1        0.0     0.0   0.0
            long scratch                 0     1             2     0       3       66.7    66.7  66.7
            none                         0     0             0     0       0          –       –     –
            macro average of 3 classes                                     7       55.6    44.4  48.9
            accuracy 57.14 % (4 of 7)
            """.ReplaceLineEndings("\n"),
            Evaluation.Of(new Reader(), images).ToTable());

        // No image is taken for a class: its precision is not defined, and 0 in the average.
        images = new([0, 0], [0, 1], new(1, 1, 1), 4, [0], [1 / 255f]);
        Evaluation one = Evaluation.Of(new Reader(), images);
        Assert.Equal((0.25, 0.5, 1 / 3.0), (one.MacroPrecision, one.MacroRecall, one.MacroF1));
        Assert.Equal(double.NaN, one.Precision(1));
    }

    /// <summary>The loss is that of torch.nn.CrossEntropyLoss over the whole set, for any batch size.</summary>
    [Fact]
    public void The_loss_is_that_of_training_with_weights_smoothing_and_an_ignored_label()
    {
        float[] weights = [0.5f, 3, 1, 2];
        byte[] read = [0, 0, 1, 2, 2, 2, 1, 3, 3];
        int[] labels = [0, 0, 0, 1, 2, 2, 1, 3, 3];
        LabeledImages images = new(read, labels, new(1, 1, 1), 4, [0], [1 / 255f]);
        CrossEntropyLoss loss = new(weights, ignoreIndex: 3, labelSmoothing: 0.25f);
        double log = Math.Log(3 + Math.E), sum = 0, total = 0;
        for (int n = 0; n < 7; n++)
        {
            double[] logSoftmax = [.. Enumerable.Range(0, 4).Select(c => (c == read[n] ? 1 : 0) - log)];
            sum += -weights[labels[n]] * 0.75 * logSoftmax[labels[n]] - 0.25 / 4 * logSoftmax.Zip(weights, (l, w) => l * w).Sum();
            total += weights[labels[n]];
        }
        foreach (int batchSize in (int[])[1, 2, 4, 8, 100])                              // of one, the last two batches are of the ignored label alone
        {
            Evaluation evaluation = Evaluation.Of(new Reader(), images, batchSize, loss);
            Assert.Equal(sum / total, evaluation.Loss, 4e-7);
            Assert.Equal((5, 7), (evaluation.Correct, evaluation.Count));
            Assert.Equal(0, evaluation.Support(3));
        }
        Assert.Equal((7, 9), (Evaluation.Of(new Reader(), images).Correct, Evaluation.Of(new Reader(), images).Count));
        Tensor<float> logits = Tensor.Create<float>([1, 2, 0, 5, 4, 3, 0, 0, 1], [3, 3]);
        Assert.Equal(1, Evaluation.CountCorrect(logits, [1, 1, 2], ignoreIndex: 2));
        string why = Assert.Throws<ArgumentException>(() => Evaluation.Of(new Reader(), new LabeledImages(new byte[2], [3, 3], new(1, 1, 1), 4, [0], [1]), loss: loss)).Message;
        Assert.Equal("all 2 images are of the class that the loss ignores, '3'", why);
    }

    /// <summary>Images with other class names are refused: the labels of a folder named a_ok instead of ok would not match those of the model.</summary>
    [Fact]
    public void Images_that_are_not_those_of_the_model_are_refused()
    {
        Sequential network = new(new Flatten(), new Linear(4, 2));
        ImageClassifier model = new(network, new(1, 2, 2), [0.5f], [0.25f], ["dent", "ok"]);
        Assert.Equal(2, Evaluation.Of(model, Images(["dent", "ok"])).Count);
        Assert.Equal(["dent", "ok"], Evaluation.Of(model, Images(["dent", "ok"])).ClassNames);
        Refused("class 0 is 'dent' in the model, but 'a_ok' in the images: both need the same class names in the same order, not dent, ok and a_ok, dent", Images(["a_ok", "dent"]));
        Refused("class 2 is missing in the model, but 'scratch' in the images", Images(["dent", "ok", "scratch"]));
        Refused("the mean and std of the model are [0.5] and [0.25], but those of the images are [0.5] and [0.75]", Images(["dent", "ok"]).WithNormalization([0.5f], [0.75f]));
        Refused("the mean and std of the model are [0.5] and [0.25], but those of the images are [0.125] and [0.25]", Images(["dent", "ok"]).WithNormalization([0.125f], [0.25f]));
        Refused("the model takes images of 1×2×2, not 1×1×4", new(new byte[8], [0, 1], new(1, 1, 4), 2, [0.5f], [0.25f], ["dent", "ok"]));

        static LabeledImages Images(string[] names) => new(new byte[8], [0, 1], new(1, 2, 2), names.Length, [0.5f], [0.25f], names);

        void Refused(string why, LabeledImages images) =>
            Assert.StartsWith(why, Assert.Throws<ArgumentException>(() => Evaluation.Of(model, images)).Message, StringComparison.Ordinal);
    }

    sealed class Reader : CustomLayer
    {
        public override ImageShape OutputShape(ImageShape input) => ImageShape.Features(4);

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training)
        {
            float[] logits = new float[4 * (int)x.Lengths[0]];
            for (int n = 0; n < x.Lengths[0]; n++)
                logits[4 * n + (int)MathF.Round(x[n, 0, 0, 0])] = 1;
            return Tensor.Create(logits, [x.Lengths[0], 4]);
        }

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => throw new NotSupportedException();
    }
}
