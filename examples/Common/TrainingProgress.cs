using System.Diagnostics;
using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>Tells how training goes: a bar that renews itself on a terminal, a line every two seconds elsewhere.</summary>
sealed class TrainingProgress : IProgress<TrainingStep>
{
    readonly ProgressTask? bar;
    readonly long start = Stopwatch.GetTimestamp();
    TimeSpan nextLine;
    int before = -1, images, recent, correct;
    double loss;

    TrainingProgress(ProgressTask? bar) => this.bar = bar;

    /// <summary>Runs a training, which reports each of its steps.</summary>
    public static T Show<T>(Func<IProgress<TrainingStep>, T> train) => Console.IsOutputRedirected
        ? train(new TrainingProgress(null))
        : AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => train(new TrainingProgress(context.AddTask("training"))));

    public void Report(TrainingStep step)
    {
        if (before < 0 && (before = step.Step - 1) > 0)
            Say($"going on after step {before} of {step.Steps}");
        images += step.Count;
        recent += step.Count;
        correct += step.Correct;
        loss += step.Loss * step.Count;
        if (bar is not null)
            (bar.MaxValue, bar.Value) = (step.Steps, step.Step);
        TimeSpan now = Stopwatch.GetElapsedTime(start);
        if (step.Ended is { ValidationAccuracy: double accuracy } ended)
            Say(FormattableString.Invariant($"epoch {step.Epoch + 1}: validation loss {ended.ValidationLoss:F4}, accuracy {100 * accuracy:F2} %"));
        if (now < nextLine && step.Step < step.Steps)
            return;
        string epoch = $"epoch {step.Epoch + 1}/{step.Epochs}", line = $"{epoch}  loss {loss / recent:F4}  accuracy {100.0 * correct / recent:F2} %";
        line += $"  {images / now.TotalSeconds:F0} images/s";
        if (bar is not null)
            bar.Description = line;
        else
            Console.WriteLine($"{line}  {Bar.Text(now / (step.Step - before) * (step.Steps - step.Step))} left");
        nextLine = now + TimeSpan.FromSeconds(bar is null ? 2 : 0.2);
        (recent, correct, loss) = (0, 0, 0);
    }

    void Say(string line)
    {
        if (bar is null)
            Console.WriteLine(line);
        else
            AnsiConsole.WriteLine(line);                         // above the bar
    }
}
