namespace MiniCnn;

/// <summary>Work done before its result is asked for.</summary>
static class Ahead
{
    /// <summary>What <paramref name="make"/> gives for each item, in the items' order.</summary>
    /// <remarks>
    /// While the caller looks at one result, the next few are being made, each on a thread of the pool. Who leaves early waits for those,
    /// and nothing goes on behind his back; what one throws comes out in its place.
    /// </remarks>
    /// <param name="items">Read on the caller's thread.</param>
    /// <param name="make">Called once an item, on several threads at a time.</param>
    /// <param name="count">How many results beyond the caller's; 0: each is made when it is asked for, on the caller's thread.</param>
    public static IEnumerable<R> Select<T, R>(IEnumerable<T> items, Func<T, R> make, int count) =>
        count > 0 ? Prepare(items, make, count) : items.Select(make);

    static IEnumerable<R> Prepare<T, R>(IEnumerable<T> items, Func<T, R> make, int count)
    {
        Queue<Task<R>> under = new();
        try
        {
            foreach (T item in items)
            {
                under.Enqueue(Task.Run(() => make(item)));
                if (under.Count > count)
                    yield return under.Dequeue().GetAwaiter().GetResult();
            }
            while (under.TryDequeue(out Task<R>? next))
                yield return next.GetAwaiter().GetResult();
        }
        finally
        {
            Task.WhenAll((IEnumerable<Task>)under).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }
    }
}
