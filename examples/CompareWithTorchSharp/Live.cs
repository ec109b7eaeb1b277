#if TORCHSHARP
using System.Diagnostics;
using System.Numerics;
using MiniCnn.Parity;

namespace MiniCnn.Examples;

/// <summary>The half of this program that asks TorchSharp itself.</summary>
static class Live
{
    /// <summary>Both sides on the same random numbers, forward and backward, with times.</summary>
    public static int Compare(CaseTable table)
    {
        Console.WriteLine($"MiniCnn and a live {TorchSharpConv2d.Version}, on the same random numbers");
        Console.WriteLine("ms: forward and backward, the best of five, "
            + $"{Workers.Count} threads here, {TorchSharpConv2d.Threads} there; small cases, so mostly calls");
        return Report.Show([.. table.Conv2d.Select((c, seed) =>
            c.IsDouble ? Compare<double>(c, seed, ReferenceConv2d.Run) : Compare<float>(c, seed, LayerConv2d.Run))]);
    }

    static Comparison Compare<T>(Conv2dCase c, int seed, Func<Conv2dShape, Conv2dInputs<T>, Conv2dResults<T>> run)
        where T : unmanaged, INumber<T>
    {
        var inputs = Conv2dInputs<T>.Random(c, seed);
        (Conv2dResults<T> theirs, TimeSpan theirTime) = Time(() => TorchSharpConv2d.Run(c.Shape, inputs));
        (Conv2dResults<T> ours, TimeSpan ourTime) = Time(() => run(c.Shape, inputs));
        return new(Conv2dReport.Compare(c, inputs, theirs, ours), ourTime, theirTime);
    }

    // The best of five, after one to warm up.
    static (R Result, TimeSpan Time) Time<R>(Func<R> run)
    {
        R? result = run();
        TimeSpan best = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            best = TimeSpan.FromTicks(Math.Min(best.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
        }
        return (result, best);
    }

    public static void Record(string path, CaseTable table)
    {
        int tensors = TorchSharpRecorder.Record(path, table, seed: 20261121, $"CompareWithTorchSharp record {Path.GetFileName(path)}");
        Console.WriteLine($"{path}: {tensors} tensors recorded from {TorchSharpConv2d.Version}");
    }
}
#endif
