using System.Numerics.Tensors;
using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Cases;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>
/// What the README says of correctness is worked out here, and its first program is run here. With MINICNN_UPDATE_README=1 the README is
/// brought up to date instead of being found stale.
/// </summary>
[Collection(nameof(ReadmeTests))]                                     // tests write to one file
public sealed class ReadmeTests
{
    static readonly string path = Path.Combine(Repository.Root, "README.md");

    [Fact]
    public void The_tables_of_what_is_checked_are_up_to_date()
    {
        StringBuilder convolutions = new("| conv2d | cases | outputs and gradients | whole numbers equal to the bit |\n|---|---:|---|---:|\n");
        Verdict[] all = [.. CaseTableTests.Verdicts.Value.Where(v => v.Case is Conv2dCase)];
        foreach (IGrouping<string, Verdict> kind in all.GroupBy(v => ((Conv2dCase)v.Case).Kind).Append(all.GroupBy(_ => "**all**").Single()))
            convolutions.Append($"| {kind.Key} | {kind.Count()} | {Agree([.. kind])} | {kind.Sum(v => v.ExactNumbers)} |\n");
        IsUpToDate("checked", convolutions.ToString());

        ILookup<bool, Verdict> inDouble = CaseTableTests.Verdicts.Value.Where(v => v.Holds).ToLookup(v => v.Ways.Any(way => way.IsDouble));
        IsUpToDate("witnesses", $"Cases that agree in float and in double: {Counts(inDouble[true])}.\n\nIn float alone: {Counts(inDouble[false])}.\n");

        static string Agree(Verdict[] verdicts) => verdicts.Count(v => v.Holds) is var agree && agree == verdicts.Length ? "all agree" : $"{agree} agree";

        static string Counts(IEnumerable<Verdict> verdicts) => string.Join(", ", verdicts.GroupBy(v => v.Case.Subject).Select(of => $"{of.Key} {of.Count()}"));
    }

    [Fact]
    public void The_first_program_trains()
    {
        (LabeledImages Train, LabeledImages Test) mnist = (DrawnDigits.Draw(2_000, seed: 1), DrawnDigits.Draw(300, seed: 2));

        // README: first program
        var model = new Sequential(
            new Conv2d(1, 8, kernelSize: 5, padding: 2), new ReLU(), new MaxPool2d(2),
            new Conv2d(8, 16, kernelSize: 5), new ReLU(), new MaxPool2d(2),
            new Flatten(), new Linear(400, 10));
        model.Initialize(seed: 42);                                   // the weights torch.manual_seed(42) gives

        var loss = new CrossEntropyLoss();
        var optimizer = new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f);
        foreach (var (images, labels) in mnist.Train.Batches(64, seed: 1))
        {
            var logits = model.Forward(images, training: true);       // Tensor<float>, [64, 10]
            loss.Forward(logits, labels);
            model.Backward(loss.Backward());
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        // README: end

        Tensor<float> test = model.Forward(mnist.Test.Batches(300).Single().Images);
        int right = test.AsSpan().ToArray().Chunk(10).Zip(mnist.Test.Batches(300).Single().Labels).Count(p => TensorPrimitives.IndexOfMax<float>(p.First) == p.Second);
        Assert.InRange(right, 150, 300);

        ProgramIsUpToDate("first program");
    }

    [Fact]
    public void The_trainer_program_trains()
    {
        Sequential model = new(new Conv2d(1, 4, kernelSize: 5, stride: 3), new ReLU(), new Flatten(), new Linear(256, 10));
        LabeledImages images = DrawnDigits.Draw(600, seed: 1), test = DrawnDigits.Draw(200, seed: 2);
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
        CancellationToken cancel = default;

        // README: trainer program
        var (train, validation) = images.Split(0.1, seed: 0, stratify: true);
        Trainer trainer = new(model, new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f))
        {
            Epochs = 10,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
            Augmentation = new() { CropPadding = 1 },
            Validation = validation,
            Monitor = Metric.MacroRecall,
            KeepBest = true,
            CheckpointPath = Path.Combine(folder, "digits.checkpoint"),
            Resume = true,
        };
        Console.WriteLine(trainer.Run(train, new ConsoleProgress(), cancel));

        Evaluation evaluation = Evaluation.Of(model, test);
        Console.WriteLine(evaluation.ToTable());                              // of each class what it is taken for, precision, recall, F1
        // README: end

