using System.Diagnostics;

namespace MiniCnn.Tests;

/// <summary>
/// Runs a program of examples/ as a process. It finds data sets only by its options. MINICNN_NATIVE names a folder of programs compiled ahead of time,
/// which are run instead.
/// </summary>
static class Example
{
    public static (int Code, string Output, string Error) Run(string name, params string[] arguments)
    {
        using Process process = Start(name, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.ReplaceLineEndings("\n"), error.GetAwaiter().GetResult());
    }

    public static Process Start(string name, params string[] arguments) => Start([], name, arguments);

    public static Process Start((string Name, string Value)[] environment, string name, params string[] arguments)
    {
        // tests/MiniCnn.Tests/bin/Release/net10.0 → examples/NAME/bin/Release/net10.0
        string folder = AppContext.BaseDirectory.Replace(Path.Combine("tests", "MiniCnn.Tests"), Path.Combine("examples", name), StringComparison.Ordinal);
        ProcessStartInfo start = Environment.GetEnvironmentVariable("MINICNN_NATIVE") is { Length: > 0 } native
            ? new(Path.Combine(native, name), arguments) : new("dotnet", [Path.Combine(folder, $"{name}.dll"), .. arguments]);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.Environment["MINICNN_DATASETS"] = Path.Combine(folder, "no data sets");
        foreach ((string variable, string value) in environment)
            start.Environment[variable] = value;
        return Process.Start(start)!;
    }
}
