using System.Globalization;
using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>What the page of a run says: it is what the run and <see cref="Evaluation"/> say.</summary>
public sealed class ReportPageTests : ReportRuns
{
    static readonly string[] names = ["ok", "dent", "scratch"];
    static readonly LabeledImages train = Draw(42, 1, names: names), validation = Draw(23, 2, names: names), test = Draw(130, 3, names: names);

    /// <summary>The monitor makes the second of four epochs the best.</summary>
    [Fact]
    public void Of_each_epoch_there_is_a_row_and_the_best_one_is_marked()
    {
        Queue<double> luck = new([0.25, 0.75, 0.5, 0.625]);
        Trainer trainer = Create(4, new("luck", _ => luck.Dequeue(), higherIsBetter: true));
        List<Evaluation> validated = [];
        TrainingResult result = trainer.Run(train, new Watched(
            step =>
            {
                if (step.Ended is null)
                    return;
                validated.Add(step.Validation!);
                ReportPage page = Page();
                int best = Math.Min(step.Epoch, 1);
                Check(page, result: null, step.Epoch + 1, best);
                Assert.Equal($"After epoch {best + 1}.", page.Section("validation")!.Element("p")!.Value);
                Same(validated[best], page.Section("validation")!);
                Assert.EndsWith($"; the best so far is epoch {best + 1}, luck {(best == 0 ? "0.2500" : "0.7500")}.", page.State, StringComparison.Ordinal);
                Assert.Equal(N(validated[^1].Loss), page.Cards["validation loss"]);
                Assert.Equal(P(validated[^1].Accuracy), page.Cards["validation accuracy"]);
            }, Report(trainer, train, step => clock.Milliseconds += 100 * (step.Epoch + 1))));
        ReportPage last = Page();
        Check(last, result, 4, best: 1);
        Assert.Equal("0.7500", last.Cards["luck"]);
        Assert.Equal(N(result.Epochs[1].Loss), last.Cards["training loss"]);
        Assert.Equal(P(result.Epochs[1].Accuracy), last.Cards["training accuracy"]);
        Assert.Null(last.Section("validation"));
        Same(validated[1], last.Set("Validation"));                                      // the model is that epoch's
        Assert.Equal("0.25 0.75 0.5 0.625", last.Chart("Luck").Descendants("path").Attributes("data-y").Single().Value);

        static void Check(ReportPage page, TrainingResult? result, int epochs, int best)
        {
            string[][] rows = page.Table("epochs");
            Assert.Equal(["epoch", "loss", "accuracy", "validation loss", "validation accuracy", "luck", "learning rate", "time"], rows[0]);
            Assert.Equal(Enumerable.Range(0, epochs).Select(i => i == best ? $"{i + 1} (best)" : $"{i + 1}"), rows.Skip(1).Select(row => row[0]));
            Assert.Equal(Enumerable.Range(0, epochs).Select(i => i == 0 ? "0.5 s" : $"{0.6 * (i + 1):F1} s"), rows.Skip(1).Select(row => row[^1]));
            Assert.Equal(best + 1, int.Parse(page.Chart("Loss").Descendants("span").Last().Value["best epoch: ".Length..], CultureInfo.InvariantCulture));
            foreach ((TrainingEpoch e, string[] row) in (result?.Epochs ?? []).Zip(rows.Skip(1)))
            {
                string rate = e.LearningRate.ToString("G3", CultureInfo.InvariantCulture);
                Assert.Equal([N(e.Loss), P(e.Accuracy), N(e.ValidationLoss), P(e.ValidationAccuracy), N(e.Monitored), rate], row[1..^1]);
            }
        }
    }

    [Fact]
    public void Where_the_best_model_is_not_kept_the_numbers_at_the_top_are_the_last_epochs()
    {
        Queue<double> luck = new([0.75, 0.5]);
        Trainer trainer = Create(2, new("luck", _ => luck.Dequeue(), higherIsBetter: true), keepBest: false);
        TrainingResult result = trainer.Run(train, Report(trainer, train));
        Assert.Equal(0, result.BestEpoch);
        Assert.Equal((N(result.Epochs[1].Loss), "0.5000"), (Page().Cards["training loss"], Page().Cards["luck"]));
    }

