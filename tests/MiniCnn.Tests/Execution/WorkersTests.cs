using System.Numerics.Tensors;

namespace MiniCnn.Tests;

[Collection("Workers")]                                               // these tests turn Workers.Count
public class WorkersTests
{
    [Fact]
    public void Every_part_runs_once_whatever_the_number_of_threads()
    {
        foreach (int threads in (int[])[1, 2, 3, 8])
            foreach (int parts in (int[])[0, 1, 2, 7, 1000])
            {
                int[] runs = new int[parts];
                Threads.Of(threads, () =>
                {
                    for (int round = 0; round < 200; round++)
                        Workers.Run(parts, new Counting(runs));
                });
                Assert.All(runs, n => Assert.Equal(200, n));
            }
    }

    readonly struct Counting(int[] runs) : IWork
    {
        public void Run(int part) => Interlocked.Increment(ref runs[part]);
    }

    [Fact]
    public void Threads_that_have_gone_to_sleep_wake_up()
    {
        int[] runs = new int[50];
        Threads.Of(3, () =>
        {
            for (int round = 0; round < 20; round++)
            {
                Workers.Run(50, new Counting(runs));
                Thread.Sleep(round % 5 == 0 ? 30 : 1);
            }
        });
        Assert.All(runs, n => Assert.Equal(20, n));
    }

    [Fact]
    public void An_exception_reaches_the_caller_and_the_threads_go_on()
    {
        Threads.Of(3, () =>
        {
            for (int round = 0; round < 50; round++)
                Assert.Throws<InvalidDataException>(() => Workers.Run(20, new Failing()));
            int[] runs = new int[20];
            Workers.Run(20, new Counting(runs));
            Assert.All(runs, n => Assert.Equal(1, n));
        });
    }

    readonly struct Failing : IWork
    {
        public void Run(int part)
        {
            if (part == 13)
                throw new InvalidDataException("part 13");
        }
    }

    [Fact]
    public void Several_callers_and_parts_that_call_again_get_their_work_done()
    {
        Threads.Of(2, () =>
        {
            int[] runs = new int[64];
            Parallel.For(0, 8, _ =>
            {
                for (int round = 0; round < 100; round++)
                    Workers.Run(8, new Nested(runs));
            });
            Assert.All(runs, n => Assert.Equal(800, n));
        });
    }

    readonly struct Nested(int[] runs) : IWork
    {
        public void Run(int part) => Workers.Run(8, new Slice(runs, part));

        readonly struct Slice(int[] runs, int row) : IWork
        {
            public void Run(int part) => Interlocked.Increment(ref runs[row * 8 + part]);
        }
    }

    [Fact]
    public void Training_gives_the_same_bits_on_any_number_of_threads()
    {
        float[][] weights = [.. new[] { 1, 2, 3, 4 * Environment.ProcessorCount }.Select(threads =>
        {
            float[] end = [];
            Threads.Of(threads, () => end = Train(steps: 8, out _));
            return end;
        })];
        Assert.All(weights[0], w => Assert.InRange(w, -2, 2));            // numbers, which differ where a sum has another order
        Assert.All(weights, w => Assert.Equal(weights[0], w));
    }

