using System.Diagnostics;

namespace MiniCnn.Benchmarks;

/// <summary>What is timed, and what is done before each time without being timed.</summary>
sealed record Work(Action Run, Action? Before = null);

/// <summary>A call's time and what the process took of the processors meanwhile, on all its threads, in µs.</summary>
readonly record struct Times(double Wall, double Cpu);

/// <summary>How often a work is measured, and each time for how long and for how many calls at least.</summary>
sealed record Effort(int Rounds, double Seconds, int Calls)
{
    public static Effort Full { get; } = new(7, 0.08, 3);

    public static Effort Quick { get; } = new(3, 0.015, 1);
}

/// <summary>Times, on both sides.</summary>
static class Measure
{
    /// <summary>A call's median time and mean processor time, after one that is not counted.</summary>
    public static Times Time(Work work, Effort effort)
    {
        List<double> times = new(1024);
        long start = Stopwatch.GetTimestamp();
        work.Before?.Invoke();
        work.Run();
        TimeSpan from = Environment.CpuUsage.TotalTime;
        do
        {
            if (work.Before is not null)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                work.Before();
                from += Environment.CpuUsage.TotalTime - before;
            }
            long t = Stopwatch.GetTimestamp();
            work.Run();
            times.Add(Stopwatch.GetElapsedTime(t).TotalMicroseconds);
        }
        while (times.Count < effort.Calls || Stopwatch.GetElapsedTime(start).TotalSeconds < effort.Seconds);
        return new(Median(times), (Environment.CpuUsage.TotalTime - from).TotalMicroseconds / times.Count);
    }

    /// <summary>Calls often enough for the runtime to compile a method for the third time, which it does a tenth of a second after others.</summary>
    public static void WarmUp(IReadOnlyList<Work> works, Effort effort)
    {
        for (int times = 0; times < 3; times++)
        {
            foreach (Work work in works)
            {
                long start = Stopwatch.GetTimestamp();
                for (int calls = 0; calls < 40 && Stopwatch.GetElapsedTime(start).TotalSeconds < 2 * effort.Seconds; calls++)
                {
                    work.Before?.Invoke();
                    work.Run();
                }
            }
            Thread.Sleep(120);
        }
    }

    /// <summary>Returns when this process takes no processor time any more: threads spin for a while before they sleep.</summary>
    public static void Rest()
    {
        for (int i = 0; i < 100; i++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(10);
            if (Environment.CpuUsage.TotalTime - before < TimeSpan.FromMilliseconds(1))
                return;
        }
    }

    /// <summary>Frees what works that are gone held: lane tensors hold memory that the collector does not see.</summary>
    public static void FreeMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    /// <summary>NaN of nothing.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>NaN if any is.</summary>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(value => Math.Log(value)));
}
