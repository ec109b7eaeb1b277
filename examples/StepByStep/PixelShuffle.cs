using System.Xml.Linq;
using MathNet.Numerics;
using MathNet.Numerics.Random;
using MathNet.Numerics.Statistics;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>7. The lecture's question: what is the effect of one pixel permutation on all images?</summary>
static class PixelShuffle
{
    /// <summary>Applies the same random permutation to the pixels of each image.</summary>
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
            $"Some of the {m.DigitsName}, and below them the same images with permuted pixels. The permutation is the same for all images. The "
            + "images are unreadable, but no number is lost: the inverse permutation restores them. Is the information in the numbers or in their "
            + "order?",
            Draw.Row([.. Enumerable.Range(0, 6).Select(n => Draw.Photo($"{some.Labels[n]}", Of(some, n), cell: 3))]),
            Draw.Row([.. Enumerable.Range(0, 6).Select(n => Draw.Photo($"{some.Labels[n]}, shuffled", Of(permuted, n), cell: 3))]));
    }

    public static Sequential Linear() => new(new Flatten(), new Linear(784, 10));

    public static Sequential Cnn() => new(
        new Conv2d(1, 8, kernelSize: 5, padding: 2), new ReLU(), new MaxPool2d(2),
        new Conv2d(8, 16, kernelSize: 5), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(400, 10));

    /// <summary>Test accuracy for each seed, in %. The seed determines the initial weights, the order of the images and the permutation.</summary>
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
            "Shuffling affects the CNN, not the linear model",
            $"Both models are trained three times through {m.Train.Count} of the {m.DigitsName} and tested on {m.Test.Count} others. There are "
            + $"{m.Seeds} runs of each kind, with different initial weights and permutations. A linear model has one weight for each pixel and does "
            + "not use the neighborhood: for shuffled images, it learns the same weights at other positions. The CNN uses neighborhoods, and "
            + $"shuffled neighbors are unrelated. For original images the CNN is {Values.N(Lead(a => a.Plain), "0.0")} points better than the "
            + $"linear model; for shuffled images {Values.N(Lead(a => a.Shuffled), "0.0")} points. Shuffling loses no number. It loses the spatial "
            + "structure that a convolution relies on and a linear model never uses.",
            Table("Test accuracy in %: median and range", ["model", "original images", "shuffled pixels", "loss"], all.Select(a => (string[])[
                a.Name, Range(a.Plain), Range(a.Shuffled), Values.N(a.Plain.Median() - a.Shuffled.Median(), "0.0")])),
            Dots([.. all.SelectMany(a => new[] { ($"{a.Name}, original", a.Plain), ($"{a.Name}, shuffled", a.Shuffled) })]));
    }

    static string Range(double[] values) => $"{Values.N(values.Median(), "0.0")} ({Values.N(values.Min(), "0.0")} to {Values.N(values.Max(), "0.0")})";

    /// <summary>Draws a dot for each run.</summary>
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
