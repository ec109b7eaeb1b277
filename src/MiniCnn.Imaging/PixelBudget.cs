namespace MiniCnn.Imaging;

/// <summary>
/// Limits the number of pixels that are processed at once. Work that would exceed the limit waits for earlier work, in order. Work that exceeds the limit on
/// its own runs alone.
/// </summary>
sealed class PixelBudget(long limit)
{
    readonly Lock gate = new();
    readonly LinkedList<Place> waiting = [];
    long taken;

    public long Limit
    {
        get => Interlocked.Read(ref limit);
        set
        {
            lock (gate)
            {
                limit = value;
                Admit();
            }
        }
    }

    public T Run<T>(long pixels, Func<T> work)
    {
        Enter(pixels).Turn.Task.GetAwaiter().GetResult();
        return Do(pixels, work);
    }

    /// <summary>Waits without blocking a thread, then runs the work on the thread pool.</summary>
    public async Task<T> RunAsync<T>(long pixels, Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Place place = Enter(pixels);
        await using (cancellationToken.Register(() => Leave(place, cancellationToken)).ConfigureAwait(false))
            await place.Turn.Task.ConfigureAwait(false);
        return await Task.Run(() => Do(pixels, work), CancellationToken.None).ConfigureAwait(false);     // never cancelled: Do must give the pixels back
    }

    Place Enter(long pixels)
    {
        Place place = new(pixels, new(TaskCreationOptions.RunContinuationsAsynchronously));     // otherwise they would run under the lock
        lock (gate)
        {
            waiting.AddLast(place);
            Admit();
        }
        return place;
    }

    void Leave(Place place, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!place.Turn.TrySetCanceled(cancellationToken)) return;                          // already admitted
            waiting.Remove(place);
            Admit();
        }
    }

    T Do<T>(long pixels, Func<T> work)
    {
        try
        {
            return work();
        }
        finally
        {
            lock (gate)
            {
                taken -= pixels;
                Admit();
            }
        }
    }

    void Admit()
    {
        while (waiting.First?.Value is { } first && (taken == 0 || taken + first.Pixels <= limit))
        {
            waiting.RemoveFirst();
            taken += first.Pixels;
            first.Turn.SetResult();
        }
    }

    sealed record Place(long Pixels, TaskCompletionSource Turn);
}
