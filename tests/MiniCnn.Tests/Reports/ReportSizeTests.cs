using System.Xml.Linq;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>A page is below 2 MB, whatever is in it, and says what it leaves out.</summary>
public sealed class ReportSizeTests : ReportRuns
{
    /// <summary>
    /// 200 classes with names as long as file systems take them, noise of 224×192, 93 layers, 5,000 epochs, three scored sets, 200 files that were not read.
    /// </summary>
    [Fact]
    public void Of_many_classes_large_photos_a_deep_net_and_thousands_of_epochs()
    {
        const int Count = 30, Classes = 200, Epochs = 5000;
        string[] names = [.. Enumerable.Range(0, Classes).Select(i => $"{i} {new string('い', 250)}")];        // three bytes each
        ImageShape shape = new(3, 224, 192);
        byte[] noise = new byte[Count * shape.Length];
        new Random(1).NextBytes(noise);
        IEnumerable<Layer> inner = Enumerable.Range(0, 30).SelectMany(_ => (Layer[])[new Conv2d(8, 8, 3, padding: 1), new ReLU(), new Dropout(0.1)]);
        Sequential net = new([new Conv2d(3, 8, 9, stride: 16), .. inner, new Flatten(), new Linear(8 * 14 * 12, Classes)]);
        LabeledImages[] sets = [.. Enumerable.Range(0, 3).Select(set => new LabeledImages(
            noise, [.. Enumerable.Range(0, Count).Select(i => (7 * i + set) % Classes)], shape, Classes, [0, 0, 0], [1, 1, 1], names))];
        string[] files = [.. Enumerable.Range(0, Count).Select(i => $"{names[i]}/{i}.jpg")];
        SkippedFile[] skipped = [.. names.Select(name => new SkippedFile($"{name}/a.jpg", "a JPEG that ends before its picture does", name))];
        LoadedSplits photos = new(new(sets[0], files, skipped, Count), new(sets[1], files, [], Count), new(sets[2], files, [], Count));
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f)) { Epochs = Epochs, Validation = sets[1] };
        RunReport report = new(Path, trainer, photos);
        Random random = new(2);
        TrainingEpoch[] epochs = [.. Enumerable.Range(0, Epochs).Select(_ => new TrainingEpoch(
            random.NextDouble(), random.NextDouble(), random.NextSingle(), random.NextDouble(), random.NextDouble(), random.NextDouble()))];
        report.Points.AddRange(epochs.Select((epoch, i) => (i + 0.5, epoch.Loss, (double)epoch.LearningRate)));
        report.Report(new TrainingStep(
            Epochs - 1, Epochs, Epochs, Epochs, Count, 1, 2, Count, epochs[^1], 1234, Before: epochs[..^1], Validation: Evaluation.Of(net, sets[1])));
        Check(leftOut: 0);
        report.Score("one", sets[0]);
        report.Score("two", sets[1]);
        report.Score("three", sets[2]);
        Check(leftOut: 1);
        Assert.Contains("Files that were not read, the first 100", Page().Section("data")!.Value, StringComparison.Ordinal);
        Assert.Equal(101, Page().Table("data", 1).Length);
    }

    /// <summary>512 kernels of 3×11×11.</summary>
    [Fact]
    public void Of_many_large_kernels()
    {
        Sequential net = new(new Conv2d(3, 512, 11), new ReLU(), new Flatten(), new Linear(512 * 4 * 2, 3));
        LabeledImages images = Draw(6, 1, new(3, 14, 12));
        Trainer trainer = new(net, new Sgd(net.Parameters, 0.01f)) { Validation = images };
        trainer.Run(images, Report(trainer, images));
        Check(leftOut: 0);
        Assert.True(Page().Section("kernels")!.ToString().Length > 1_000_000);
    }

    /// <summary>Every part has pictures or says that they are left out, at least so many of them.</summary>
    void Check(int leftOut)
    {
        const string Why = "The pictures of this section are omitted to keep the page below 2 MB.";
        Assert.InRange(new FileInfo(Path).Length, 100_000, 1_999_999);
        XElement[] parts = [.. Page().Sections.Where(section => ReportPage.Id(section) is not ("curves" or "epochs" or "validation" or "run"))];
        Assert.All(parts, part => Assert.NotEqual(part.Descendants("img").Any(), part.Elements("p").Any(note => note.Value == Why)));
        Assert.InRange(parts.Count(part => !part.Descendants("img").Any()), leftOut, parts.Length - 1);
    }
}
