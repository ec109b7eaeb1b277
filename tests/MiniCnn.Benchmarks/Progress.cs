using System.Diagnostics;
using Spectre.Console;

namespace MiniCnn.Benchmarks;

/// <summary>Tells how far the measuring is: a bar on a terminal, a line now and then elsewhere.</summary>
static class Progress
{
    /// <summary>Runs what reports each of so many steps.</summary>
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
            .AutoRefresh(false)                                        // a thread that draws would disturb what is measured
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
