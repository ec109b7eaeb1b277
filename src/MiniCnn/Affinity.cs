using System.Globalization;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>
/// The processors that a thread may run on. On Linux, a new .NET thread inherits the affinity of the main thread (with Native AOT, of the thread that
/// starts it). OpenMP with OMP_PROC_BIND=true binds the main thread to a single processor, so all later threads would share that processor.
/// </summary>
static partial class Affinity
{
    const int MostProcessors = 8192;                                   // largest NR_CPUS of a Linux kernel

    /// <summary>
    /// Allows the calling thread to run on every processor that any thread of this process may use. The runtime's own threads still have the affinity
    /// that the process was started with, and no thread has more. If the system does not permit this, nothing changes.
    /// </summary>
    public static void Free()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            ulong[] all = new ulong[MostProcessors / 64], one = new ulong[all.Length];
            foreach (string thread in Directory.EnumerateDirectories("/proc/self/task"))
                if (Get(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), sizeof(ulong) * one.Length, one) >= 0)
                    for (int i = 0; i < all.Length; i++)
                        all[i] |= one[i];
            _ = Set(0, sizeof(ulong) * all.Length, all);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException or EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    internal static partial int Get(int thread, nint size, Span<ulong> mask);

    /// <summary>Thread 0 is the calling thread.</summary>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    internal static partial int Set(int thread, nint size, ReadOnlySpan<ulong> mask);
}
