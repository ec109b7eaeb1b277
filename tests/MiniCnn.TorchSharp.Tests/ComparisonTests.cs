using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;

namespace MiniCnn.Tests;

/// <summary>The comparison of speeds as a person runs it, as a process.</summary>
public sealed class ComparisonTests : FolderTests
{
    [Fact]
    public void Ratios_are_the_peers_time_over_ours()
    {
        (string[] output, JsonElement[] figures) = Compare(
            "--only", "64,8,14,14,16,3,1,1,1,1 NCHW forward", "--only", "LeNet-5 forward, 1 image", "--only", "LeNet-5 peak memory");
        Assert.Contains(output, line => line.StartsWith("peer:    TorchSharp ", StringComparison.Ordinal));
        Assert.Equal(["NCHW forward", "forward, 1 image", "peak memory"], figures.Select(figure => figure.GetProperty("pass").GetString()));
        Assert.All(figures[..2], figure =>
        {
            (double mini, double theirs) = (Number(figure, "mini_us"), Number(figure, "peer_us"));
            (double nchw, double nhwc) = (Number(figure, "peer_nchw_us"), Number(figure, "peer_nhwc_us"));
            Assert.InRange(nhwc, 1, 1e7);
            // For nets the better layout counts.
            Assert.Equal(figure.GetProperty("name").GetString() == "LeNet-5" ? Math.Min(nchw, nhwc) : nchw, theirs);
            Assert.InRange(Number(figure, "ratio"), theirs / (mini + 0.001) - 0.001, theirs / (mini - 0.001) + 0.001);
            Assert.All(["mini_cpu_us", "peer_cpu_us", "cpu_ratio"], name => Assert.True(Number(figure, name) > 0));
        });
        Assert.All(["mini_mb", "peer_mb"], side => Assert.InRange(Number(figures[2], side), 10, 10_000));
    }

    [Fact]
    public void Without_a_peer_it_measures_alone()
    {
        (string[] output, JsonElement[] figures) = Compare("--no-peer", "--only", "64,8,14,14");
        Assert.DoesNotContain(output, line => line.Contains("TorchSharp", StringComparison.Ordinal));
        Assert.Equal(
            ["forward", "backward-data", "backward-weights", "NCHW forward", "NCHW backward"],
            figures.Select(figure => figure.GetProperty("pass").GetString()));
        Assert.All(figures, figure => Assert.Equal(JsonValueKind.Null, figure.GetProperty("ratio").ValueKind));
        Assert.All(figures, figure => Assert.True(Number(figure, "mini_us") > 0));
        Assert.All(figures[..3], figure => Assert.True(Number(figure, "percent_of_peak") > 0));
    }

    [Fact]
    public void Both_sides_are_held_to_AVX2()
    {
        string[] options = ["--isa", "avx2", "--only", "MNIST net forward, 1 image"];
        if (!Avx2.IsSupported)
        {
            (int code, _, string[] error) = Run(options);
            Assert.Equal(1, code);
            Assert.StartsWith("--isa avx2: ", Assert.Single(error), StringComparison.Ordinal);
            return;
        }
        string[] lines = Compare(options).Output;
        Assert.EndsWith("vectors of 8 floats, both sides limited to AVX2", lines[0].TrimEnd(), StringComparison.Ordinal);
        Assert.Contains(" ONEDNN_MAX_CPU_ISA=AVX2 ", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Time_per_image_by_batch_is_a_table_and_a_chart()
    {
        string chart = PathOf("scale.png");
        (int code, string[] output, string[] error) = Run(["--scale", "--threads", "1", "--only", "LeNet-5 forward", "--chart", chart]);
        Assert.Empty(error);
        Assert.Equal(0, code);
        string[][] rows = [.. output.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(row => row.Length > 0)];
        Assert.Equal(["1", "8", "9", "16", "17", "512"], rows.Select(row => row[0]).Where(first => first is "1" or "8" or "9" or "16" or "17" or "512"));
        Assert.Equal("89504E47", Convert.ToHexString(File.ReadAllBytes(chart)[..4]));
        Assert.Equal(1, Run(["--chart", chart]).Code);
    }

    static double Number(JsonElement figure, string name) => figure.GetProperty(name).GetDouble();

    (string[] Output, JsonElement[] Figures) Compare(params string[] options)
    {
        string file = PathOf("figures.json");
        (int code, string[] output, string[] error) = Run(["--json", file, .. options]);
        Assert.Empty(error);
        Assert.Equal(0, code);
        return (output, [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file)).EnumerateArray()]);
    }

    static (int Code, string[] Output, string[] Error) Run(string[] options)
    {
        // tests/MiniCnn.TorchSharp.Tests/bin/Release/net10.0 → tests/MiniCnn.Benchmarks/bin/Release/net10.0
        string program = AppContext.BaseDirectory.Replace("MiniCnn.TorchSharp.Tests", "MiniCnn.Benchmarks", StringComparison.Ordinal);
        ProcessStartInfo start = new("dotnet", [Path.Combine(program, "MiniCnn.Benchmarks.dll"), "compare", "--quick", .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return TorchProgram.Wait(Process.Start(start)!);
    }
}
