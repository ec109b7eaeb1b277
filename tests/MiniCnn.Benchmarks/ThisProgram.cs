using System.Diagnostics;

namespace MiniCnn.Benchmarks;

/// <summary>Starts this program as another process.</summary>
static class ThisProgram
{
    public static ProcessStartInfo With(params IEnumerable<string> arguments)
    {
        string program = Environment.ProcessPath!, library = Path.Combine(AppContext.BaseDirectory, "MiniCnn.Benchmarks.dll");
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return new(program, [.. isHost ? (string[])[library] : [], .. arguments]);
    }
}
