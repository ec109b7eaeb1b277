using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>A run and its report: nothing is learnt otherwise, the page is whole whenever it is read, and what cannot be written ends nothing.</summary>
public sealed class RunReportTests : ReportRuns
{
    static readonly LabeledImages train = Draw(42, seed: 1), validation = Draw(23, seed: 2);
    static readonly MaskedImages masked = Masked(20, seed: 3);

    static MaskedImages Masked(int count, int seed)
    {
        LabeledImages images = Draw(count, seed);
        byte[] masks = new byte[count * small.Height * small.Width];
        for (int i = 0; i < masks.Length; i++)
            masks[i] = i % 7 == 0 ? MaskedImages.Ignored : (byte)(i % small.Width * 3 / small.Width);
        return new([.. Enumerable.Range(0, count).SelectMany(i => images.Image(i).ToArray())], masks, small, 3);
    }

    /// <summary>The page is written after each step here, all of it drawn anew. A checkpoint holds all that counts, the place of dropout's masks too.</summary>
    [Theory]
    [InlineData("one batch a step")]
    [InlineData("several batches a step")]
    [InlineData("frozen")]
    [InlineData("masks")]
    public void What_is_learnt_is_the_same_to_the_bit(string kind)
    {
        (byte[] plain, byte[] plainAfter, _) = Trained(reported: false);
        (byte[] reported, byte[] reportedAfter, int pages) = Trained(reported: true);
        Assert.Equal(plain, reported);
        Assert.Equal(plainAfter, reportedAfter);
        Assert.True(pages >= 6, $"{pages} pages");

        (byte[], byte[], int) Trained(bool reported)
        {
            Sequential model = kind is not "masks" ? Model()
                : new(new Conv2d(3, 4, 3, padding: 1), new BatchNorm2d(4), new ReLU(), new Dropout(0.1), new Conv2d(4, 3, 1));
            model.Initialize(seed: 4);
            if (kind is "frozen")
                model.Layers[1].Freeze();
            ImageDataset images = kind is "masks" ? masked : train;
            string path = System.IO.Path.Combine(folder, "checkpoint");
            Checkpoint.Delete(path);
            Trainer trainer = Create(path);
            HashSet<string> pages = [];
            RunReport report = Report(trainer, images, _ => clock.Milliseconds += 60_000);
            trainer.Run(images, reported ? new Watched(_ => pages.Add(Page().State), report) : null);
            byte[] checkpoint = File.ReadAllBytes(path);

            // Scoring leaves the model as it is too, and another run begins where that one would.
            bool[] trainable = [.. model.Parameters.Select(p => p.Trainable)];
            foreach (Parameter p in model.Parameters)
                p.Gradient.AsSpan().Fill(0.5f);
            if (reported)
                report.Score("test", images);
            Assert.Equal(trainable, model.Parameters.Select(p => p.Trainable));
            Assert.All(model.Parameters, p => Assert.All(p.Gradient.AsSpan().ToArray(), value => Assert.Equal(0.5f, value)));
            Create(path + " again").Run(images);
            byte[] after = File.ReadAllBytes(path + " again");
            Checkpoint.Delete(path + " again");
            return (checkpoint, after, pages.Count);

            Trainer Create(string path) => new(model, new Adam(model.Parameters, 0.01f))
            {
                Epochs = 3,
                BatchSize = 16,
                Seed = 5,
                AccumulateGradBatches = kind is "several batches a step" ? 2 : 1,
                Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
                Augmentation = new() { CropPadding = 2, HorizontalFlip = true, Brightness = 0.2 },
                Validation = kind is "masks" ? masked : validation,
                KeepBest = true,
                CheckpointPath = path,
            };
        }
    }

