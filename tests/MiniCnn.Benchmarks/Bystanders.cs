using System.Globalization;

namespace MiniCnn.Benchmarks;

/// <summary>What other programs took of the processors while the two sides were measured; NaN where the system does not tell.</summary>
sealed class Bystanders(Peer? peer)
{
    const double Few = 5;                // %; they leave the figures as they are
    const double TicksASecond = 100;
    double others, all;

    /// <summary>A line with their share; nothing where it is not known.</summary>
    public string Text => 100 * others / all is >= 0 and double percent
        ? $"Other programs took {percent:F0} % of the processors meanwhile{(percent < Few ? "." : ": contended figures.")}\n"
        : "";

    /// <summary>Runs a part of the measuring.</summary>
    public void Watch(Action run)
    {
        (double busy, double every) = Processors();
        double ours = Ours();
        run();
        (double busyThen, double everyThen) = Processors();
        others += Math.Max(0, busyThen - busy - (Ours() - ours));
        all += everyThen - every;
    }

    double Ours() => (Environment.CpuUsage.TotalTime + (peer?.ProcessorTime ?? default)).TotalSeconds;

    /// <summary>Seconds of all processors together since the system started: at work, and in all.</summary>
    static (double Busy, double All) Processors()
    {
        if (!File.Exists("/proc/stat"))
            return (double.NaN, double.NaN);
        // cpu user nice system idle iowait irq softirq steal …
        double[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        return ((ticks.Sum() - ticks[3] - ticks[4]) / TicksASecond, ticks.Sum() / TicksASecond);
    }
}
