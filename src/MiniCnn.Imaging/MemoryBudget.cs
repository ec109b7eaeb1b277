namespace MiniCnn.Imaging;

/// <summary>The memory that decoded pictures may take, shared by the threads and by the parts of a data set.</summary>
sealed class MemoryBudget(long? bytes)
{
    long left = bytes is >= 0 ? bytes.Value : bytes is null ? Default()
        : throw new ArgumentOutOfRangeException("memoryBudget", $"expected a number of bytes, 0 or more, got {bytes}");

    /// <summary>Half of the free memory of the machine, of the container, or of the heap limit DOTNET_GCHeapHardLimit.</summary>
    static long Default()
    {
        GC.Collect(0);                                            // updates the numbers of GetGCMemoryInfo
        GCMemoryInfo memory = GC.GetGCMemoryInfo(GCKind.Any);
        long all = memory.TotalAvailableMemoryBytes, taken = memory.MemoryLoadBytes < all ? memory.MemoryLoadBytes : GC.GetTotalMemory(false);
        return Math.Max(all - taken, 0) / 2;
    }

    /// <summary>Takes this many bytes if they are left. After the first failure, nothing is left.</summary>
    public bool TryTake(long bytes) => Interlocked.Add(ref left, -bytes) >= 0;
}
