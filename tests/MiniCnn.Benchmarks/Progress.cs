using System.Diagnostics;
using Spectre.Console;

namespace MiniCnn.Benchmarks;

/// <summary>Shows the progress of the measurement: a bar on a terminal, otherwise occasional lines.</summary>
static class Progress
{
    /// <summary>Runs an action that reports each of its steps.</summary>
    public static void Show(int steps, Action<Action<string>> run)
    {
        long start = Stopwatch.GetTimestamp();
        int done = 0;
        if (Console.IsOutputRedirected)
        {
            run(name =>
            {
                TimeSpan left = Stopwatch.GetElapsedTime(start) / ++done * (steps - done);
                Console.WriteLine($"{done}/{steps}  {name}  {left:m\\:ss} left");
            });
            return;
        }
        AnsiConsole.Progress()
            .AutoRefresh(false)                                        // a drawing thread would disturb the measurement
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask("measuring", maxValue: steps);
                context.Refresh();
                run(name =>
                {
                    bar.Increment(1);
                    bar.Description = name;
                    context.Refresh();
                });
            });
    }
}
