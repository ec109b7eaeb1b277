namespace MiniCnn.Tests;

/// <summary>Runs code with a given number of threads. <see cref="Workers.Count"/> is global, so test classes that use it are in the collection "Workers".</summary>
static class Threads
{
    public static T Of<T>(int count, Func<T> function)
    {
        int before = Workers.Count;
        Workers.Count = count;
        try
        {
            return function();
        }
        finally
        {
            Workers.Count = before;
        }
    }

    public static void Of(int count, Action action) => Of(count, () =>
    {
        action();
        return 0;
    });
}

[CollectionDefinition("Workers", DisableParallelization = true)]
public class OneAtATime;