    [Fact]
    public void Why_the_run_ended_stands_at_the_top()
    {
        Trainer trainer = Create(2);
        Ended(trainer.Run(train, Report(trainer, train)), TrainingEnd.AllEpochs);

        int epoch = 0;
        trainer = Create(9, new("luck", _ => -epoch++, higherIsBetter: true), patience: 2);
        Ended(trainer.Run(train, Report(trainer, train)), TrainingEnd.Patience);
        Assert.StartsWith("Ended by Patience after 3 of 9 epochs, at a learning rate of 0.", Page().State, StringComparison.Ordinal);

        using CancellationTokenSource stop = new();
        trainer = Create(4);
        Ended(trainer.Run(train, Report(trainer, train, step => { if (step.Step == 8) stop.Cancel(); }), stop.Token), TrainingEnd.Cancelled);
        Assert.StartsWith("Ended on request after 1 of 4 epochs", Page().State, StringComparison.Ordinal);
        Assert.Equal("After epoch 1.", Page().Section("validation")!.Element("p")!.Value);

        trainer = Create(4, rate: step => step < 8 ? 0.01f : 1e38f);
        NotFiniteNumberException thrown = Assert.Throws<NotFiniteNumberException>(() => trainer.Run(train, Report(trainer, train)));
        Assert.StartsWith($"Ended in epoch 2 of 4, after step 9 of 24: {thrown.Message}.", Page().State, StringComparison.Ordinal);
        Assert.Equal("failed · a run", Page().Title);
        Assert.Contains("data-again=\"0\"", Page().Text, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Csv).Length);

