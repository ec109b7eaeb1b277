namespace MiniCnn.Tests;

static class Allocated
{
    /// <summary>
    /// The managed bytes that an action takes on this thread, the least of five times: a collection, for another test's sake, counts what is left
    /// of the thread's piece of the heap as taken. What takes memory takes it every time.
    /// </summary>
    public static long Bytes(Action action) => Enumerable.Range(0, 5).Min(_ =>
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });
}
