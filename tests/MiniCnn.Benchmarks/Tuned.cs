namespace MiniCnn.Benchmarks;

/// <summary>
/// The environment that makes libtorch fastest: threads that stay on their processors and wait for work awake, memory that is kept. For the
/// peer's process alone: OpenMP would bind MiniCnn's threads too.
/// </summary>
static class Tuned
{
    /// <summary>The variable that holds .NET to AVX2 where it is 0. The runtime reads it when the process starts.</summary>
    public const string Avx512 = "DOTNET_EnableAVX512";

    /// <summary>Whether this process is held to AVX2, and then its peer is too.</summary>
    public static bool HeldToAvx2 => System.Environment.GetEnvironmentVariable(Avx512) == "0";

    public static IReadOnlyList<(string Name, string Value)> Environment =>
    [
        ("OMP_NUM_THREADS", $"{Workers.Count}"),
        ("OMP_PROC_BIND", "true"),
        ("GOMP_SPINCOUNT", "2000000"),
        ("MALLOC_MMAP_MAX_", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
        // Of libtorch's own loops, of its convolutions, of its matrix products.
        .. HeldToAvx2
            ? ((string, string)[])[("ATEN_CPU_CAPABILITY", "avx2"), ("ONEDNN_MAX_CPU_ISA", "AVX2"), ("MKL_ENABLE_INSTRUCTIONS", "AVX2")]
            : [],
    ];

    public static string Text => string.Join(' ', Environment.Select(variable => $"{variable.Name}={variable.Value}"));
}
