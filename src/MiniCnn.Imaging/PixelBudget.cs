namespace MiniCnn.Imaging;

/// <summary>Work on pixels, so many at once: who would pass the limit waits for those before, in order. What passes it by itself is done alone.</summary>
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

    /// <summary>Waits without a thread, then works on one of the pool's.</summary>
    public async Task<T> RunAsync<T>(long pixels, Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Place place = Enter(pixels);
        await using (cancellationToken.Register(() => Leave(place, cancellationToken)).ConfigureAwait(false))
            await place.Turn.Task.ConfigureAwait(false);
        return await Task.Run(() => Do(pixels, work), CancellationToken.None).ConfigureAwait(false);     // not cancelled: it gives the pixels back
    }

    Place Enter(long pixels)
    {
        Place place = new(pixels, new(TaskCreationOptions.RunContinuationsAsynchronously));     // which would run under the lock else
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
            if (!place.Turn.TrySetCanceled(cancellationToken)) return;                          // its turn has come
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
