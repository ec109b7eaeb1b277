using System.Xml.Linq;
using MathNet.Numerics;
using MathNet.Numerics.Random;
using MathNet.Numerics.Statistics;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>7. The lecture's question: what is lost when the pixels of all images are shuffled alike?</summary>
static class PixelShuffle
{
    /// <summary>The images with their pixels in another order, the same for all.</summary>
    public static LabeledImages Permute(LabeledImages images, int seed)
    {
        int length = (int)images.Shape.Length;
        int[] order = Combinatorics.GeneratePermutation(length, new MersenneTwister(seed));
        byte[] pixels = new byte[images.Count * length];
        for (int n = 0; n < images.Count; n++)
            for (int i = 0; i < length; i++)
                pixels[n * length + i] = images.Image(n)[order[i]];
        return new(pixels, images.Labels.ToArray(), images.Shape, images.Classes, images.Mean.ToArray(), images.Std.ToArray());
    }

    public static Figure Shuffled(Materials m)
    {
        LabeledImages some = m.Train.Take(10), permuted = Permute(some, seed: 0);
        Picture Of(LabeledImages images, int n) => Values.Fill(28, 28, (r, c) => images.Image(n)[28 * r + c]).Clip();
        return new(
            "One permutation for all images",
            $"Some of the {m.DigitsName}, and below them the same with every pixel moved to another place, in all images to the same one. "
            + "Nobody can read them, but no number is lost: who knows the permutation can undo it. Is the information in the numbers or in "
            + "their order?",
            Draw.Row([.. Enumerable.Range(0, 6).Select(n => Draw.Photo($"{some.Labels[n]}", Of(some, n), cell: 3))]),
            Draw.Row([.. Enumerable.Range(0, 6).Select(n => Draw.Photo($"{some.Labels[n]}, shuffled", Of(permuted, n), cell: 3))]));
    }

    public static Sequential Linear() => new(new Flatten(), new Linear(784, 10));

    public static Sequential Cnn() => new(
        new Conv2d(1, 8, kernelSize: 5, padding: 2), new ReLU(), new MaxPool2d(2),
        new Conv2d(8, 16, kernelSize: 5), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(400, 10));

    /// <summary>Test accuracy of each seed, in %: initial weights, order of the images and permutation are other ones.</summary>
    public static double[] Accuracies(Func<Sequential> build, bool shuffle, Materials m) => [.. Enumerable.Range(0, m.Seeds).Select(seed =>
    {
        (LabeledImages train, LabeledImages test) = shuffle ? (Permute(m.Train, seed), Permute(m.Test, seed)) : (m.Train, m.Test);
        Sequential model = build();
        model.Initialize(seed);
        new Trainer(model, new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f))
        {
            Epochs = 3,
            Seed = seed,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
        }.Run(train);
        return 100 * Evaluation.Of(model, test).Accuracy;
    })];

    public static Figure Experiment(Materials m)
    {
        (string Name, double[] Plain, double[] Shuffled)[] all =
        [
            ("linear", Accuracies(Linear, false, m), Accuracies(Linear, true, m)), ("CNN", Accuracies(Cnn, false, m), Accuracies(Cnn, true, m)),
        ];
        double Lead(Func<(string, double[] Plain, double[] Shuffled), double[]> of) => of(all[1]).Median() - of(all[0]).Median();
        return new(
            "The linear model does not notice, the CNN does",
            $"Both are trained three times through {m.Train.Count} of the {m.DigitsName} and tested on {m.Test.Count} others. Runs of each "
            + $"kind: {m.Seeds}, with other initial weights and another permutation each. A linear model has a weight for each pixel and no idea "
            + "which are neighbours: shuffled, it learns the same weights in other places. The CNN looks at neighbours; shuffled, they have "
            + $"nothing to do with each other. Its lead over the linear model was {Values.N(Lead(a => a.Plain), "0.0")} points; shuffled "
            + $"it is {Values.N(Lead(a => a.Shuffled), "0.0")}. No number is lost by shuffling. What is lost is the structure that a convolution takes "
            + "for granted, and a linear model never used.",
            Table("Test accuracy in %: median and range", ["model", "images as they are", "pixels shuffled", "lost"], all.Select(a => (string[])[
                a.Name, Range(a.Plain), Range(a.Shuffled), Values.N(a.Plain.Median() - a.Shuffled.Median(), "0.0")])),
            Dots([.. all.SelectMany(a => new[] { ($"{a.Name}, as they are", a.Plain), ($"{a.Name}, shuffled", a.Shuffled) })]));
    }

    static string Range(double[] values) => $"{Values.N(values.Median(), "0.0")} ({Values.N(values.Min(), "0.0")} to {Values.N(values.Max(), "0.0")})";

    /// <summary>A dot for each run.</summary>
    static XElement Dots((string Name, double[] Values)[] rows)
    {
        double low = Math.Floor(rows.Min(row => row.Values.Min()) / 5) * 5;
        double At(double value) => 150 + 320 * (value - low) / (100 - low);
        return H("figure", H("figcaption", "Each dot is a run: test accuracy in %"), H("svg.dots",
            A("viewBox", $"0 0 500 {30 * rows.Length + 30}"), A("role", "img"),
            A("aria-label", string.Join("; ", rows.Select(row => $"{row.Name}: {Range(row.Values)} %"))),
            new[] { low, (low + 100) / 2, 100 }.Select(tick => new[]
            {
                H("line.grid", A("x1", At(tick)), A("x2", At(tick)), A("y1", 4), A("y2", 30 * rows.Length + 4)),
                H("text", A("x", At(tick)), A("y", 30 * rows.Length + 22), A("text-anchor", "middle"), Values.N(tick)),
            }),
            rows.Select((row, i) => new[] { H("text", A("x", 138), A("y", 30 * i + 24), A("text-anchor", "end"), row.Name) }.Concat(
                row.Values.Select(v => H($"circle.dot run{i % 2}", A("cx", Math.Round(At(v), 1)), A("cy", 30 * i + 19), A("r", 5)))))));
    }
}