    [Fact]
    public void Several_models_train_at_once_and_each_gets_the_bits_it_gets_alone()
    {
        Threads.Of(3, () =>
        {
            float[][] alone = [.. Enumerable.Range(0, 4).Select(Train)], together = new float[4][];
            using Barrier begin = new(4);
            Exception?[] failures = new Exception?[4];
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(i => new Thread(() => failures[i] = Record.Exception(() =>
            {
                begin.SignalAndWait();
                together[i] = Train(i);
            })))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Assert.All(failures, Assert.Null);
            Assert.All(alone, weights => Assert.All(weights, w => Assert.InRange(w, -5, 5)));
            Assert.Equal(alone, together);
        });

        static float[] Train(int seed)
        {
            Sequential model = new(
                new Conv2d(1, 5, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(5, 9, (2, 3)), new ReLU(), new Dropout(0.3), new Flatten(),
                new Linear(9 * 4 * 4, 10));
            model.Initialize(seed);
            CrossEntropyLoss loss = new();
            Sgd optimizer = new(model.Parameters, 0.05f, momentum: 0.9f);
            Random random = new(seed);
            for (int step = 0; step < 200; step++)
            {
                int count = step % 3 == 0 ? 5 : 8 * (seed + 2);               // a few images, which run one by one, between many
                Tensor<float> images = random.Tensor(count, 1, 10, 12);
                loss.Forward(model.Forward(images, training: true), [.. Enumerable.Range(0, count).Select(_ => random.Next(10))]);
                model.Backward(loss.Backward());
                optimizer.Step();
                optimizer.ZeroGrad();
            }
            return model.Values;
        }
    }

    [Fact]
    public void A_step_allocates_nothing_but_the_tensors_it_hands_out()
    {
        Threads.Of(2, () =>
        {
            Train(steps: 1, out _);
            Thread.Sleep(100);                                        // the helper falls asleep: the first time takes memory
            Train(steps: 100, out long[] bytes);
            Assert.NotEmpty(bytes);
            Assert.All(bytes, each => Assert.Equal(0, each));         // for the caller, and for the helper if it came both times
        });
    }

    /// <summary>Trains on lane tensors with alternating batches of 40 and 24 images. Counts the bytes that each thread allocates after a warm-up.</summary>
    static float[] Train(int steps, out long[] bytes)
    {
        Sequential model = new(
            new Conv2d(1, 4, (3, 5), padding: (1, 2)), new ReLU(), new MaxPool2d(2), new Conv2d(4, 6, (3, 2), paddingMode: PaddingMode.Reflect, padding: 1),
            new AvgPool2d(2, 1), new Dropout(0.3), new Flatten(), new Linear(6 * 4 * 6, 10));
        model.Initialize(5);
        Sgd optimizer = new(model.Parameters, 0.001f, momentum: 0.9f, weightDecay: 1e-3f);
        ImageShape shape = new(1, 10, 12);
        LaneTensor<float> x = new(16, shape, model.InputMargin(shape)), y = new(16, ImageShape.Features(10)), dy = new(16, y.Shape);
        LayerContext<float> context = new() { Training = true, Seed = 5 };
        float[] images = new Random(9).Reals(40 * 120), gradient = [.. new Random(10).Reals(400).Select(g => g / 40)];
        Measure before = Measure.New(), after = Measure.New();
        for (int step = -10; step < steps; step++)
        {
            if (step == 0)
                Workers.Run(Workers.Count, before);
            int count = step % 2 == 0 ? 40 : 24;
            x.Resize(count).Pack(images);
            dy.Resize(count).Pack(gradient);
            context.Step = step;
            model.Forward(x, y.Resize(count), context);
            model.Backward(x, y, dy, null, context);
            optimizer.Step();
            optimizer.ZeroGrad();
        }
        Workers.Run(Workers.Count, after);
        bytes = [.. after.Readings.Join(before.Readings, now => now.Thread, then => then.Thread, (now, then) => now.Bytes - then.Bytes)];
        return model.Values;
    }

    /// <summary>Records the bytes that each thread has allocated. A thread waits in its part until every other thread has taken a part.</summary>
    readonly struct Measure(int[] arrived, int[] threads, long[] bytes) : IWork
    {
        public static Measure New() => new(new int[1], new int[Workers.Count], new long[Workers.Count]);

        // Other tests may have left more threads than take part here: who came the first time may stay away the second.
        public IEnumerable<(int Thread, long Bytes)> Readings => threads.Zip(bytes);

        public void Run(int part)
        {
            bytes[part] = GC.GetAllocatedBytesForCurrentThread();
            threads[part] = Environment.CurrentManagedThreadId;
            Interlocked.Increment(ref arrived[0]);
            while (Volatile.Read(ref arrived[0]) < threads.Length)
                Thread.Yield();
        }
    }
}
