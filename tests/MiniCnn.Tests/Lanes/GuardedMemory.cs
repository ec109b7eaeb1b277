using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace MiniCnn.Tests;

/// <summary>
/// Memory for lane tensors next to an inaccessible page: an access beyond the tensor ends the process with a stack trace. The memory is filled with NaN. Freed
/// blocks are reused for tensors of about the same size, because mapping pages is slow.
/// </summary>
static unsafe partial class GuardedMemory
{
    const int None = 0, ReadAndWrite = 3, Private = 2;

    static readonly int anonymous = OperatingSystem.IsLinux() ? 0x20 : 0x1000;
    static readonly ConcurrentDictionary<nint, (nint Start, nuint Length)> blocks = [];
    static readonly ConcurrentDictionary<nuint, ConcurrentBag<nint>> free = [];
    static int taken;

    /// <summary>Number of allocated blocks.</summary>
    public static int Taken => taken;

    /// <summary>Makes all lane tensors allocate guarded memory.</summary>
    public static void Use()
    {
        LaneTensor<float>.Take = LaneTensor<double>.Take = &Take;
        LaneTensor<float>.GiveBack = LaneTensor<double>.GiveBack = &GiveBack;
    }

    static void* Take(nuint length, nuint alignment)
    {
        nuint page = (nuint)Environment.SystemPageSize, inside = BitOperations.RoundUpToPowerOf2((length + page - 1) / page) * page, all = inside + 2 * page;
        if (!free.GetOrAdd(all, _ => []).TryTake(out nint start))
        {
            start = Map(0, all, None, Private | anonymous, -1, 0);
            if (start == -1 || Protect(start + (nint)page, inside, ReadAndWrite) != 0)
                throw new InvalidOperationException($"no memory between pages: error {Marshal.GetLastPInvokeError()}");
        }
        int number = Interlocked.Increment(ref taken);
        if (number % 2000 == 0)                                        // Linux has no more than 65,530 pieces of memory for a process
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        new Span<byte>((void*)(start + (nint)page), checked((int)inside)).Fill(0xFF);      // NaN: nobody finds zeros, or what was there before
        // At the one page or at the other: what is left of the pages between lies on the far side.
        nint block = start + (nint)page + (nint)(new Random(number).Next(2) == 0 ? 0 : inside - length);
        blocks[block] = (start, all);
        return (void*)block;
    }

    static void GiveBack(void* block)
    {
        if (blocks.TryRemove((nint)block, out (nint Start, nuint Length) pages))
            free[pages.Length].Add(pages.Start);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);
}
