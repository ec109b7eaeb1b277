using System.Globalization;

namespace MiniCnn.Benchmarks;

/// <summary>Measures the share of processor time that other programs used during the measurement. NaN if the system does not report it.</summary>
sealed class Bystanders(Peer? peer)
{
    const double Few = 5;                // %; too little to affect the figures
    const double TicksASecond = 100;
    double others, all;

    /// <summary>A line with their share, or an empty text if it is unknown.</summary>
    public string Text => 100 * others / all is >= 0 and double percent
        ? $"Other programs used {percent:F0} % of the processor time{(percent < Few ? "." : ": the figures are not reliable.")}\n"
        : "";

    /// <summary>Runs a part of the measurement.</summary>
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

    /// <summary>Seconds of all processors since system start: busy and in total.</summary>
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
