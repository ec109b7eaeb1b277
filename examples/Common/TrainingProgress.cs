using System.Diagnostics;
using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>Tells how training goes: a bar that renews itself on a terminal, a line every two seconds elsewhere.</summary>
sealed class TrainingProgress
{
    readonly int steps, epochs;
    readonly ProgressTask? bar;
    readonly long start = Stopwatch.GetTimestamp();
    TimeSpan nextLine;
    int images, recent, right;
    double loss;

    TrainingProgress(int steps, int epochs, ProgressTask? bar) => (this.steps, this.epochs, this.bar) = (steps, epochs, bar);

    /// <summary>Runs a training of so many steps, which reports each of them.</summary>
    public static void Show(int steps, int epochs, Action<TrainingProgress> train)
    {
        if (Console.IsOutputRedirected)
        {
            train(new(steps, epochs, null));
            return;
        }
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => train(new(steps, epochs, context.AddTask("training", maxValue: steps))));
    }

    public void Report(int epoch, int step, float stepLoss, int stepRight, int stepImages)
    {
        images += stepImages;
        recent += stepImages;
        right += stepRight;
        loss += stepLoss * stepImages;
        bar?.Increment(1);
        TimeSpan now = Stopwatch.GetElapsedTime(start);
        if (now < nextLine && step < steps)
            return;
        string line = $"epoch {epoch + 1}/{epochs}  loss {loss / recent:F4}  accuracy {100.0 * right / recent:F2} %  {images / now.TotalSeconds:F0} images/s";
        if (bar is not null)
            bar.Description = line;
        else
            Console.WriteLine($"{line}  {Bar.Text(now / step * (steps - step))} left");
        nextLine = now + TimeSpan.FromSeconds(bar is null ? 2 : 0.2);
        (recent, right, loss) = (0, 0, 0);
    }
}
