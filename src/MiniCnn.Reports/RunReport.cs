using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Reports;

/// <summary>
/// A page about a training, for a browser: one file, which needs no server and no network. It is written as the run begins, anew after each epoch, and at the
/// end; an open page loads itself again while the run goes on. The numbers of the epochs stand beside it as CSV.
/// </summary>
/// <remarks>
/// <code>
/// Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f)) { Epochs = 10, Validation = validation };
/// RunReport report = new("report.html", trainer, train) { Progress = new ConsoleProgress() };
/// trainer.Run(train, report);
/// Console.WriteLine(report.Score("test", test));
/// </code>
/// It shows loss, accuracy and learning rate, the best epoch and why the run ended; confusion, precision, recall and F1, or of masks IoU; the images of each
/// class, what was not read, and augmented samples; the first layer's kernels before and after, maps layer by layer, the surest mistakes, and where the network
/// looked; summary, settings, command and versions. It does not change what is learnt, to the bit. A page is below 2 MB; where pictures would make it larger,
/// some are left out, and it says so. A page that cannot be written does not end the run: the standard error says so, and the next epoch tries again.
/// </remarks>
public sealed class RunReport : IProgress<TrainingStep>, IProgress<TrainingResult>, IProgress<Exception>
{
    const int MostPoints = 400;                                  // of a curve: as many as its chart has pixels
    static readonly TimeSpan longest = TimeSpan.FromSeconds(20); // between two pages within an epoch

    readonly string path;
    readonly TimeProvider clock;
    readonly Page page;
    readonly Dictionary<ImageDataset, IReadOnlyList<string>> files = [];
    double lossSum;
    long counted, started, epochStarted, written;                // images since the last point; of the clock, the first step and the last page
    long? ended;                                                 // of the clock
    bool hasPage;

    /// <summary>For one run of a trainer.</summary>
    /// <param name="path">The page, “report.html”. Its folder is made if there is none; a page that is there is replaced.</param>
    /// <param name="trainer">The trainer that will run. The first layer's kernels are taken down now, as those before training.</param>
    /// <param name="train">The images that it will be given.</param>
    /// <exception cref="IOException">The folder cannot be made; that the page cannot be written ends the run after its first step.</exception>
    public RunReport(string path, Trainer trainer, ImageDataset train) : this(path, trainer, train, TimeProvider.System)
    {
    }

    /// <summary>The same of photos from folders: the page says what was not read, and names files.</summary>
    /// <inheritdoc cref="RunReport(string, Trainer, ImageDataset)"/>
    public RunReport(string path, Trainer trainer, LoadedSplits photos)
        : this(path, trainer, (photos ?? throw new ArgumentNullException(nameof(photos))).Train.Images)
    {
        Skipped = [.. new[] { photos.Train, photos.Validation, photos.Test }.SelectMany(part => part?.Skipped ?? [])];
        foreach (LoadedImages<LabeledImages>? part in new[] { photos.Train, photos.Validation, photos.Test })
            if (part is not null)
                files[part.Images] = part.Files;
    }

