using System.Diagnostics;
using System.Text.Json;

namespace MiniCnn.Tests;

/// <summary>The comparison of speeds as a person runs it, as a process.</summary>
public sealed class ComparisonTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Without_a_peer_it_says_so_and_measures_alone()
    {
        (string output, JsonElement[] figures) = Compare("/nonexistent/python", "64,8,14,14", "peak memory");
        Assert.Single(output.Split('\n'), line => line.StartsWith("no peer: ", StringComparison.Ordinal));
        Assert.Equal(
            ["forward", "backward-data", "backward-weights", "NCHW forward", "NCHW backward", "peak memory"],
            figures.Select(figure => figure.GetProperty("pass").GetString()));
        Assert.All(figures, figure => Assert.Equal(JsonValueKind.Null, figure.GetProperty("ratio").ValueKind));
        Assert.All(figures[..5], figure => Assert.True(figure.GetProperty("mini_us").GetDouble() > 0));
        Assert.All(figures[..3], figure => Assert.True(figure.GetProperty("percent_of_peak").GetDouble() > 0));
        Assert.True(figures[5].GetProperty("mini_mb").GetDouble() > 1);
    }

    // A peer of few words: always 7 s in NCHW and 5 s in channels-last. For nets the better one counts.
    [Fact]
    public void Ratios_are_the_peers_time_over_ours()
    {
        if (OperatingSystem.IsWindows())
            return;                                                    // no shell for the peer
        string peer = Path.Combine(folder, "peer");
        File.WriteAllText(peer, """
            #!/bin/sh
            echo '{"version":"0","oneDNN":"0","blas":"none","threads":1}'
            while read -r request; do
                case $request in *rest*) echo '{}';; *Nhwc*) echo '{"us":5e6}';; *) echo '{"us":7e6}';; esac
            done
            """);
        File.SetUnixFileMode(peer, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        (_, JsonElement[] figures) = Compare(peer, "64,8,14,14,16,3,1,1,1,1 NCHW forward", "LeNet-5 forward, 1 image");
        Assert.Equal(2, figures.Length);
        foreach ((JsonElement figure, double theirs) in figures.Zip([7e6, 5e6]))
        {
            double mini = figure.GetProperty("mini_us").GetDouble(), ratio = figure.GetProperty("ratio").GetDouble();
            Assert.Equal(theirs, figure.GetProperty("peer_us").GetDouble());
            Assert.InRange(ratio, theirs / (mini + 0.001) - 0.001, theirs / (mini - 0.001) + 0.001);
        }
    }

    (string Output, JsonElement[] Figures) Compare(string python, params string[] only)
    {
        // tests/MiniCnn.Tests/bin/Release/net10.0 → tests/MiniCnn.Benchmarks/bin/Release/net10.0
        string program = AppContext.BaseDirectory.Replace("MiniCnn.Tests", "MiniCnn.Benchmarks", StringComparison.Ordinal);
        string file = Path.Combine(folder, "figures.json");
        string[] options = ["--quick", "--python", python, "--json", file, .. only.SelectMany(text => (string[])["--only", text])];
        ProcessStartInfo start = new("dotnet", [Path.Combine(program, "MiniCnn.Benchmarks.dll"), "compare", .. options]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return (output, [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file)).EnumerateArray()]);
    }
}
