using System.Globalization;
using System.Runtime.InteropServices;

namespace MiniCnn;

/// <summary>
/// Which processors a thread may run on. On Linux a new thread of .NET begins with what the main thread has (compiled ahead of time: with what
/// the thread has that starts it), and OpenMP with OMP_PROC_BIND=true binds that one to a single processor: all later threads would crowd there.
/// </summary>
static partial class Affinity
{
    const int MostProcessors = 8192;                                   // that a Linux kernel is built for

    /// <summary>
    /// Lets the calling thread run wherever any thread of this process may. The runtime's own threads still have what the process was started
    /// with, and none has more. Where the system does not tell or does not allow it, nothing changes.
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

    /// <summary>0 is the calling thread.</summary>
    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    internal static partial int Set(int thread, nint size, ReadOnlySpan<ulong> mask);
}
