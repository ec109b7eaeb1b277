using System.Diagnostics;

namespace MiniCnn.Benchmarks;

/// <summary>A timed function, and a function that runs before each call and is not timed.</summary>
sealed record Work(Action Run, Action? Before = null);

/// <summary>Elapsed time of a call, and processor time of all threads of the process during the call, in µs.</summary>
readonly record struct Times(double Wall, double Cpu);

/// <summary>Number of rounds, and minimum duration and number of calls of each round.</summary>
sealed record Effort(int Rounds, double Seconds, int Calls)
{
    public static Effort Full { get; } = new(7, 0.08, 3);

    public static Effort Quick { get; } = new(3, 0.015, 1);
}

/// <summary>Time measurement, used on both sides.</summary>
static class Measure
{
    /// <summary>Measures the median time and mean processor time of a call, after one warm-up call.</summary>
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

    /// <summary>Calls each work often enough for the JIT's last tier. The runtime recompiles methods 100 ms after the last new method.</summary>
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

    /// <summary>Waits until this process uses no processor time, because threads spin before they sleep.</summary>
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

    /// <summary>Frees the memory of unused works. Lane tensors have native memory that the garbage collector does not count.</summary>
    public static void FreeMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    /// <summary>Returns the median, or NaN for an empty sequence.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Returns the geometric mean. NaN if a value is NaN.</summary>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(value => Math.Log(value)));
}
