using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace MiniCnn.Benchmarks;

/// <summary>Measures the peak rate of fused multiply-adds on registers with Workers.Count threads.</summary>
sealed class PeakFlops
{
    // Two units with a latency of 4 cycles need at least 8 chains. The chains and the constant must leave some of AVX2's 16 registers free, or the JIT spills.
    const int Chains = 12;
    const int Turns = 100_000;
    static volatile float sink;
    readonly List<double> moments = [];

    /// <summary>Floating-point operations per second, the median of all samples.</summary>
    public double Median => Measure.Median(moments);

    /// <summary>Median per core, in GFLOP/s.</summary>
    public double GigaFlopsACore => Median / 1e9 / Math.Min(Workers.Count, Environment.ProcessorCount);

    /// <summary>Takes one sample in about 20 ms. The best of 12 runs counts, so that late threads do not matter.</summary>
    public void Sample()
    {
        double best = 0;
        for (int i = 0; i < 12; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Simd.Run(Workers.Count, new ChainsOfOneThread());
            best = Math.Max(best, Workers.Count * (double)Turns * Chains * Simd.Width * 2 / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        moments.Add(best);
    }

    readonly unsafe struct ChainsOfOneThread : ILaneWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, float>
        {
            V half = V.Broadcast(0.5f);
            V a = half, b = half, c = half, d = half, e = half, f = half, g = half, h = half;
            V i = half, j = half, k = half, l = half;
            for (int turn = 0; turn < Turns; turn++)
            {
                a = V.MultiplyAdd(a, half, half);
                b = V.MultiplyAdd(b, half, half);
                c = V.MultiplyAdd(c, half, half);
                d = V.MultiplyAdd(d, half, half);
                e = V.MultiplyAdd(e, half, half);
                f = V.MultiplyAdd(f, half, half);
                g = V.MultiplyAdd(g, half, half);
                h = V.MultiplyAdd(h, half, half);
                i = V.MultiplyAdd(i, half, half);
                j = V.MultiplyAdd(j, half, half);
                k = V.MultiplyAdd(k, half, half);
                l = V.MultiplyAdd(l, half, half);
            }
            float* sum = stackalloc float[V.Count];
            (a + b + c + d + e + f + g + h + i + j + k + l).Store(sum);
            sink = sum[0];
        }
    }
}