    /// <summary>42 images in batches of 8 are 6 steps.</summary>
    [Fact]
    public void The_page_is_written_at_the_first_step_after_each_epoch_and_within_a_long_one_every_20_seconds()
    {
        Trainer trainer = Create(epochs: 3);
        RunReport report = Report(trainer, train, step => clock.Milliseconds += step.Epoch == 1 ? 9_000 : 1_000);
        Assert.False(File.Exists(Path));
        List<int> written = [];
        string last = "";
        TrainingResult result = trainer.Run(train, new Watched(
            step =>
            {
                ReportPage page = Page();
                if (page.Text != last)
                {
                    written.Add(step.Step);
                    Assert.StartsWith($"Epoch {step.Epoch + 1} of 3, step {step.Step} of 18; ", page.State, StringComparison.Ordinal);
                    Assert.Equal($"epoch {step.Epoch + 1}/3 · a run", page.Title);
                    Assert.Contains("<noscript><meta http-equiv=\"refresh\" content=\"", page.Text, StringComparison.Ordinal);
                }
                last = page.Text;
                Assert.Equal(step.Step >= 6, File.Exists(Csv));
                Assert.Empty(Directory.EnumerateFiles(folder, "*.tmp", SearchOption.AllDirectories));
            }, report));
        Assert.Equal([1, 6, 9, 12, 18], written);                     // 9: 27 seconds after 6
        Assert.StartsWith("All 3 epochs done; best: epoch ", Page().State, StringComparison.Ordinal);
        Assert.Equal("done · a run", Page().Title);
        Assert.Contains("data-again=\"0\"", Page().Text, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", Page().Text, StringComparison.Ordinal);
        Assert.Equal(result.ToCsv(), File.ReadAllText(Csv));
        Assert.Equal([Csv, Path], Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order());
    }

    /// <summary>One reader reads the first half of a page before the next one is written, and the rest afterwards; the other reads all the time.</summary>
    [Fact]
    public async Task Whoever_reads_the_page_while_it_is_written_reads_a_whole_one()
    {
        Trainer trainer = Create(epochs: 4);
        RunReport report = Report(trainer, train);
        int read = 0;
        bool isOver = false;
        Task? reader = null;
        FileStream? open = null;
        string before = "", half = "";
        trainer.Run(train, new Watched(
            step =>
            {
                if (open is not null)
                {
                    Assert.Equal(before, half + new StreamReader(open).ReadToEnd());
                    open.Dispose();
                }
                before = Page().Text;
                open = Open();
                byte[] bytes = new byte[1000];
                open.ReadExactly(bytes);
                half = Encoding.UTF8.GetString(bytes);
                Assert.StartsWith(half, before, StringComparison.Ordinal);
                reader ??= Task.Factory.StartNew(ReadOn, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }, report));
        open!.Dispose();
        while (Volatile.Read(ref read) < 20 && !reader!.IsCompleted)
            report.Score("test", validation);
        Volatile.Write(ref isOver, true);
        await reader!;

        FileStream Open() => new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        void ReadOn()
        {
            while (!Volatile.Read(ref isOver))
            {
                using StreamReader file = new(Open());
                Assert.EndsWith("</html>\n", file.ReadToEnd(), StringComparison.Ordinal);
                Interlocked.Increment(ref read);
            }
        }
    }

    /// <summary>The folder is away after the first epoch, the page's place taken after the third.</summary>
    [Fact]
    public void A_page_that_cannot_be_written_is_a_line_on_the_standard_error_and_the_next_epoch_tries_again()
    {
        Trainer plain = Create(epochs: 5), trainer = Create(epochs: 5);
        string expected = plain.Run(train).ToCsv();
        RunReport report = Report(trainer, train);
        TextWriter error = Console.Error;
        StringWriter lines = new();
        Console.SetError(TextWriter.Synchronized(lines));
        TrainingResult result;
        try
        {
            result = trainer.Run(train, new Watched(
                step =>
                {
                    string[] told = [.. lines.ToString().Split('\n').Where(line => line.Contains(Path, StringComparison.Ordinal))];
                    Assert.Equal(step.Step < 12 ? 0 : step.Step < 24 ? 1 : 2, told.Length);
                    string pattern = $@"^{Regex.Escape(Path)} could not be written \(.+\); the training continues, and the next epoch tries again\r?$";
                    Assert.All(told, line => Assert.Matches(pattern, line));
                    switch (step.Step)
                    {
                        case 6:
                            Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);
                            break;
                        case 12:
                            Assert.False(File.Exists(Path));
                            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
                            break;
                        case 18:
                            Assert.StartsWith("Epoch 3 of 5, step 18 of 30", Page().State, StringComparison.Ordinal);
                            Assert.Equal(4, File.ReadAllLines(Csv).Length);
                            File.Delete(Path);
                            Directory.CreateDirectory(Path);
                            break;
                        case 24:
                            Assert.Empty(Directory.EnumerateFileSystemEntries(Path));
                            Directory.Delete(Path);
                            break;
                    }
                }, report));
        }
        finally
        {
            Console.SetError(error);
        }
        Assert.StartsWith("All 5 epochs done", Page().State, StringComparison.Ordinal);
        Assert.Equal(expected, result.ToCsv());
        Assert.Equal(expected, File.ReadAllText(Csv));
        Assert.Empty(Directory.EnumerateFiles(folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public void That_the_first_page_cannot_be_written_ends_the_run()
    {
        Directory.CreateDirectory(Path);
        Trainer trainer = Create(epochs: 2);
        int steps = 0;
        RunReport report = Report(trainer, train, _ => steps++);
        Assert.ThrowsAny<IOException>(() => trainer.Run(train, report));
        Assert.Equal(1, steps);
        Directory.Delete(Path);

        File.WriteAllText(System.IO.Path.Combine(folder, "file"), "");                   // a folder that cannot be
        Assert.ThrowsAny<IOException>(() => new RunReport(System.IO.Path.Combine(folder, "file", "report.html"), trainer, train));
    }

    /// <summary>The first run ends after step 9 of 24, in the middle of its second epoch; the second one takes 10 seconds a step.</summary>
    [Fact]
    public void A_run_that_goes_on_has_the_epochs_before_and_says_so()
    {
        string checkpoint = System.IO.Path.Combine(folder, "checkpoint");
        using CancellationTokenSource stop = new();
        Create(4, checkpoint).Run(train, step => { if (step.Step == 9) stop.Cancel(); }, stop.Token);
        Trainer trainer = Create(4, checkpoint, learningRate: 0.004f);
        RunReport report = Report(trainer, train, _ => clock.Milliseconds += 10_000);
        TrainingResult result = trainer.Run(train, new Watched(
            step =>
            {
                if (step.Step is not (10 or 12 or 18))
                    return;
                ReportPage page = Page();
                Assert.Equal(["going on after step 9 of 24; learning rate 0.003 → 0.004"], page.Notes);
                string left = step.Step switch { 10 => "0:00", 12 => "2:00", _ => "1:00" };
                Assert.StartsWith($"Epoch {step.Epoch + 1} of 4, step {step.Step} of 24; {left} left", page.State, StringComparison.Ordinal);
                Assert.Equal(step.Step / 6, page.Table("epochs").Length - 1);
            }, report));
        ReportPage page = Page();
        Assert.Equal(result.ToCsv(), File.ReadAllText(Csv));
        Assert.Equal(2, page.Main.Value.Split("going on after step 9 of 24").Length);
        Assert.Contains("(going on after step 9 of 24; learning rate 0.003 → 0.004)", page.State, StringComparison.Ordinal);
        Assert.Equal(["–", "20.0 s", "60.0 s", "60.0 s"], page.Table("epochs").Skip(1).Select(row => row[^1]));
        Assert.Equal(result.Epochs.Select(epoch => N(epoch.Loss)), page.Table("epochs").Skip(1).Select(row => row[1]));
        Assert.Equal("2:20", page.Cards["time"]);                                        // 14 of its 15 steps
        Assert.Equal("1 2 3 4", page.Chart("Accuracy").Descendants("path").Attributes("data-x").First().Value);
        string[] x = ["1", .. Enumerable.Range(10, 15).Select(step => FormattableString.Invariant($"{Math.Round(step / 6.0, 3)}"))];
        Assert.Equal(x, page.Chart("Loss").Descendants("path").Attributes("data-x").First().Value.Split(' '));

        // All of it was done before.
        trainer = Create(4, checkpoint, learningRate: 0.004f);
        File.Delete(Csv);
        TrainingResult again = trainer.Run(train, Report(trainer, train));
        page = Page();
        Assert.Equal(result.ToCsv(), again.ToCsv());
        Assert.Equal(again.ToCsv(), File.ReadAllText(Csv));
        Assert.Equal(4, page.Table("epochs").Length - 1);
        Assert.EndsWith(" (best)", page.Table("epochs")[1 + result.BestEpoch!.Value][0], StringComparison.Ordinal);
        Assert.StartsWith("All 4 epochs done", page.State, StringComparison.Ordinal);
        Assert.Equal((N(result.BestValue), "0:00"), (page.Cards["validation loss"], page.Cards["time"]));
    }

    [Fact]
    public void The_time_of_the_run_ends_with_it()
    {
        Trainer trainer = Create(epochs: 1);
        RunReport report = Report(trainer, train, _ => clock.Milliseconds += 3_000);
        trainer.Run(train, report);
        Assert.Equal("0:15", Page().Cards["time"]);
        clock.Milliseconds += 3_600_000;
        report.Score("test", validation);
        Assert.Equal("0:15", Page().Cards["time"]);

        // As long as the report takes a second whenever it looks at the clock, it has a share of the time.
        clock.Tick = 1000;
        trainer = Create(epochs: 1);
        report = Report(trainer, train, _ => clock.Milliseconds += 3_000);
        trainer.Run(train, report);
        string share = Page().Settings["time of this report"];
        Assert.Matches(@"^[1-9]\d\.\d % of the run$", share);
        report.Score("test", validation);
        Assert.Equal(share, Page().Settings["time of this report"]);
    }

    static Trainer Create(int epochs, string? checkpoint = null, float learningRate = 0.003f)
    {
        Sequential model = Model();
        return new(model, new Adam(model.Parameters, learningRate))
        {
            Epochs = epochs,
            BatchSize = 8,
            Validation = validation,
            CheckpointPath = checkpoint,
            CheckpointInterval = TimeSpan.Zero,
            Resume = checkpoint is not null,
        };
    }
}
