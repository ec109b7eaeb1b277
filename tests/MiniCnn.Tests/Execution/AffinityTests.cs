using System.Globalization;

namespace MiniCnn.Tests;

[Collection("Workers")]                                               // turns Workers.Count
public class AffinityTests
{
    /// <summary>More threads than any other test starts, so at least one of them starts here.</summary>
    static readonly int Threads = Math.Max(8, 4 * Environment.ProcessorCount) + 1;

    [Fact]
    public void Workers_that_a_pinned_thread_starts_run_wherever_the_process_may()
    {
        if (!OperatingSystem.IsLinux())
            return;                                                   // a thread inherits nothing there
        string everywhere = Allowed(), first = everywhere.Split('-', ',')[0];
        string[] allowed = new string[Threads];
        ulong[] before = new ulong[128], pinned = new ulong[128];
        int processor = int.Parse(first, CultureInfo.InvariantCulture), main = Environment.ProcessId, count = Workers.Count;
        pinned[processor / 64] = 1UL << (processor % 64);
        Assert.True(Affinity.Get(main, 1024, before) >= 0);
        Thread caller = new(() =>
        {
            // What .NET's new threads take over is the main thread's, which is where OpenMP pins its caller.
            _ = Affinity.Set(0, 1024, pinned) + Affinity.Set(main, 1024, pinned);
            Workers.Count = Threads;
            Workers.Run(Threads, new Noting(allowed, new int[1]));
            Workers.Count = count;
            _ = Affinity.Set(main, 1024, before);
        });
        caller.Start();
        caller.Join();
        Assert.Equal([first, .. Enumerable.Repeat(everywhere, Threads - 1)], allowed);    // the caller, who has part 0, stays where it was put
    }

    /// <summary>Records the processors that each thread may use. A thread waits in its part until every other thread has taken a part.</summary>
    readonly struct Noting(string[] allowed, int[] arrived) : IWork
    {
        public void Run(int part)
        {
            allowed[part] = Allowed();
            Interlocked.Increment(ref arrived[0]);
            while (Volatile.Read(ref arrived[0]) < allowed.Length)
                Thread.Yield();
        }
    }

    /// <summary>The processors that the calling thread may use, in the notation of the kernel, such as “0-3,8”.</summary>
    static string Allowed() =>
        File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];
}
