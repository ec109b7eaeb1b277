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
        Assert.Equal(new[,] { { 2, 1, 0, 0 }, { 0, 0, 1, 0 }, { 0, 1, 2, 0 }, { 0, 0, 0, 0 } }, evaluation.Confusion);
        Assert.Equal((4, 7), (evaluation.Correct, evaluation.Count));
        Assert.Equal(4 / 7.0, evaluation.Accuracy);
        Assert.Equal("57.14 % (4 of 7)", evaluation.ToString());
        Assert.Equal([1, 0, 2 / 3.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.Precision));
        Assert.Equal([2 / 3.0, 0, 2 / 3.0, double.NaN], Enumerable.Range(0, 4).Select(evaluation.Recall));
        double right = Math.Log(3 + Math.E) - 1, wrong = Math.Log(3 + Math.E);                    // log Σ exp − logit of the label
        Assert.Equal((4 * right + 3 * wrong) / 7, evaluation.Loss, 1e-6);
        evaluation.Confusion[0, 0] = 100;
        Assert.Equal(4, evaluation.Correct);

        Tensor<float> logits = Tensor.Create<float>([1, 2, 0, 5, 4, 3, 0, 0, 1], [3, 3]);
        Assert.Equal(2, Evaluation.CountCorrect(logits, [1, 1, 2]));
        string why = Assert.Throws<ArgumentException>(() => Evaluation.Of(new Sequential(new Flatten(), new Linear(1, 3)), images)).Message;
        Assert.Contains("images of 4 classes need as many logits, but the model makes 3 features of 1×1×1", why, StringComparison.Ordinal);
        why = Assert.Throws<ArgumentException>(() => Evaluation.Of(new Reader(), images.Take(0))).Message;
        Assert.Contains("there are no images", why, StringComparison.Ordinal);
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