        Assert.InRange(evaluation.Accuracy, 0.6, 1);
        Assert.True(Checkpoint.Exists(trainer.CheckpointPath));
        Directory.Delete(folder, recursive: true);
        ProgramIsUpToDate("trainer program");
    }

    [Fact]
    public void The_report_program_writes_a_page()
    {
        Sequential model = new(new Conv2d(1, 4, kernelSize: 5, stride: 3), new ReLU(), new Flatten(), new Linear(256, 10));
        (LabeledImages train, LabeledImages test) = (DrawnDigits.Draw(200, seed: 1), DrawnDigits.Draw(50, seed: 2));
        Trainer trainer = new(model, new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f)) { Epochs = 2 };
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

        // README: report program
        RunReport report = new(Path.Combine(folder, "report.html"), trainer, train) { Progress = new ConsoleProgress() };
        trainer.Run(train, report);
        Console.WriteLine(report.Score("test", test));                        // Evaluation.Of, and the page shows it
        // README: end

        string page = File.ReadAllText(Path.Combine(folder, "report.html"));
        Assert.Contains("All 2 epochs done", page, StringComparison.Ordinal);
        Assert.Contains("Test images", page, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
        ProgramIsUpToDate("report program");
    }

    [Fact]
    public void The_photos_program_trains()
    {
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
        for (int i = 0; i < 20; i++)
        {
            Picture photo = new(30 + i, 20);
            new Random(i).NextBytes(photo.Pixels);
            photo.Save(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, i % 2 == 0 ? "cat" : "dog")).FullName, $"{i}.png"));
        }
        File.WriteAllBytes(Path.Combine(folder, "cat", "666.jpg"), []);
        File.WriteAllText(Path.Combine(folder, "cat", "IMG_7.HEIC"), "\0\0\0\u0018ftypheic");
        File.WriteAllBytes(Path.Combine(folder, "dog", "11702.png"), File.ReadAllBytes(Path.Combine(folder, "dog", "1.png"))[..^900]);
        File.WriteAllText(Path.Combine(folder, "labels.csv"), "id,label");
        var model = new Sequential(new Conv2d(3, 4, kernelSize: 3), new BatchNorm2d(4), new ReLU(), new AvgPool2d(62), new Flatten(), new Linear(4, 2));
        (string file, string album) = (Path.Combine(folder, "pets.safetensors"), Path.Combine(folder, "cat"));

        // README: photos program
        LoadedSplits photos = new ImageSplits(folder, seed: 0).Load(height: 64, width: 64, fit: Fit.Letterbox, progress: new ConsoleProgress("reading photos"));
        Console.WriteLine(photos);                                            // photos of each class, and which files were not read, and why
        LabeledImages train = photos.Train.Images;

        Trainer trainer = new(model, new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f))
        {
            Epochs = 10,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
            Augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 },
            Validation = photos.Validation!.Images,
            KeepBest = true,
        };
        Console.WriteLine(trainer.Run(train, new ConsoleProgress()));
        Console.WriteLine(Evaluation.Of(model, photos.Test!.Images).ToTable());
        new ImageClassifier(model, train).Save(file);                         // with size, fit, mean, std and class names

        foreach (FilePrediction photo in ImageClassifier.Load(file).CreatePredictor().PredictFolder(album))
            Console.WriteLine(photo.ToCsv());                                 // IMG_1.jpg,cat,0.93,
        // README: end

        Directory.Delete(folder, recursive: true);
        Assert.Equal([20, 3], [train.Count + photos.Validation.Images.Count + photos.Test.Images.Count,
            photos.Train.Skipped.Count(file => file.ClassName is not null) + photos.Validation.Skipped.Count + photos.Test.Skipped.Count]);
        IsUpToDate("photos output", $"```\n{photos}\n```\n");
        ProgramIsUpToDate("photos program");
    }

    [Fact]
    public void The_masks_program_trains_and_draws()
    {
        string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;
        Directory.CreateDirectory(InFolder("photos"));
        Directory.CreateDirectory(InFolder("masks"));
        for (int i = 0; i < 20; i++)
        {
            Picture drawn = new(40, 30), indices = new(40, 30, channels: 1);
            new Random(i).NextBytes(drawn.Pixels);
            for (int pixel = 600 + 30 * i; pixel < 1200; pixel++)
                (indices.Pixels[pixel], drawn.Pixels[3 * pixel], drawn.Pixels[3 * pixel + 1]) = (1, 0, 0);
            drawn.Save(InFolder($"photos/{i}.png"));
            indices.Save(InFolder($"masks/{i}.png"));
        }
        Sequential unet = new(new Conv2d(3, 8, 3, padding: 1), new ReLU(), new Conv2d(8, 2, 3, padding: 1));
        (string photos, string masks, string file, string picture, string overlay) =
            (InFolder("photos"), InFolder("masks"), InFolder("model.safetensors"), InFolder("photos/3.png"), InFolder("seen.png"));

        // README: masks program
        MaskedImageFolder all = new(photos, masks, ["ground", "road"]);               // photos/a/1.jpg and masks/a/1.png: its class indices, or 255
        var (some, kept) = all.Split(0.2, seed: 0);
        MaskedImages train = some.Load(height: 24, width: 32).Images;                 // sizes that the net's pools divide
        var (mean, std) = train.MeanAndStd();
        train = train.WithNormalization(mean, std);
        MaskedImages validation = kept.Load(height: 24, width: 32).Images.WithNormalization(mean, std);

        Trainer trainer = new(unet, new Adam(unet.Parameters, 0.01f))                 // unet: as Level in examples/Segmentation
        {
            Epochs = 10,
            Loss = new CrossEntropyLoss(ClassWeights.Balanced(train)),
            Augmentation = new() { HorizontalFlip = true, Rotation = 10 },
            Validation = validation,
            Monitor = Metric.MeanIoU,
            KeepBest = true,
        };
        Console.WriteLine(trainer.Run(train, new ConsoleProgress()));
        Console.WriteLine(Evaluation.Of(unet, validation).ToTable());                 // of each class its IoU too
        new ImageSegmenter(unet, train).Save(file);

        MaskPredictor predictor = ImageSegmenter.Load(file).CreatePredictor();
        Picture photo = Picture.Load(picture), mask = predictor.Predict(photo);       // class indices, of the photo's size
        MaskOverlay.Draw(photo, mask).Save(overlay);
        // README: end

        Assert.Equal((40, 30, 1), (mask.Width, mask.Height, mask.Channels));
        Assert.InRange(Evaluation.Of(unet, validation).MeanIoU, 0.6, 1);
        Assert.True(File.Exists(overlay));
        Directory.Delete(folder, recursive: true);
        ProgramIsUpToDate("masks program");

        string InFolder(string name) => Path.Combine(folder, name);
    }

    /// <summary>examples/WebApi is run by a test of its own.</summary>
    [Fact]
    public void The_web_program_is_that_of_the_example() => ProgramIsUpToDate("web program", Path.Combine("examples", "WebApi", "Program.cs"), indent: 4);

    /// <summary>What stands between the marks of a program above, as the README has it.</summary>
    static void ProgramIsUpToDate(string name) => ProgramIsUpToDate(name, Path.Combine("tests", "MiniCnn.Tests", "Repository", "ReadmeTests.cs"), indent: 8);

    static void ProgramIsUpToDate(string name, string file, int indent)
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, file)).ReplaceLineEndings("\n");
        string[] lines = source.Split($"// README: {name}\n")[1].Split("// README: end")[0].TrimEnd().Split('\n');
        IsUpToDate(name, $"```csharp\n{string.Join('\n', lines.Select(line => line.Length > indent ? line[indent..] : "")).TrimEnd()}\n```\n");
    }

    [Fact]
    public void Every_measured_block_is_filled_and_every_file_it_points_to_is_there()
    {
        string readme = File.ReadAllText(path).ReplaceLineEndings("\n");
        foreach (string block in readme.Split(": begin -->\n")[1..])
            Assert.False(block.StartsWith("<!--", StringComparison.Ordinal), "a block of the README is empty; tests/readme_figures.py fills it");
        foreach (Match link in Regex.Matches(readme, @"\]\(([^)#:]+)\)"))
            Assert.True(Path.Exists(Path.Combine(Repository.Root, link.Groups[1].Value)), $"README.md points to {link.Groups[1].Value}, which is not there");
    }

    internal static void IsUpToDate(string name, string text)
    {
        string readme = File.ReadAllText(path).ReplaceLineEndings("\n"), begin = $"<!-- {name}: begin -->\n", end = $"<!-- {name}: end -->";
        string[] parts = [.. readme.Split(begin).SelectMany((part, i) => i == 0 ? [part] : part.Split(end, 2))];
        Assert.Equal(3, parts.Length);
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_README") == "1")
            File.WriteAllText(path, parts[0] + begin + text + end + parts[2]);
        else
            Assert.Equal(text, parts[1]);
    }
}
