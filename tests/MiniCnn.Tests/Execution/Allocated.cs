namespace MiniCnn.Tests;

static class Allocated
{
    /// <summary>
    /// Managed bytes that an action allocates on this thread: the minimum of five runs. A garbage collection that another test causes counts the rest of the
    /// allocation context of the thread as allocated. An action that allocates does so in every run.
    /// </summary>
    public static long Bytes(Action action) => Enumerable.Range(0, 5).Min(_ =>
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });
}
