using System.Numerics.Tensors;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>Predicted class and confidence of each image in a report, and the mistakes with the highest confidence.</summary>
public sealed class ScoredTests : ReportRuns
{
    /// <summary>130 images, more than one batch. Each fifth image repeats the one before it with the same confidence, and is listed after it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2000)]
    public void Guesses_and_certainties_are_the_predictors(float scale)
    {
        LabeledImages drawn = Draw(130, seed: 1);
        int[] from = [.. Enumerable.Range(0, 130).Select(i => i % 5 == 4 ? i - 1 : i)];
        LabeledImages images = new(
            [.. from.SelectMany(i => drawn.Image(i).ToArray())], [.. from.Select(i => drawn.Labels[i])], small, 3, drawn.Mean.ToArray(), drawn.Std.ToArray());
        Sequential model = Model();
        model.Forward(images.Batches(20).First().Images, training: true);
        Linear last = (Linear)model.Layers[^1];
        TensorPrimitives.Multiply(last.Weight.Value.AsSpan(), scale, last.Weight.Value.AsSpan());          // logits up to a thousand: nothing overflows
        Scored scored = Scored.Of("test", model, images, new CrossEntropyLoss());
        IReadOnlyList<Prediction> expected = new ImageClassifier(model, images).CreatePredictor().Predict(images.Batches(130).Single().Images);
        for (int i = 0; i < 130; i++)
        {
            Assert.Equal(expected[i].Label, scored[i].Guess);
            Assert.Equal(expected[i].Probability, scored[i].Certainty, 1e-6);
        }
        foreach (bool right in (bool[])[true, false])
        {
            int[] surest = [.. scored.Surest(right)];
            Assert.Equal(Enumerable.Range(0, 130).Where(i => expected[i].Label == images.Labels[i] == right), surest.Order());
            Assert.Equal(surest.OrderByDescending(i => scored[i].Certainty).ThenBy(i => i), surest);
            Assert.True(surest.Length > 20);
        }
        Agrees(scored, new CrossEntropyLoss(), model);
    }

    [Fact]
    public void Of_one_logit_it_is_the_sigmoid_of_what_it_is_taken_for()
    {
        LabeledImages images = Draw(60, seed: 2, classes: 2);
        Sequential model = Model(1);
        float[] before = model.Forward(images.Batches(60).Single().Images).AsSpan().ToArray();
        ((Linear)model.Layers[^1]).Bias!.Value[0] -= before.Order().ElementAt(30) - 1e-3f;                // both signs
        Scored scored = Scored.Of("test", model, images, new BceWithLogitsLoss());
        float[] logits = model.Forward(images.Batches(60).Single().Images).AsSpan().ToArray();
        Assert.Contains(logits, logit => logit > 0);
        Assert.Contains(logits, logit => logit < 0);
        for (int i = 0; i < 60; i++)
        {
            double second = 1 / (1 + Math.Exp(-logits[i]));
            Assert.Equal(second > 0.5 ? 1 : 0, scored[i].Guess);
            Assert.Equal(Math.Max(second, 1 - second), scored[i].Certainty, 1e-6);
        }
        Agrees(scored, new BceWithLogitsLoss(), model);
    }

    /// <summary>
    /// The logit of class 1 is NaN, which <see cref="Evaluation"/> treats as the largest number. The mistakes are those of the confusion table.
    /// </summary>
    [Fact]
    public void A_logit_that_is_NaN_is_the_largest_here_too()
    {
        Sequential model = new(new Flatten(), new Linear(420, 3));
        ((Linear)model.Layers[1]).Bias!.Value[1] = float.NaN;
        Scored scored = Scored.Of("test", model, Draw(30, seed: 1), new CrossEntropyLoss());
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(1, scored[i].Guess));
        Agrees(scored, new CrossEntropyLoss(), model);
    }

    /// <summary>A class that the loss ignores is excluded from all figures and from the mistakes.</summary>
    [Fact]
    public void Images_that_the_loss_ignores_are_no_mistakes()
    {
        LabeledImages images = Draw(60, seed: 1);
        Sequential model = Model();
        CrossEntropyLoss loss = new(ignoreIndex: 2);
        Scored scored = Scored.Of("test", model, images, loss);
        Assert.Equal(40, scored.Evaluation.Count);
        Agrees(scored, loss, model);
    }

    /// <summary>Pixels with label 255 (no class) and pixels of an ignored class are not counted.</summary>
    [Theory]
    [InlineData(-100)]
    [InlineData(1)]
    public void Of_masks_it_is_the_share_of_pixels_that_are_wrong(int ignored)
    {
        const int Count = 105;
        LabeledImages images = Draw(Count, seed: 1);
        Random random = new(1);
        byte[] masks = [.. Enumerable.Range(0, Count * 140).Select(i =>
            ignored < 0 && (i / 140 == 7 || random.Next(4) == 0) ? MaskedImages.Ignored : (byte)random.Next(3))];           // the eighth has no class at all
        MaskedImages masked = new([.. Enumerable.Range(0, Count).SelectMany(i => images.Image(i).ToArray())], masks, small, 3);
        Sequential model = new(new Conv2d(3, 4, 3, padding: 1), new ReLU(), new Conv2d(4, 3, 1));
        Scored scored = Scored.Of("test", model, masked, new CrossEntropyLoss(ignoreIndex: ignored));
        float[] logits = model.Forward(masked.Batches(Count).Single().Images).AsSpan().ToArray();
        double[] shares = [.. Enumerable.Range(0, Count).Select(n =>
        {
            int[] counted = [.. Enumerable.Range(0, 140).Where(i => masks[n * 140 + i] != MaskedImages.Ignored && masks[n * 140 + i] != ignored)];
            return counted.Count(i => Enumerable.Range(0, 3).MaxBy(c => logits[(n * 3 + c) * 140 + i]) != masks[n * 140 + i]) / Math.Max(counted.Length, 1.0);
        })];
        Assert.Equal(Enumerable.Range(0, Count).Select(n => (float)shares[n]), Enumerable.Range(0, Count).Select(n => scored[n].Certainty));
        Assert.True(shares.Distinct().Count() > 20);
        Assert.Equal(Enumerable.Range(0, Count).OrderByDescending(n => shares[n]).ThenBy(n => n), scored.Worst());
    }

    /// <summary>Compares with the counts of the confusion table of the same set.</summary>
    static void Agrees(Scored scored, LabelLoss loss, Layer model)
    {
        Evaluation expected = Evaluation.Of(model, scored.Images, null, loss);
        Assert.Equal(expected.Confusion, scored.Evaluation.Confusion);
        Assert.Equal(expected.Loss, scored.Evaluation.Loss);
        LabeledImages images = (LabeledImages)scored.Images;
        foreach (bool right in (bool[])[true, false])
        {
            long[,] counted = new long[images.Classes, images.Classes];
            foreach (int image in scored.Surest(right))
                counted[images.Labels[image], scored[image].Guess]++;
            for (int label = 0; label < images.Classes; label++)
                for (int guess = 0; guess < images.Classes; guess++)
                    Assert.Equal(label == guess == right ? expected.Confusion[label, guess] : 0, counted[label, guess]);
        }
    }
}