        void Ended(TrainingResult result, TrainingEnd why)
        {
            Assert.Equal(why, result.EndedBy);
            Assert.Equal(char.ToUpperInvariant($"{result}"[0]) + $"{result}"[1..] + ".", Page().State);
            Assert.Equal(why == TrainingEnd.Cancelled, Page().FindSet("Validation") is null);
        }
    }

    [Fact]
    public void Scores_are_the_evaluations_to_the_bit()
    {
        Trainer trainer = Create(1);
        RunReport report = Report(trainer, train);
        trainer.Run(train, report);
        foreach ((string name, LabeledImages images) in ((string, LabeledImages)[])[("test", test), ("more", train), ("test", test.Take(60))])   // in its place
        {
            Evaluation expected = Evaluation.Of(trainer.Model, images, null, trainer.Loss), scores = report.Score(name, images);
            Assert.Equal((expected.Loss, expected.ToTable()), (scores.Loss, scores.ToTable()));
            Assert.Equal(expected.Confusion, scores.Confusion);
            Same(expected, Page().Set(name is "test" ? "Test" : "More"));
            Assert.Equal(P(expected.Accuracy), Page().Cards[$"{name} accuracy"]);
        }
        Assert.Equal(["class", "training", "validation", "more", "test"], Page().Table("data")[0]);
        LabeledImages[] sets = [train, validation, train, test.Take(60)];
        for (int c = 0; c < 3; c++)
            Assert.Equal([names[c], .. sets.Select(set => $"{set.Labels.Count(c)}")], Page().Table("data")[c + 1]);
    }

    [Fact]
    public void Of_many_classes_the_most_frequent_confusions_are_listed_and_of_masks_there_is_IoU()
    {
        LabeledImages many = Draw(400, seed: 4, classes: 31);
        Sequential model = Model(31);
        Trainer trainer = new(model, new Sgd(model.Parameters, 0.1f)) { BatchSize = 100 };
        RunReport report = Report(trainer, many);
        trainer.Run(many, report);
        Evaluation scores = report.Score("test", many);
        (int Label, int Guess, long Count)[] expected = [.. Enumerable.Range(0, 31 * 31).Select(i => (i / 31, i % 31, scores.Confusion[i / 31, i % 31]))
            .Where(pair => pair.Item1 != pair.Item2 && pair.Item3 > 0).OrderByDescending(pair => pair.Item3).Take(30)];
        Assert.Equal(30, expected.Length);
        Assert.Equal(expected.Select(pair => (string[])[$"{pair.Label}", $"{pair.Guess}", $"{pair.Count}"]), ReportPage.Table(Page().Set("Test")).Skip(1));
        Assert.Equal(33, ReportPage.Table(Page().Set("Test"), 1).Length);

        byte[] masks = [.. Enumerable.Range(0, 280).Select(i => (byte)(i % 5 == 4 ? 255 : i % 2))];
        MaskedImages masked = new(new byte[2 * 3 * 140], masks, small, 3, classNames: names);
        Sequential segmenter = new(new Conv2d(3, 3, 3, padding: 1));
        trainer = new(segmenter, new Sgd(segmenter.Parameters, 0.1f)) { BatchSize = 2 };
        report = Report(trainer, masked);
        trainer.Run(masked, report);
        Same(report.Score("masks", masked), Page().Set("Masks"));
        Assert.Equal(["112", "112", "0"], Page().Table("data").Skip(1).Select(row => row[1]));
    }

    /// <summary>Kernels as they were when the report was made and as they are, the layers that have maps, and samples as the first epoch has them.</summary>
    [Fact]
    public void The_inside_of_the_network_and_the_images_that_it_sees_are_drawn()
    {
        int[] byClass = [.. Enumerable.Range(0, 42).OrderBy(i => train.Labels[i])];
        LabeledImages sorted = new(
            [.. byClass.SelectMany(i => train.Image(i).ToArray())], [.. byClass.Select(i => train.Labels[i])], small, 3, [0, 0, 0], [1, 1, 1], names);
        Trainer trainer = Create(3, validated: sorted);
        Conv2d first = (Conv2d)((Sequential)trainer.Model).Layers[0];
        Tensor<float> before = Tensor.Create<float>([.. first.Weight.Value], first.Weight.Value.Lengths);
        RunReport report = Report(trainer, sorted, _ => clock.Milliseconds += 1000);
        trainer.Run(sorted, new Watched(
            step =>
            {
                Assert.Equal(step.Step >= 6, Page().Section("kernels") is not null);
                if (step.Ended is not null)
                    Same(Page());
            }, report));
        Same(Page());
        Assert.Equal(["ok", "dent"], Page().Section("maps")!.Elements("h3").Select(name => name.Value));      // the first two of different classes
        string[] layers =
        [
            "layer 0, Conv2d(3→4, 3×3, padding 1, no bias): 4 maps of 10×14", "layer 1, BatchNorm2d(4): 4 maps of 10×14", "layer 2, ReLU: 4 maps of 10×14",
        ];
        string[] captions = [.. ReportPage.Captions(Page().Section("maps")!)];
        Assert.Equal(captions[..8], captions[8..]);
        Assert.Equal(["input", .. layers], captions[..4]);
        Assert.EndsWith(": 6 maps of 3×5", captions[7], StringComparison.Ordinal);

        Batch batch = sorted.Batches(24, Trainer.EpochSeed(trainer.Seed, 0)).First();
        Assert.Equal(batch.Labels.Select(label => names[label]), ReportPage.Captions(Page().Section("data")!));

        void Same(ReportPage page) => Assert.Equal(
            Pictures.Image(KernelSheet.Draw(before, first.Weight.Value, "before training", "now"), " ").Attribute("src")!.Value,
            page.Section("kernels")!.Descendants("img").Single().Attribute("src")!.Value);
    }

    /// <summary>Files that are known stand below their images, and those that were not read in a table.</summary>
    [Fact]
    public void Photos_have_the_names_of_their_files()
    {
        LoadedSplits photos = new(Loaded(train, "a"), Loaded(validation, "b"), Loaded(test, "c"));
        Trainer trainer = Create(1, validated: photos.Validation!.Images);
        RunReport report = new(Path, trainer, photos);
        trainer.Run(photos.Train.Images, report);
        report.Score("test", photos.Test!.Images);
        string[][] skipped = Page().Table("data", 1);
        Assert.Equal(["file", "class", "reason"], skipped[0]);
        Assert.Equal(["a/x", "a/y", "b/x", "b/y", "c/x", "c/y"], skipped[1..].Select(row => row[0]));
        Assert.All(skipped[1..], (row, i) => Assert.Equal(i % 2 == 0 ? ["dent", "empty"] : ["–", "no picture"], row[1..]));
        Assert.Equal("6 files were not read", Page().Section("data")!.Descendants("summary").Single().Value);
        Assert.Equal(["a/0", "a/1"], Page().Section("maps")!.Elements("h3").Select(h => h.Value));    // of the first two classes
        foreach ((string set, LabeledImages images, string folder) in ((string, LabeledImages, string)[])[("Validation", validation, "b"), ("Test", test, "c")])
        {
            XElement[] figures = [.. Page().Set(set).Descendants("figure").Where(figure => figure.Descendants("span").Any())];
            Assert.True(figures.Length > 3);
            foreach (XElement figure in figures)
            {
                string file = figure.Descendants("span").Single().Value;
                Assert.StartsWith(folder, file, StringComparison.Ordinal);
                int image = int.Parse(file.Split('/')[1], CultureInfo.InvariantCulture);
                Assert.StartsWith(names[images.Labels[image]], figure.Element("figcaption")!.Value, StringComparison.Ordinal);
            }
        }

        static LoadedImages<LabeledImages> Loaded(LabeledImages images, string folder)
        {
            SkippedFile[] skipped = [new($"{folder}/x", "empty", "dent"), new($"{folder}/y", "no picture")];
            return new(images, [.. Enumerable.Range(0, images.Count).Select(i => $"{folder}/{i}")], skipped, images.Count);
        }
    }

    /// <summary>Optimizers have their own rates again when a run has ended, and the page tells these throughout.</summary>
    [Fact]
    public void Settings_are_those_that_were_given()
    {
        Sequential model = Model();
        Sgd weights = new(model.Parameters.Where(p => p.Value.Rank > 1), 0.25f, momentum: 0.5f);
        AdamW rest = new(model.Parameters.Where(p => p.Value.Rank == 1), 0.002f);
        Trainer trainer = new(model, weights, rest)
        {
            Epochs = 2,
            BatchSize = 20,
            AccumulateGradBatches = 2,
            DropLast = true,
            Seed = 11,
            Schedule = (step, _) => 1f / (step + 1),
            ClipNorm = 1.5f,
            Augmentation = new() { HorizontalFlip = true },
            Loss = new CrossEntropyLoss(labelSmoothing: 0.125f),
            Validation = validation,
            Monitor = Metric.MacroRecall,
            KeepBest = true,
        };
        int pages = 0;
        trainer.Run(train, new Watched(
            _ =>
            {
                Settings();
                pages++;
            }, Report(trainer, train)));
        Settings();
        Assert.Equal(2, pages);
        Assert.Contains(model.Summary(small), Page().Section("run")!.Value, StringComparison.Ordinal);

        void Settings()
        {
            Dictionary<string, string> settings = Page().Settings;
            Assert.StartsWith("Sgd, learning rate 0.25, momentum 0.5", settings["optimizer 1"], StringComparison.Ordinal);
            Assert.StartsWith("AdamW, learning rate 0.002, ", settings["optimizer 2"], StringComparison.Ordinal);
            Assert.All(
                ((string Name, string Value)[])
                [
                    ("training images", "42 of 3×10×14, 3 classes"), ("validation images", "23"),
                    ("mean and std", "0.4000, 0.4000, 0.4000; 0.2500, 0.2500, 0.2500"), ("epochs", "2"),
                    ("batch size", "20, 2 batches per step, the last incomplete batch is dropped"),
                    ("maximum gradient norm", "1.5"), ("augmentation", "HorizontalFlip"), ("loss", "CrossEntropyLoss(label smoothing 0.125)"),
                    ("monitor", "macro recall; the model of the best epoch is kept"), ("seed", "11"),
                ],
                expected => Assert.Equal(expected.Value, settings[expected.Name]));
            Assert.DoesNotContain("patience", settings.Keys);
        }
    }

    /// <summary>Confusion, precision, recall and F1 of a section.</summary>
    static void Same(Evaluation expected, XElement section)
    {
        string what = expected.Count > 200 ? "pixels" : "images";
        string line = $"{P(expected.Accuracy)} correct: {expected.Correct} of {expected.Count} {what}; loss {N(expected.Loss)}.";
        Assert.Contains(line, section.Elements("p").Select(p => p.Value));
        Assert.Equal(
            [["true \\ predicted", .. names], .. names.Select((name, c) => (string[])[name, .. names.Select((_, guess) => $"{expected.Confusion[c, guess]}")])],
            ReportPage.Table(section));
        foreach ((XElement cell, int i) in section.Descendants("td").Take(9).Select((cell, i) => (cell, i)))
        {
            Assert.Equal(i % 4 == 0 ? "right" : "wrong", ReportPage.Class(cell));
            double share = expected.Confusion[i / 3, i % 3] / (double)Math.Max(expected.Support(i / 3), 1);
            Assert.Equal($"--share:{share.ToString("F3", CultureInfo.InvariantCulture)}", cell.Attribute("style")!.Value);
        }
        string[] iou = what is "pixels" ? ["IoU"] : [];
        string[] means = [P(expected.MacroPrecision), P(expected.MacroRecall), P(expected.MacroF1), P(expected.MeanIoU)];
        Assert.Equal(
            [
                ["class", what, "precision", "recall", "F1", .. iou],
                .. names.Select((name, c) => (string[])[name, $"{expected.Support(c)}", .. Shares(expected, c)]),
                ["macro average", $"{expected.Count}", .. means[..(3 + iou.Length)]],
            ],
            ReportPage.Table(section, 1));

        string[] Shares(Evaluation of, int c) => ((string[])[P(of.Precision(c)), P(of.Recall(c)), P(of.F1(c)), P(of.IoU(c))])[..(3 + iou.Length)];
    }

    static Trainer Create(int epochs, Metric? monitor = null, int? patience = null, Func<int, float>? rate = null, LabeledImages? validated = null,
        bool keepBest = true)
    {
        Sequential model = Model();
        return new(model, new Sgd(model.Parameters, 0.02f))
        {
            Epochs = epochs,
            BatchSize = 8,
            Validation = validated ?? validation,
            Monitor = monitor ?? Metric.Loss,
            KeepBest = keepBest,
            Patience = patience,
            Schedule = (step, _) => rate?.Invoke(step) ?? 1 - 0.01f * step,
        };
    }
}
