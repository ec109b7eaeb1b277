namespace MiniCnn.Imaging;

/// <summary>Bytes that decoded pictures may take, shared by threads and by the parts of a set.</summary>
sealed class MemoryBudget(long? bytes)
{
    long left = bytes is >= 0 ? bytes.Value : bytes is null ? Default()
        : throw new ArgumentOutOfRangeException("memoryBudget", $"expected bytes, 0 or more, got {bytes}");

    /// <summary>Half of the memory that is free, of the machine or the container, or of what the process may take by DOTNET_GCHeapHardLimit.</summary>
    static long Default()
    {
        GC.Collect(0);                                            // which tells how much is taken now
        GCMemoryInfo memory = GC.GetGCMemoryInfo(GCKind.Any);
        long all = memory.TotalAvailableMemoryBytes, taken = memory.MemoryLoadBytes < all ? memory.MemoryLoadBytes : GC.GetTotalMemory(false);
        return Math.Max(all - taken, 0) / 2;
    }

    /// <summary>Takes so many bytes, if they are left; once some are not, nothing is.</summary>
    public bool TryTake(long bytes) => Interlocked.Add(ref left, -bytes) >= 0;
}
