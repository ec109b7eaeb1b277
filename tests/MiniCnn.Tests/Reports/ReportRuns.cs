using System.Globalization;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>Base class of tests of a run's report: small data sets with unequal height and width, a network, a clock, and a folder for the page.</summary>
public abstract class ReportRuns : FolderTests
{
    private protected static readonly ImageShape small = new(3, 10, 14);

    private protected readonly Clock clock = new();

    private protected string Path => System.IO.Path.Combine(folder, "a run", "report.html");

    private protected string Csv => System.IO.Path.ChangeExtension(Path, ".csv");

    /// <summary>Noise that is brighter in the columns of its class.</summary>
    private protected static LabeledImages Draw(int count, int seed, ImageShape? shape = null, int classes = 3, IReadOnlyList<string>? names = null)
    {
        (ImageShape of, Random random) = (shape ?? small, new(seed));
        byte[] pixels = new byte[count * of.Length];
        random.NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => (i + seed) % classes)];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(pixels[i] / 2 + (i % of.Width * classes / of.Width == labels[i / of.Length] ? 96 : 0));
        return new(pixels, labels, of, classes, Each(0.4f), Each(0.25f), names);

        float[] Each(float value) => [.. Enumerable.Repeat(value, of.Channels)];
    }

    /// <summary>A network with dropout masks and running statistics, which a run must restore.</summary>
    private protected static Sequential Model(int classes = 3)
    {
        Sequential model = new(
            new Conv2d(3, 4, 3, padding: 1, bias: false), new BatchNorm2d(4), new ReLU(), new MaxPool2d(2), new Dropout(0.2),
            new Conv2d(4, 6, 3), new ReLU(), new Flatten(), new Dropout(0.3), new Linear(6 * 3 * 5, classes));
        model.Initialize(seed: 3);
        return model;
    }

    private protected RunReport Report(Trainer trainer, ImageDataset train, Action<TrainingStep>? progress = null) =>
        new(Path, trainer, train, clock) { Progress = progress is null ? null : new Watched(progress) };

    private protected ReportPage Page(bool drawn = true) => ReportPage.Read(Path, drawn);

    /// <summary>A number as the page formats it.</summary>
    private protected static string N(double? number) => number?.ToString("F4", CultureInfo.InvariantCulture) ?? "–";

    private protected static string P(double? share) =>
        share is null or double.NaN ? "–" : $"{(100 * share.Value).ToString("F2", CultureInfo.InvariantCulture)} %";

    /// <summary>Runs an action after each step, after the report if there is one, and forwards results and exceptions to the report.</summary>
    private protected sealed class Watched(Action<TrainingStep> action, RunReport? report = null) :
        IProgress<TrainingStep>, IProgress<TrainingResult>, IProgress<Exception>
    {
        public void Report(TrainingStep value)
        {
            report?.Report(value);
            action(value);
        }

        public void Report(TrainingResult value) => report?.Report(value);

        public void Report(Exception value) => report?.Report(value);
    }
}
