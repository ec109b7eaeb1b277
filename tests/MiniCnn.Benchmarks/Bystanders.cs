using System.Globalization;

namespace MiniCnn.Benchmarks;

/// <summary>What other programs took of the processors while the two sides were measured; NaN where the system does not tell.</summary>
sealed class Bystanders(Peer? peer)
{
    /// <summary>A share in % that leaves the figures as they are.</summary>
    public const double Few = 5;

    const double TicksASecond = 100;
    double others, all;

    /// <summary>Their share in %.</summary>
    public double Percent => 100 * others / all;

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
