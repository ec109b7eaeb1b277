using Spectre.Console;

namespace MiniCnn.Reports;

/// <summary>
/// Shows the progress of a training, a download or the reading of photos on the console: as a progress bar on a terminal, and as a line every two seconds if
/// the output is redirected to a file or a program.
/// </summary>
/// <remarks>
/// <code>
/// TrainingResult result = trainer.Run(train, new ConsoleProgress());
///
/// epoch 2/10  loss 0.3021  accuracy 90.82 %  4404 images/s  0:38 left
/// epoch 2: validation loss 0.2214, accuracy 93.33 %; the best so far
/// </code>
/// Loss and accuracy are the means over the training images since the previous line. On a terminal, do not write other output while the bar is shown: it is
/// drawn over the line above the cursor. Thread-safe.
/// </remarks>
public sealed class ConsoleProgress : IProgress<TrainingStep>, IProgress<(int Done, int Total)>, IProgress<(string File, long Received, long Total)>
{
    const int LongestBar = 40;                                   // characters

    readonly IAnsiConsole console;
    readonly TimeProvider clock;
    readonly Lock drawing = new();                               // Report may be called on several threads
    string? what;
    long start, before, done;                                    // clock at the start; steps before this run; steps done
    TimeSpan next;                                               // time of the next output, since the start
    long images, recent, correct;                                // since the start; counted and correct since the last line
    double loss;
    bool isDrawn;                                                // whether a bar is above the cursor

    /// <summary>Creates the progress display for one task, or for several tasks one after the other.</summary>
    /// <param name="what">Title of the task, such as “reading 2000 photos”, written as the first line. The default is no title.</param>
    /// <param name="toError">Whether to write to the standard error stream, so that the standard output of the program can be redirected without it.</param>
    public ConsoleProgress(string? what = null, bool toError = false)
        : this(what, toError ? AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) }) : AnsiConsole.Console, TimeProvider.System)
    {
    }

    internal ConsoleProgress(string? what, IAnsiConsole console, TimeProvider clock)
    {
        (this.what, this.console, this.clock) = (what, console, clock);
        Begin();
    }

    bool IsLive => console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi;

    TimeSpan Interval => TimeSpan.FromSeconds(IsLive ? 0.1 : 2);

    /// <summary>Shows the progress of a training. Called after each step.</summary>
    public void Report(TrainingStep value)
    {
        lock (drawing)
        {
            Advance(value.Step, first: value.Step - 1);
            if (value.Note is not null)
                Say(value.Note);
            images += value.Images;
            recent += value.Count;
            correct += value.Correct;
            loss += value.Count == 0 ? 0 : value.Loss * (double)value.Count;
            if (value.Ended is { ValidationAccuracy: not null } ended)
                Say(Validation(value, ended));
            TimeSpan now = clock.GetElapsedTime(start);
            if ((now < next && done < value.Steps) || recent == 0)
                return;
            Show(now, value.Steps, FormattableString.Invariant(
                $"epoch {value.Epoch + 1}/{value.Epochs}  loss {loss / recent:F4}  accuracy {100.0 * correct / recent:F2} %  ")
                + FormattableString.Invariant($"{images / now.TotalSeconds:F0} images/s"));
            (recent, correct, loss) = (0, 0, 0);
        }
    }

    /// <summary>Shows the progress of any task, such as the number of files done and the total.</summary>
    public void Report((int Done, int Total) value) => Report(value.Done, value.Total);

    /// <summary>Shows the progress of a download, in bytes received and in total.</summary>
    public void Report((string File, long Received, long Total) value) => Report(value.Received, value.Total);

    void Report(long part, long total)
    {
        lock (drawing)
        {
            Advance(part, first: 0);
            TimeSpan now = clock.GetElapsedTime(start);
            if (part > 0 && (now >= next || (IsLive && part == total)))
                Show(now, total, IsLive ? "" : FormattableString.Invariant($"{100.0 * part / total:F0} %"));
        }
    }

    /// <summary>Stores how much is done. If it is less than before, a new task begins.</summary>
    void Advance(long now, long first)
    {
        if (now < done)
            Begin();
        if (done == 0)
            before = first;
        done = now;
        if (what is not null)
            Say(what);
        what = null;
    }

    void Begin()
    {
        (start, next) = (clock.GetTimestamp(), Interval);
        (done, images, recent, correct, loss, isDrawn) = (0, 0, 0, 0, 0, false);
    }

    static string Validation(TrainingStep step, TrainingEpoch ended)
    {
        string monitored = ended.Monitored == ended.ValidationLoss || ended.Monitored == ended.ValidationAccuracy ? ""
            : FormattableString.Invariant($", {step.Monitor} {ended.Monitored:F4}");
        string best = step.BestEpoch == step.Epoch ? "; the best so far" : step.BestEpoch is int epoch ? $"; the best is epoch {epoch + 1}" : "";
        return FormattableString.Invariant(
            $"epoch {step.Epoch + 1}: validation loss {ended.ValidationLoss:F4}, accuracy {100 * ended.ValidationAccuracy:F2} %{monitored}{best}");
    }

    void Show(TimeSpan now, long total, string line)
    {
        string left = $"{Text(now / (done - before) * (total - done))} left";
        if (IsLive)
            Draw(line, (double)done / total, left);
        else
            console.Profile.Out.Writer.WriteLine($"{line}  {left}");
        next = now + Interval;
    }

    /// <summary>Writes a line; it replaces the bar.</summary>
    void Say(string line)
    {
        if (isDrawn)
            console.Cursor.MoveUp(1);
        console.Profile.Out.Writer.WriteLine(isDrawn ? line.PadRight(Width) : line);
        isDrawn = false;
    }

    /// <summary>Draws the bar over the previous one. The cursor is then below the bar, so that other output starts on its own line.</summary>
    void Draw(string line, double share, string left)
    {
        string end = FormattableString.Invariant($"  {100 * share,3:F0} %  {left}");
        line = line is "" ? "" : line + "  ";
        line = line[..int.Clamp(Width - end.Length, 0, line.Length)];
        int bar = int.Clamp(Width - line.Length - end.Length, 0, LongestBar), full = (int)(bar * share);
        (char solid, char thin) = console.Profile.Capabilities.Unicode ? ('━', '─') : ('=', '-');
        if (isDrawn)
            console.Cursor.MoveUp(1);
        console.Write(new Paragraph(line).Append(new string(solid, full), Color.Green).Append(new string(thin, bar - full), Color.Grey)
            .Append(end.PadRight(int.Max(Width - line.Length - bar, 0)) + "\n"));
        isDrawn = true;
    }

    /// <summary>Usable width of a line: a character in the last column would start a new line.</summary>
    int Width => console.Profile.Width - 1;

    /// <summary>Formats a time as minutes and seconds, “75:04”.</summary>
    internal static string Text(TimeSpan time) => $"{(int)time.TotalMinutes}:{time:ss}";
}
