using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.BrowserTests;

/// <summary>Reports of real trainings, each made when it is first asked for.</summary>
sealed class Runs : IDisposable
{
    /// <summary>
    /// Of photos after the run's first step, after its first epoch and at its end; of more classes than a table shows; of masks; of a run that failed.
    /// </summary>
    public static readonly string[] Kinds = ["begun", "running", "photos", "many", "masks", "failed"];

    /// <summary>What the pages about photos are called.</summary>
    public const string Title = $"</title>{Hostile.Script}";

    /// <summary>What the other pages are called: their folder, named as people name theirs.</summary>
    public const string Folder = "my runs #1 ä";

    readonly string root = Directory.CreateTempSubdirectory("minicnn-").CreateSubdirectory(Folder).FullName;

    /// <summary>The losses of the steps on photos.</summary>
    public List<float> Losses { get; } = [];

    /// <summary>What the run on photos came to.</summary>
    public TrainingResult? Result { get; private set; }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(root)!, recursive: true);

    /// <summary>The page's file.</summary>
    public string this[string name]
    {
        get
        {
            string page = PathOf(name);
            if (!File.Exists(page))
            {
                Action make = name switch { "many" => Many, "masks" => Masks, "failed" => Failed, _ => Photos };
                make();
            }
            return page;
        }
    }

    /// <summary>A file of a test's own.</summary>
    public string PathOf(string name) => Path.Combine(root, $"{name}.html");

    /// <summary>A small training of ten classes, to watch.</summary>
    public static (Trainer Trainer, LabeledImages Train) Digits(int epochs, float learningRate = 0.05f)
    {
        LabeledImages train = DrawnDigits.Draw(60, seed: 1);
        Sequential model = new(new Conv2d(1, 4, 5, stride: 3), new ReLU(), new Flatten(), new Linear(256, 10));
        model.Initialize(seed: 0);
        Trainer trainer = new(model, new Sgd(model.Parameters, learningRate))
        {
            Epochs = epochs,
            BatchSize = 12,                                      // five steps in an epoch
            Validation = DrawnDigits.Draw(30, seed: 2),
        };
        return (trainer, train);
    }

    void Photos()
    {
        LoadedSplits photos = Hostile.Draw(Path.Combine(root, "photos"), ofEach: 20);
        Sequential model = new(
            new Conv2d(3, 8, 3, padding: 1), new BatchNorm2d(8), new ReLU(), new MaxPool2d(2),
            new Conv2d(8, 12, 3, padding: 1), new BatchNorm2d(12), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(648, Hostile.Classes.Length));
        model.Initialize(seed: 0);
        Trainer trainer = new(model, new Adam(model.Parameters, 0.0005f))
        {
            Epochs = 3,
            BatchSize = 4,                                       // more than twenty steps in an epoch
            Augmentation = new() { HorizontalFlip = true, CropPadding = 1, Brightness = 0.2 },
            Validation = photos.Validation!.Images,
            Monitor = Metric.MacroRecall,
            KeepBest = true,
            Patience = 3,
            ReduceOnPlateau = new() { Patience = 1 },
            ClipNorm = 10,
        };
        RunReport report = new(PathOf("photos"), trainer, photos) { Title = Title };
        Result = trainer.Run(photos.Train.Images, new Followed(report, step =>
        {
            Losses.Add(step.Loss);
            if (step.Step == 1)
                File.Copy(PathOf("photos"), PathOf("begun"));
            if (step is { Epoch: 0, Ended: not null })
                File.Copy(PathOf("photos"), PathOf("running"));
        }));
        report.Score("test", photos.Test!.Images);
    }

    void Many()
    {
        const int classes = 40;
        byte[] pixels = new byte[2 * classes * 8 * 12];
        new Random(1).NextBytes(pixels);
        int[] labels = [.. Enumerable.Range(0, 2 * classes).Select(i => i / 2)];
        LabeledImages images = new(pixels, labels, new(1, 8, 12), classes, classNames: [.. Enumerable.Range(0, classes).Select(i => $"kind {i}")]);
        Sequential model = new(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(240, classes));
        model.Initialize(seed: 0);
        Trainer trainer = new(model, new Sgd(model.Parameters, 2.5e-5f))      // such rates have long numbers
        {
            Epochs = 14,
            Validation = images,
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
        };
        trainer.Run(images, new RunReport(PathOf("many"), trainer, images));
    }

    void Masks()
    {
        string[] names = ["ground", Hostile.Script, .. Hostile.Classes[^3..]];
        MaskedImages train = Draw(40, 1), validation = Draw(20, 2);
        Sequential model = new(
            new Conv2d(1, 8, 3, padding: 1), new ReLU(),
            new Concat(new Identity(), new Sequential(new MaxPool2d(2), new Conv2d(8, 8, 3, padding: 1), new ReLU(), new Upsample(2))),
            new Conv2d(16, names.Length, 1));
        model.Initialize(seed: 0);
        Trainer trainer = new(model, new Adam(model.Parameters, 0.01f))
        {
            Epochs = 3,
            BatchSize = 8,
            Augmentation = new() { VerticalFlip = true },
            Validation = validation,
            Monitor = Metric.MeanIoU,
        };
        RunReport report = new(PathOf("masks"), trainer, train);
        trainer.Run(train, report);
        report.Score("test", Draw(20, 3));

        // Noise, and on it a square of each class but the first, the brighter the later; at the corner a pixel of no class.
        MaskedImages Draw(int count, int seed)
        {
            const int height = 12, width = 16, square = 4;
            Random random = new(seed);
            byte[] pixels = new byte[count * height * width], masks = new byte[pixels.Length];
            for (int i = 0; i < pixels.Length; i++)
                pixels[i] = (byte)random.Next(30);
            for (int n = 0; n < count; n++)
            {
                for (int label = 1; label < names.Length; label++)
                {
                    int corner = (n * height + random.Next(height - square)) * width + random.Next(width - square);
                    foreach (int p in Enumerable.Range(0, square * square).Select(p => corner + p / square * width + p % square))
                        (pixels[p], masks[p]) = ((byte)(50 * label), (byte)label);
                }
                masks[n * height * width] = MaskedImages.Ignored;
            }
            return new(pixels, masks, new(1, height, width), names.Length, classNames: names);
        }
    }

    void Failed()
    {
        (Trainer trainer, LabeledImages train) = Digits(epochs: 2, learningRate: 1e30f);
        RunReport report = new(PathOf("failed"), trainer, train);
        Assert.Throws<NotFiniteNumberException>(() => trainer.Run(train, report));
    }
}
