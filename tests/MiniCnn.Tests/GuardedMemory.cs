using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace MiniCnn.Tests;

/// <summary>
/// Memory for lane tensors that ends or begins at a page nobody may touch: a read or write beyond it ends the process, with a stack trace.
/// </summary>
static unsafe partial class GuardedMemory
{
    const int None = 0, ReadAndWrite = 3, Private = 2;

    static readonly int anonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;
    static readonly ConcurrentDictionary<nint, (nint Start, nuint Length)> blocks = [];
    static int taken;

    /// <summary>Blocks given out so far.</summary>
    public static int Taken => taken;

    /// <summary>From now on, lane tensors take their memory here.</summary>
    public static void Use()
    {
        LaneTensor<float>.Take = LaneTensor<double>.Take = &Take;
        LaneTensor<float>.GiveBack = LaneTensor<double>.GiveBack = &GiveBack;
    }

    static void* Take(nuint length, nuint alignment)
    {
        nuint page = (nuint)Environment.SystemPageSize, inside = (length + page - 1) / page * page, all = inside + 2 * page;
        nint start = Map(0, all, None, Private | anonymous, -1, 0);
        if (start == -1 || Protect(start + (nint)page, inside, ReadAndWrite) != 0)
            throw new InvalidOperationException($"no memory between pages: error {Marshal.GetLastPInvokeError()}");
        int number = Interlocked.Increment(ref taken);
        if (number % 2000 == 0)                                        // Linux has no more than 65,530 pieces of memory for a process
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        // At the one page or at the other: what is left of a multiple of a page lies on the far side.
        nint block = start + (nint)page + (nint)(new Random(number).Next(2) == 0 ? 0 : inside - length);
        blocks[block] = (start, all);
        return (void*)block;
    }

    static void GiveBack(void* block)
    {
        if (blocks.TryRemove((nint)block, out (nint Start, nuint Length) pages))
            _ = Unmap(pages.Start, pages.Length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
