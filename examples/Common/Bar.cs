using Spectre.Console;

namespace MiniCnn.Examples;

/// <summary>Told of progress on the spot, unlike <see cref="Progress{T}"/>, which tells of it later and out of order.</summary>
sealed class Reports<T>(Action<T> action) : IProgress<T>
{
    public void Report(T value) => action(value);
}

/// <summary>Tells how far a piece of work is: a bar with the time left on a terminal, a line every two seconds elsewhere.</summary>
static class Bar
{
    /// <summary>Does the work, which says now and then how much of it is done, of how much.</summary>
    public static T Show<T>(string what, Func<Action<long, long>, T> work)
    {
        if (!Console.IsOutputRedirected)
        {
            return AnsiConsole.Progress()
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .Start(context =>
                {
                    ProgressTask bar = context.AddTask(what);
                    return work((done, total) => (bar.MaxValue, bar.Value) = (total, done));
                });
        }
        Console.WriteLine(what);
        return work(Lines(Console.Out, TimeProvider.System));
    }

    /// <summary>What writes a line every two seconds, and begins anew where less is done than before.</summary>
    public static Action<long, long> Lines(TextWriter output, TimeProvider clock)
    {
        long start = clock.GetTimestamp(), before = 0;
        TimeSpan nextLine = TimeSpan.FromSeconds(2);
        return (done, total) =>
        {
            if (done < before)                              // another piece of work begins
                (start, nextLine) = (clock.GetTimestamp(), TimeSpan.FromSeconds(2));
            before = done;
            TimeSpan now = clock.GetElapsedTime(start);
            if (now < nextLine || done == 0)
                return;
            nextLine = now + TimeSpan.FromSeconds(2);
            output.WriteLine($"{100.0 * done / total:F0} %  {Text(now / done * (total - done))} left");
        };
    }

    /// <summary>Minutes and seconds, “75:04”.</summary>
    public static string Text(TimeSpan time) => $"{(int)time.TotalMinutes}:{time:ss}";
}
