using System.Runtime.Intrinsics;

namespace MiniCnn.Benchmarks;

/// <summary>The environment that makes libtorch fastest: threads that stay on their cores and wait for work awake, memory that is kept.</summary>
static class Tuned
{
    public static IReadOnlyList<(string Name, string Value)> Environment =>
    [
        ("OMP_NUM_THREADS", $"{Workers.Count}"),
        ("OMP_PROC_BIND", "true"),
        ("GOMP_SPINCOUNT", "2000000"),
        ("MALLOC_MMAP_MAX_", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
        // OpenBLAS takes newer processors for older ones; its AVX-512 kernels have this name.
        .. Vector512.IsHardwareAccelerated ? ((string, string)[])[("OPENBLAS_CORETYPE", "SkylakeX")] : [],
    ];

    public static string Text => string.Join(' ', Environment.Select(variable => $"{variable.Name}={variable.Value}"));
}
