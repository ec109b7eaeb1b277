using System.Diagnostics;
using System.Text.Json;

namespace MiniCnn.Tests;

/// <summary>The comparison of speeds as a person runs it who has no PyTorch, as a process.</summary>
public sealed class ComparisonTests
{
    [Fact]
    public void Without_a_peer_it_says_so_and_measures_alone()
    {
        string file = Path.GetTempFileName();
        try
        {
            string program = AppContext.BaseDirectory.Replace("MiniCnn.Tests", "MiniCnn.Benchmarks", StringComparison.Ordinal);
            string[] options = ["--quick", "--only", "64,8,14,14", "--only", "peak memory", "--python", "/nonexistent/python", "--json", file];
            ProcessStartInfo start = new("dotnet", [Path.Combine(program, "MiniCnn.Benchmarks.dll"), "compare", .. options]) { RedirectStandardOutput = true };
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            Assert.Single(output.Split('\n'), line => line.StartsWith("no peer: ", StringComparison.Ordinal));

            JsonElement[] figures = [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file)).EnumerateArray()];
            Assert.Equal(
                ["forward", "backward-data", "backward-weights", "NCHW forward", "NCHW backward", "peak memory"],
                figures.Select(figure => figure.GetProperty("pass").GetString()));
            Assert.All(figures, figure => Assert.Equal(JsonValueKind.Null, figure.GetProperty("ratio").ValueKind));
            Assert.All(figures[..5], figure => Assert.True(figure.GetProperty("mini_us").GetDouble() > 0));
            Assert.All(figures[..3], figure => Assert.True(figure.GetProperty("percent_of_peak").GetDouble() > 0));
            Assert.True(figures[5].GetProperty("mini_mb").GetDouble() > 1);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
