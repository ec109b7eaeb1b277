namespace MiniCnn.Benchmarks;

/// <summary>
/// The environment variables with which libtorch is fastest: threads are bound to processors and spin while they wait, and memory is not returned to
/// the system. Only for the peer's process, because OpenMP would bind MiniCnn's threads too.
/// </summary>
static class Tuned
{
    /// <summary>Name of the variable that limits .NET to AVX2 if it is 0. The runtime reads it at process start.</summary>
    public const string Avx512 = "DOTNET_EnableAVX512";

    /// <summary>Whether this process and its peer are limited to AVX2.</summary>
    public static bool HeldToAvx2 => System.Environment.GetEnvironmentVariable(Avx512) == "0";

    public static IReadOnlyList<(string Name, string Value)> Environment =>
    [
        ("OMP_NUM_THREADS", $"{Workers.Count}"),
        ("OMP_PROC_BIND", "true"),
        ("GOMP_SPINCOUNT", "2000000"),
        ("MALLOC_MMAP_MAX_", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
        // For libtorch's loops, its convolutions and its matrix products.
        .. HeldToAvx2
            ? ((string, string)[])[("ATEN_CPU_CAPABILITY", "avx2"), ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "AVX2")]
            : [],
    ];

    public static string Text => string.Join(' ', Environment.Select(variable => $"{variable.Name}={variable.Value}"));
}
