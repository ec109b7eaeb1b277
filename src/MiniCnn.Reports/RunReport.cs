using System.Text;
using MiniCnn.Imaging;

namespace MiniCnn.Reports;

/// <summary>
/// Writes an HTML page about a training: one file, which needs no server and no network. It is written after the first step, after each epoch, every 20 seconds
/// within an epoch, and at the end. An open page reloads itself while the run continues. A CSV file next to it has the numbers of the epochs.
/// </summary>
/// <remarks>
/// <code>
/// Trainer trainer = new(model, new Sgd(model.Parameters, 0.05f)) { Epochs = 10, Validation = validation };
/// RunReport report = new("report.html", trainer, train) { Progress = new ConsoleProgress() };
/// trainer.Run(train, report);
/// Console.WriteLine(report.Score("test", test));
/// </code>
/// The page shows loss, accuracy and learning rate, the best epoch and why the run ended; the confusion matrix, precision, recall, F1 and, for masks, IoU; the
/// images per class, the files that were not read, and augmented samples; the kernels of the first convolution before and after, the feature maps, the most
/// confident mistakes with Grad-CAM and saliency maps; the network summary, settings, command and versions. The trained weights are bit-identical with and
/// without the report. The page is below 2 MB; pictures that do not fit are omitted, with a note. If the page cannot be written later in the
/// run, the error is written to the standard error stream, the run continues, and the next epoch tries again.
/// </remarks>
public sealed class RunReport : IProgress<TrainingStep>, IProgress<TrainingResult>, IProgress<Exception>
{
    const int MostPoints = 400;                                  // of a curve: the width of its chart in pixels
    static readonly TimeSpan longest = TimeSpan.FromSeconds(20); // between two writes within an epoch

    readonly string path;
    readonly TimeProvider clock;
    readonly Page page;
    readonly Dictionary<ImageDataset, IReadOnlyList<string>> files = [];
    double lossSum;
    long counted, started, epochStarted, written;                // images since the last point; clock: start, start of epoch, last write
    long? ended;                                                 // clock at the end of the run
    bool hasPage;

    /// <summary>Creates the report of one run of a trainer.</summary>
    /// <param name="path">Path of the page, such as “report.html”. Its folder is created if needed; an existing page is overwritten.</param>
    /// <param name="trainer">The trainer that will run. The kernels of the first convolution are copied now, as the kernels before training.</param>
    /// <param name="train">The training images of the run.</param>
    /// <exception cref="IOException">The folder cannot be created. The run also throws it if the page cannot be written after the first step.</exception>
    public RunReport(string path, Trainer trainer, ImageDataset train) : this(path, trainer, train, TimeProvider.System)
    {
    }

    /// <summary>Creates the report for photos from folders. The page also shows file names and the files that were not read.</summary>
    /// <param name="path">Path of the page, such as “report.html”. Its folder is created if needed; an existing page is overwritten.</param>
    /// <param name="trainer">The trainer that will run. The kernels of the first convolution are copied now, as the kernels before training.</param>
    /// <param name="photos">The photos. The training part has the training images of the run.</param>
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

    /// <summary>Title of the page. The default is the name of its folder.</summary>
    public string Title { get; init; }

    /// <summary>Receives all reports too; for example a <see cref="ConsoleProgress"/>. The default is none.</summary>
    public IProgress<TrainingStep>? Progress { get; init; }

    /// <summary>Files that were not read, to be listed on the page.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; init; } = [];

    internal Trainer Trainer { get; }

    internal ImageDataset Train { get; }

    internal List<TrainingEpoch> Epochs { get; } = [];

    /// <summary>Time of each epoch; null for epochs before a checkpoint.</summary>
    internal List<TimeSpan?> Times { get; } = [];

    /// <summary>Loss and learning rate within the epochs; Epoch is a fraction.</summary>
    internal List<(double Epoch, double Loss, double Rate)> Points { get; } = [];

    /// <summary>The last reported step.</summary>
    internal TrainingStep? Last { get; private set; }

    /// <summary>Number of steps before this run.</summary>
    internal int Before { get; private set; }

    /// <summary>The note of a run that was resumed from a checkpoint.</summary>
    internal string? Note { get; private set; }

    internal TrainingResult? Result { get; private set; }

    /// <summary>The message of the exception that ended the run.</summary>
    internal string? Failure { get; private set; }

    /// <summary>Index of the best epoch, from 0.</summary>
    internal int? BestEpoch => Result?.BestEpoch ?? Last?.BestEpoch;

    internal bool IsOver => Result is not null || Failure is not null;

    /// <summary>The validation scores of the best epoch, or of the last epoch if there is no best one, and the index of that epoch.</summary>
    internal (Evaluation Scores, int Epoch)? Validation { get; private set; }

    internal List<Scored> Sets { get; } = [];

    internal TimeSpan Elapsed => clock.GetElapsedTime(started, ended ?? clock.GetTimestamp());

    /// <summary>The part of the run time that the report took.</summary>
    internal TimeSpan Spent { get; private set; }

    internal DateTimeOffset Now => clock.GetLocalNow();

    /// <summary>The file name of an image; null if it is unknown.</summary>
    internal string? FileOf(ImageDataset images, int index) => files.TryGetValue(images, out IReadOnlyList<string>? names) ? names[index] : null;

    /// <summary>Called by the trainer after each step.</summary>
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

    /// <summary>Starts the clock, with the epochs before a checkpoint.</summary>
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

    /// <summary>Called by the trainer after the run. The page then shows why the run ended and, unless it was cancelled, the validation set.</summary>
    public void Report(TrainingResult value)
    {
        (Progress as IProgress<TrainingResult>)?.Report(value);
        if (Last is null)
            Begin(value.Epochs);                                 // all epochs were done before this run
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
            Console.Error.WriteLine($"{path} does not show the validation scores ({e.Message}); the training is finished");
            Write();
        }
    }

    /// <summary>Called by the trainer if an exception ended the run. The page then shows its message.</summary>
    public void Report(Exception value)
    {
        ArgumentNullException.ThrowIfNull(value);
        (Progress as IProgress<Exception>)?.Report(value);
        if (Last is null)
            Begin([]);
        (Failure, ended) = (value.Message.TrimEnd('.'), clock.GetTimestamp());
        hasPage = true;                                          // so that Write does not throw and hide this exception
        Write();
    }

    /// <summary>
    /// Evaluates the network on a data set after the run, such as the test images, with the loss of the trainer. The page shows the scores and the most
    /// confident mistakes, with Grad-CAM and saliency maps; for masks, the images with the most wrong pixels.
    /// </summary>
    /// <param name="name">Name of the set on the page, such as “test”. A set that was scored before under this name is replaced.</param>
    /// <param name="images">Images with the shape, the classes and the normalization of the training images.</param>
    /// <returns>The scores, as by <see cref="Evaluation.Of(Layer, ImageDataset, int?, LabelLoss)"/>.</returns>
    /// <exception cref="ArgumentException">
    /// The images do not fit the network, or have other classes or another normalization or fit than the training images.
    /// </exception>
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
            Console.Error.WriteLine($"{path} could not be written ({e.Message}); the training continues, and the next epoch tries again");
        }
        (written, hasPage) = (clock.GetTimestamp(), true);
        if (ended is null)                                       // only time within the run counts
            Spent += clock.GetElapsedTime(begin);
    }
}
