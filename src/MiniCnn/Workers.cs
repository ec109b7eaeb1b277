using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace MiniCnn;

#pragma warning disable CS8500 // pointers to structs that hold objects: the structs stay on the stack of the caller, which waits for the work

/// <summary>Work that consists of numbered, independent parts.</summary>
interface IWork
{
    void Run(int part);
}

/// <summary>
/// The threads that share the work of a layer. They live as long as the process. After each piece of work they spin for a moment, then sleep.
/// </summary>
/// <remarks>
/// Each thread starts with its own range of parts, the same range every time, so its cache still holds the data of the previous layer. It then takes
/// parts from the ranges of the other threads. No two parts write the same element, so results do not depend on the number of threads.
/// One caller at a time uses the threads. Another caller, or a part that starts work itself, runs all of its work on its own thread.
/// </remarks>
public static unsafe class Workers
{
    const int SpinsBeforeSleep = 20_000;

    static readonly Lock starting = new();
    static readonly SemaphoreSlim wake = new(0);
    static int taken, started, asleep, round;

    // The current work. Parts Next … End − 1 of each range have not been started.
    static delegate*<void*, int, int, void> run;
    static void* work;
    static int chunk, threads, room, inside;
    static Range[] ranges = [];
    static ExceptionDispatchInfo? failure;

    /// <summary>A range of parts, padded to 128 bytes so that no two ranges share a cache line.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    struct Range
    {
        public int Next, End;
    }

    /// <summary>
    /// Number of threads that share the work, including the thread of the caller. The default is the environment variable MINICNN_THREADS, or the
    /// number of processors if that is not a positive integer.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1.</exception>
    public static int Count
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = int.TryParse(Environment.GetEnvironmentVariable("MINICNN_THREADS"), out int count) && count > 0 ? count : Environment.ProcessorCount;

    /// <summary>Runs parts 0 … parts − 1 and returns when all are done.</summary>
    internal static void Run<W>(int parts, in W work) where W : struct, IWork => RunMany(parts, nint.MaxValue, work);

    /// <summary>Runs a part for every plane of a tensor.</summary>
    internal static void RunPlanes<T, W>(LaneTensor<T> tensor, in W work) where T : unmanaged where W : struct, IWork =>
        RunMany(tensor.Planes, tensor.PlanePitch, work);

    /// <summary>Runs parts of size numbers each. Small parts are handed out several at a time, to reduce overhead.</summary>
    internal static void RunMany<W>(int parts, nint size, in W work) where W : struct, IWork
    {
        W shared = work;
        Run(parts, size, &Parts<W>, &shared);
    }

    static void Parts<W>(void* work, int first, int end) where W : struct, IWork
    {
        for (int part = first; part < end; part++)
            ((W*)work)->Run(part);
    }

    /// <summary>
    /// Runs parts of size numbers each. One call of <paramref name="run"/> processes consecutive parts, from its first argument up to but not including
    /// its second. Work that holds objects must stay on the stack of the caller until this method returns: there, the garbage collector finds the objects and
    /// does not move the work.
    /// </summary>
    internal static void Run(int parts, nint size, delegate*<void*, int, int, void> run, void* work)
    {
        int chunk = 1 + (int)(8192 / Math.Max(size, 1));                       // 8192 numbers × 4 bytes = 32 kB; size is 0 for an empty batch
        int helpers = Math.Min(Count, (parts + chunk - 1) / chunk) - 1;
        if (helpers < 1 || Interlocked.CompareExchange(ref taken, 1, 0) != 0)
        {
            run(work, 0, parts);
            return;
        }
        try
        {
            Start(helpers);
            Share(parts, chunk, helpers, run, work);
        }
        finally
        {
            Volatile.Write(ref taken, 0);
        }
    }

    static void Start(int helpers)
    {
        if (Volatile.Read(ref started) >= helpers)
            return;
        lock (starting)
        {
            for (; started < helpers; started++)
                new Thread(Serve) { IsBackground = true, Name = $"MiniCnn worker {started + 1}" }.Start(started + 1);
        }
    }

    static void Serve(object? number)
    {
        Affinity.Free();
        int seen = 0, thread = (int)number!;
        while (true)
        {
            for (int spins = 0; Volatile.Read(ref round) == seen; spins++)
            {
                if (spins < SpinsBeforeSleep)
                {
                    if (spins % 64 == 63)
                        Thread.Yield();
                    else
                        Thread.SpinWait(1);
                    continue;
                }
                Interlocked.Increment(ref asleep);
                if (Volatile.Read(ref round) == seen)
                    wake.Wait();
                else if (!TryStayAwake())
                    wake.Wait();
                spins = 0;
            }
            seen = Volatile.Read(ref round);
            Help(thread);
        }
    }

    /// <summary>Removes this thread from the sleeping ones, unless a caller has already taken the count and will wake it.</summary>
    static bool TryStayAwake()
    {
        int sleepers = Volatile.Read(ref asleep);
        while (sleepers > 0)
        {
            int was = Interlocked.CompareExchange(ref asleep, sleepers - 1, sleepers);
            if (was == sleepers)
                return true;
            sleepers = was;
        }
        return false;
    }

    static void Share(int parts, int chunk, int helpers, delegate*<void*, int, int, void> run, void* work)
    {
        Workers.run = run;
        Workers.work = work;
        (Workers.chunk, threads, failure) = (chunk, helpers + 1, null);
        if (ranges.Length < threads)
            ranges = new Range[threads];
        for (int i = 0; i < threads; i++)
            (ranges[i].Next, ranges[i].End) = ((int)((long)parts * i / threads), (int)((long)parts * (i + 1) / threads));
        Volatile.Write(ref room, helpers);
        Interlocked.Increment(ref round);
        int sleepers = Interlocked.Exchange(ref asleep, 0);
        if (sleepers > 0)
            wake.Release(sleepers);
        DoParts(0);
        Volatile.Write(ref room, 0);                             // threads that have not joined by now are not needed
        Interlocked.MemoryBarrier();
        for (SpinWait spin = default; Volatile.Read(ref inside) > 0;)
            spin.SpinOnce(sleep1Threshold: -1);
        failure?.Throw();
    }

    static void Help(int thread)
    {
        Interlocked.Increment(ref inside);                       // before room is read: then the caller waits, or there is no room
        if (Interlocked.Decrement(ref room) >= 0)
            DoParts(thread);
        Interlocked.Decrement(ref inside);
    }

    /// <summary>Runs the parts of the thread's own range first, then remaining parts of the other ranges.</summary>
    static void DoParts(int thread)
    {
        try
        {
            for (int i = 0; i < threads; i++)
            {
                ref Range range = ref ranges[(thread + i) % threads];
                for (int first; (first = Interlocked.Add(ref range.Next, chunk) - chunk) < range.End;)
                    run(work, first, Math.Min(first + chunk, range.End));
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            for (int i = 0; i < threads; i++)
                Volatile.Write(ref ranges[i].Next, ranges[i].End);              // no thread starts another part
        }
    }
}
