using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn.Benchmarks;

/// <summary>PyTorch in a process of its own, peer.py: a request a line, an answer a line.</summary>
sealed class PyTorchPeer : IPeer
{
    static readonly JsonSerializerOptions json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    readonly string python;
    readonly Process process;
    readonly CancellationTokenRegistration killed;

    /// <exception cref="IOException">There is no such Python, or no PyTorch in it.</exception>
    public PyTorchPeer(string python, CancellationToken cancel)
    {
        this.python = python;
        ProcessStartInfo start = Start($"{Workers.Count}");
        start.RedirectStandardInput = true;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new IOException($"there is no {python}");
        }
        killed = cancel.Register(process.Kill);
        JsonElement hello = Answer();
        if (hello.TryGetProperty("missing", out JsonElement why))
            throw new IOException($"{python}: {why}");
        Version = $"PyTorch {hello.GetProperty("version")}, oneDNN {hello.GetProperty("oneDNN")}, BLAS {hello.GetProperty("blas")}, "
            + $"{hello.GetProperty("threads")} threads";
    }

    public string Name => "PyTorch";

    public string Version { get; }

    public string Environment => string.Join(' ', Tuned().Select(pair => $"{pair.Key}={pair.Value}"));

    public double Time(PeerWork work, Layout layout, double seconds)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(
            new { Item = new { work.Work, work.Conv, work.Net, work.Batch, Layout = layout.ToString() }, seconds }, json));
        return Answer().GetProperty("us").GetDouble();
    }

    public void Rest()
    {
        process.StandardInput.WriteLine("""{"rest":true}""");
        Answer();
    }

    public ProcessStartInfo FirstStep() => Start("start", $"{Workers.Count}");

    public void Dispose()
    {
        killed.Dispose();
        process.Kill();
        process.Dispose();
    }

    ProcessStartInfo Start(params string[] arguments)
    {
        ProcessStartInfo start = new(python, [Path.Combine(AppContext.BaseDirectory, "peer.py"), .. arguments]) { RedirectStandardOutput = true };
        foreach ((string name, string value) in Tuned())
            start.Environment[name] = value;
        return start;
    }

    JsonElement Answer()
    {
        string line = process.StandardOutput.ReadLine() ?? throw new IOException($"{python} peer.py ended before its work was done");
        return JsonSerializer.Deserialize<JsonElement>(line);
    }

    /// <summary>What makes libtorch fastest: threads that stay on their cores and wait for work awake, memory that is kept.</summary>
    static IEnumerable<(string Key, string Value)> Tuned() =>
    [
        ("OMP_NUM_THREADS", $"{Workers.Count}"),
        ("OMP_PROC_BIND", "true"),
        ("GOMP_SPINCOUNT", "2000000"),
        ("MALLOC_MMAP_MAX_", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
        // OpenBLAS takes newer processors for older ones; its AVX-512 kernels have this name.
        .. Vector512.IsHardwareAccelerated ? (IEnumerable<(string, string)>)[("OPENBLAS_CORETYPE", "SkylakeX")] : [],
    ];
}
