using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class PixelBudgetTests
{
    /// <summary>Work that continues until it is ended.</summary>
    sealed class Work(PixelBudget budget, long pixels, CancellationToken cancellationToken = default)
    {
        readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), end = new();
        Task<long>? task;

        public Task Begun => begun.Task.WaitAsync(TimeSpan.FromMinutes(1));        // what never comes is a fault, not an end of the run

        public Task<long> Start() => task = budget.RunAsync(pixels, () =>
        {
            begun.SetResult();
            end.Task.GetAwaiter().GetResult();
            return pixels;
        }, cancellationToken);

        public async Task End()
        {
            end.SetResult();
            Assert.Equal(pixels, await task!);
        }
    }

    [Fact]
    public async Task Who_passes_the_limit_waits_and_who_comes_later_does_not_overtake()
    {
        PixelBudget budget = new(10);
        Work first = new(budget, 6), large = new(budget, 5), small = new(budget, 4), last = new(budget, 2);
        foreach (Work work in (Work[])[first, large, small, last]) _ = work.Start();
        await first.Begun;
        Assert.False(large.Begun.IsCompleted || small.Begun.IsCompleted || last.Begun.IsCompleted);     // small would fit beside the first
        await first.End();
        await large.Begun;
        await small.Begun;
        Assert.False(last.Begun.IsCompleted);
        await large.End();
        await last.Begun;
        await small.End();
        await last.End();
        Assert.Equal(7, budget.Run(10, () => 7));
    }

    [Fact]
    public async Task What_is_larger_than_the_limit_is_done_alone()
    {
        PixelBudget budget = new(10);
        Work before = new(budget, 1), huge = new(budget, 1000), after = new(budget, 1);
        foreach (Work work in (Work[])[before, huge, after]) _ = work.Start();
        await before.Begun;
        Assert.False(huge.Begun.IsCompleted);
        await before.End();
        await huge.Begun;
        Assert.False(after.Begun.IsCompleted);
        await huge.End();
        await after.Begun;
        await after.End();
    }

    [Fact]
    public async Task Who_is_cancelled_leaves_and_the_next_go_on()
    {
        PixelBudget budget = new(10);
        using CancellationTokenSource source = new();
        Work first = new(budget, 6), cancelled = new(budget, 9, source.Token), next = new(budget, 4);
        _ = first.Start();
        Task<long> waiting = cancelled.Start();
        _ = next.Start();
        await first.Begun;
        Assert.False(next.Begun.IsCompleted);
        await source.CancelAsync();
        Assert.Equal(source.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting)).CancellationToken);
        await next.Begun;
        await next.End();
        await first.End();
        Assert.False(cancelled.Begun.IsCompleted);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => budget.RunAsync(1, () => 1, source.Token));
        Assert.Equal(7, budget.Run(10, () => 7));
    }

    // Whose turn has come works to its end, and gives its pixels back.
    [Fact]
    public async Task A_cancellation_that_comes_late_changes_nothing()
    {
        PixelBudget budget = new(10);
        using CancellationTokenSource source = new();
        Work work = new(budget, 9, source.Token), next = new(budget, 9);
        _ = work.Start();
        _ = next.Start();
        await work.Begun;
        await source.CancelAsync();
        Assert.False(next.Begun.IsCompleted);
        await work.End();
        await next.Begun;
        await next.End();
    }

    [Fact]
    public async Task Exceptions_give_the_pixels_back()
    {
        PixelBudget budget = new(10);
        for (int i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<IOException>(() =>
                Task.Run(() => budget.Run<int>(9, () => throw new IOException())).WaitAsync(TimeSpan.FromMinutes(1)));
            await Assert.ThrowsAsync<IOException>(() => budget.RunAsync<int>(9, () => throw new IOException(), default).WaitAsync(TimeSpan.FromMinutes(1)));
        }
        Work one = new(budget, 5), other = new(budget, 5);
        _ = one.Start();
        _ = other.Start();
        await one.Begun;
        await other.Begun;
        await one.End();
        await other.End();
    }

    [Fact]
    public async Task A_limit_that_is_changed_holds_at_once()
    {
        PixelBudget budget = new(10);
        Work first = new(budget, 8), second = new(budget, 8), third = new(budget, 8);
        foreach (Work work in (Work[])[first, second, third]) _ = work.Start();
        await first.Begun;
        Assert.False(second.Begun.IsCompleted);
        budget.Limit = 16;
        await second.Begun;
        Assert.False(third.Begun.IsCompleted);
        budget.Limit = 1;                                   // less than is taken
        await first.End();
        Assert.False(third.Begun.IsCompleted);
        await second.End();
        await third.Begun;
        await third.End();
        Assert.Equal(1, budget.Limit);
    }

    [Fact]
    public async Task Many_threads_never_pass_the_limit()
    {
        const int Limit = 100;
        PixelBudget budget = new(Limit);
        long now = 0, most = 0, alone = 0, done = 0;
        Task[] tasks = [.. Enumerable.Range(0, 8).Select(thread => Task.Factory.StartNew(() =>
        {
            Random random = new(thread);
            List<Task> waiting = [];
            for (int i = 0; i < 500; i++)
            {
                long pixels = random.Next(1, 130);
                if (i % 2 == 0) budget.Run(pixels, () => Count(pixels));
                else
                {
                    CancellationTokenSource source = new();
                    waiting.Add(budget.RunAsync(pixels, () => Count(pixels), source.Token));
                    if (i % 3 == 0) source.Cancel();
                }
            }
            foreach (Task task in waiting) task.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        await Task.WhenAll(tasks);
        Assert.InRange(most, Limit / 2, Limit);
        Assert.Equal(0, alone);
        Assert.InRange(done, 8 * 250 + 1, 8 * 500);
        Assert.Equal(7, budget.Run(Limit, () => 7));

        int Count(long pixels)
        {
            long sum = Interlocked.Add(ref now, pixels);
            if (pixels > Limit && sum != pixels) Interlocked.Increment(ref alone);
            for (long seen; pixels <= Limit && sum > (seen = Interlocked.Read(ref most));) Interlocked.CompareExchange(ref most, sum, seen);
            Thread.Yield();
            Interlocked.Add(ref now, -pixels);
            return (int)Interlocked.Increment(ref done);
        }
    }
}