    internal RunReport(string path, Trainer trainer, ImageDataset train, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentNullException.ThrowIfNull(train);
        (this.path, this.clock, Trainer, Train) = (path, clock, trainer, train);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Title = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path))!);
        page = new(this);
    }

    /// <summary>What the page is called; if not given, its folder's name.</summary>
    public string Title { get; init; }

    /// <summary>Told of every step too: a <see cref="ConsoleProgress"/>.</summary>
    public IProgress<TrainingStep>? Progress { get; init; }

    /// <summary>Files that were not read, to be told of.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; init; } = [];

    internal Trainer Trainer { get; }

    internal ImageDataset Train { get; }

    internal List<TrainingEpoch> Epochs { get; } = [];

    /// <summary>How long each took; null for those before a checkpoint.</summary>
    internal List<TimeSpan?> Times { get; } = [];

    /// <summary>Loss and learning rate within the epochs.</summary>
    internal List<(double Epoch, double Loss, double Rate)> Points { get; } = [];

    /// <summary>The last step.</summary>
    internal TrainingStep? Last { get; private set; }

    /// <summary>The step that this run began after.</summary>
    internal int Before { get; private set; }

    /// <summary>Of a run that went on from a checkpoint: where.</summary>
    internal string? Note { get; private set; }

    internal TrainingResult? Result { get; private set; }

    /// <summary>What ended the run instead.</summary>
    internal string? Failure { get; private set; }

    /// <summary>From 0.</summary>
    internal int? BestEpoch => Result?.BestEpoch ?? Last?.BestEpoch;

    internal bool IsOver => Result is not null || Failure is not null;

    /// <summary>The best epoch's, or without a best one the last one's, and that epoch, from 0.</summary>
    internal (Evaluation Scores, int Epoch)? Validation { get; private set; }

    internal List<Scored> Sets { get; } = [];

    internal TimeSpan Elapsed => clock.GetElapsedTime(started, ended ?? clock.GetTimestamp());

    /// <summary>What the report has taken of it.</summary>
    internal TimeSpan Spent { get; private set; }

    internal DateTimeOffset Now => clock.GetLocalNow();

    /// <summary>The file of an image, if it is known.</summary>
    internal string? FileOf(ImageDataset images, int index) => files.TryGetValue(images, out IReadOnlyList<string>? names) ? names[index] : null;

    /// <summary>After a step of the training.</summary>
    public void Report(TrainingStep value)
    {
        Progress?.Report(value);
        if (Last is null)
        {
            (Before, Note) = (value.Step - 1, value.Note);
            Begin(value.Before ?? []);
        }
        Last = value;
        lossSum += value.Count == 0 ? 0 : value.Loss * (double)value.Count;
        counted += value.Count;
        if (counted > 0 && (value.Step % ((value.Steps + MostPoints - 1) / MostPoints) == 0 || value.Ended is not null))
        {
            Points.Add(((double)value.Step * value.Epochs / value.Steps, lossSum / counted, Trainer.Optimizers[0].LearningRate));
            (lossSum, counted) = (0, 0);
        }
        if (value.Ended is not null)
            EndEpoch(value, value.Ended);
        if (!hasPage || value.Ended is not null || clock.GetElapsedTime(written) >= longest)
            Write();
    }

    /// <summary>With the epochs before a checkpoint.</summary>
    void Begin(IReadOnlyList<TrainingEpoch> before)
    {
        started = epochStarted = clock.GetTimestamp();
        Epochs.AddRange(before);
        Times.AddRange(before.Select(_ => (TimeSpan?)null));
    }

    void EndEpoch(TrainingStep step, TrainingEpoch ended)
    {
        Epochs.Add(ended);
        Times.Add(clock.GetElapsedTime(epochStarted));
        epochStarted = clock.GetTimestamp();
        if (step.Validation is not null && (step.BestEpoch is null || step.BestEpoch == step.Epoch))
            Validation = (step.Validation, step.Epoch);
    }

    /// <summary>After the run: the page says why it ended, and shows what the network makes of the validation images.</summary>
    public void Report(TrainingResult value)
    {
        (Progress as IProgress<TrainingResult>)?.Report(value);
        if (Last is null)
            Begin(value.Epochs);                                 // all of them were done before
        (Result, ended) = (value, clock.GetTimestamp());
        if (Trainer.Validation is not ImageDataset validation || value.EndedBy == TrainingEnd.Cancelled)
        {
            Write();
            return;
        }
        try
        {
            Score("validation", validation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            Console.Error.WriteLine($"{path} is without the validation images' scores ({e.Message}); the training is done");
            Write();
        }
    }

    /// <summary>After a run that was ended by an exception: the page says which.</summary>
    public void Report(Exception value)
    {
        ArgumentNullException.ThrowIfNull(value);
        (Progress as IProgress<Exception>)?.Report(value);
        if (Last is null)
            Begin([]);
        (Failure, ended) = (value.Message.TrimEnd('.'), clock.GetTimestamp());
        hasPage = true;                                          // of two faults the first one is told
        Write();
    }

    /// <summary>
    /// After the run: what the network makes of a set, such as the test images, as <see cref="Evaluation.Of(Layer, ImageDataset, int?, LabelLoss)"/> has it by
    /// the training's loss; the page shows that, the surest mistakes among them and where the network looked.
    /// </summary>
    /// <param name="name">What the page calls the set, “test”.</param>
    /// <param name="images">Images of the shape and the classes that it was trained on.</param>
    /// <exception cref="ArgumentException">Images that the network does not fit, or of other classes or another normalisation than those of the training.</exception>
    public Evaluation Score(string name, ImageDataset images)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(images);
        Evaluation.CheckAlike("the training images", Train.ClassNames, Train.Mean, Train.Std, Train.Fit, $"the {name} images", images);
        Scored scored = Scored.Of(name, Trainer.Model, images, Trainer.Loss);
        Sets.RemoveAll(set => set.Name == name);
        Sets.Add(scored);
        Write();
        return scored.Evaluation;
    }

    void Write()
    {
        long begin = clock.GetTimestamp();
        try
        {
            byte[] html = Encoding.UTF8.GetBytes(page.Write());
            AtomicFile.Write(path, file => file.Write(html));
            if (Epochs.Count > 0)
                AtomicFile.Write(Path.ChangeExtension(path, ".csv"), file => file.Write(Encoding.UTF8.GetBytes(TrainingResult.ToCsv(Epochs))));
        }
        catch (Exception e) when (hasPage && e is (IOException or UnauthorizedAccessException))
        {
            Console.Error.WriteLine($"{path} could not be written ({e.Message}); the training goes on, and the next epoch tries again");
        }
        (written, hasPage) = (clock.GetTimestamp(), true);
        if (ended is null)                                       // a share of the run's time
            Spent += clock.GetElapsedTime(begin);
    }
}
