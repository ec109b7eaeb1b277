namespace MiniCnn.Tests;

public class AheadTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(100)]
    public void Results_come_in_order_and_no_more_are_made_than_were_allowed(int count)
    {
        int made = 0, taken = 0, most = 0;
        List<int> results = [];
        foreach (int result in Ahead.Select(Enumerable.Range(0, 50), Make, count))
        {
            results.Add(result);
            Volatile.Write(ref taken, taken + 1);
        }
        Assert.Equal(Enumerable.Range(0, 50).Select(i => i * i), results);
        Assert.Equal(50, made);
        Assert.InRange(most, 1, count + 1);

        int Make(int i)
        {
            lock (results)
                most = Math.Max(most, ++made - Volatile.Read(ref taken));
            Thread.Sleep(i % 7 == 0 ? 2 : 0);
            return i * i;
        }
    }

    [Fact]
    public void While_the_caller_looks_at_one_result_the_next_are_made()
    {
        using CountdownEvent others = new(3);
        foreach (int result in Ahead.Select(Enumerable.Range(0, 4), Make, count: 3))
            Assert.True(others.Wait(TimeSpan.FromMinutes(1)), "nobody made the others");

        int Make(int i)
        {
            if (i > 0)
                others.Signal();
            return i;
        }
    }

    [Fact]
    public void Nothing_ahead_is_made_by_the_caller_when_he_asks()
    {
        int made = 0, caller = Environment.CurrentManagedThreadId;
        foreach (int thread in Ahead.Select(Enumerable.Range(1, 3), i => { made = i; return Environment.CurrentManagedThreadId; }, count: 0))
        {
            Assert.Equal(caller, thread);
            made *= 10;
            Assert.InRange(made, 10, 30);
        }
        Assert.Equal(30, made);
    }

    [Fact]
    public void Who_leaves_early_leaves_nothing_running()
    {
        int running = 0, begun = 0;
        foreach (int result in Ahead.Select(Enumerable.Range(0, 1000), Make, count: 2))
            if (result == 5)
                break;
        Assert.Equal(0, Volatile.Read(ref running));
        Assert.InRange(begun, 6, 8);
        Assert.Throws<InvalidDataException>(() =>
        {
            foreach (int result in Ahead.Select(Enumerable.Range(0, 1000), Make, count: 2))
                throw new InvalidDataException();
        });
        Assert.Equal(0, Volatile.Read(ref running));

        int Make(int i)
        {
            Interlocked.Increment(ref begun);
            Interlocked.Increment(ref running);
            Thread.Sleep(20);
            Interlocked.Decrement(ref running);
            return i;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void An_exception_comes_out_in_its_place(int count)
    {
        List<int> results = [];
        int running = 0;
        InvalidDataException thrown = Assert.Throws<InvalidDataException>(() => results.AddRange(Ahead.Select(Enumerable.Range(0, 10), Make, count)));
        Assert.Equal("item 4", thrown.Message);
        Assert.Equal([0, 1, 2, 3], Iterate());
        Assert.Equal(0, Volatile.Read(ref running));
        Assert.Equal(0, Ahead.Select(Enumerable.Range(4, 3), i => i == 4 ? 0 : throw new InvalidDataException(), count).First());      // never asked for

        List<int> Iterate()
        {
            List<int> seen = [];
            Assert.Throws<InvalidDataException>(() =>
            {
                foreach (int result in Ahead.Select(Enumerable.Range(0, 10), Make, count))
                    seen.Add(result);
            });
            return seen;
        }

        int Make(int i)
        {
            Interlocked.Increment(ref running);
            Thread.Sleep(i > 4 ? 20 : 0);
            Interlocked.Decrement(ref running);
            return i < 4 ? i : throw new InvalidDataException($"item {i}");
        }
    }
}
