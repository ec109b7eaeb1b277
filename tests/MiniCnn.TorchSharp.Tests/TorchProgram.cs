using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using MiniCnn.Interop;
using TorchSharp;

namespace MiniCnn.Tests;

/// <summary>This assembly as a program that loads TorchSharp; and the loading before the first test.</summary>
static class TorchProgram
{
    /// <summary>Before anything in this assembly runs; as a program it does so itself.</summary>
    [ModuleInitializer]
    internal static void LoadBeforeTests()
    {
        if (Assembly.GetEntryAssembly() != typeof(TorchProgram).Assembly)
            TorchLibrary.Load();
    }

    /// <summary>Computes 1 + 1 with TorchSharp and says from where its library was loaded, or says what was wrong.</summary>
    static int Main()
    {
        try
        {
            Parallel.For(0, 8, _ => TorchLibrary.Load());
        }
        catch (AggregateException e)
        {
            string[] faults = [.. e.InnerExceptions.Select(fault => $"{fault.GetType().Name}: {fault.Message}").Distinct()];
            Console.Error.WriteLine(string.Join(Environment.NewLine, faults));
            return 1;
        }
        Console.WriteLine(torch.ones(2).sum().item<float>());
        Console.WriteLine(string.Join(' ', MappedFrom()));
        return 0;
    }

    /// <summary>From where libLibTorchSharp.so was loaded into this process, on Linux.</summary>
    public static IEnumerable<string> MappedFrom() => OperatingSystem.IsLinux()
        ? File.ReadLines("/proc/self/maps").Where(line => line.Contains("libLibTorchSharp", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf('/')..]).Distinct()
        : [];

    /// <summary>Starts the program of a folder.</summary>
    /// <param name="folder">This assembly's, or a copy of it.</param>
    /// <param name="libraries">Where the loader of Linux looks for more libraries.</param>
    public static Process Start(string folder, string? libraries = null)
    {
        string program = Path.Combine(folder, Path.GetFileName(typeof(TorchProgram).Assembly.Location));
        ProcessStartInfo start = new("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (libraries is not null)
            start.Environment["LD_LIBRARY_PATH"] = libraries;
        return Process.Start(start)!;
    }

    /// <summary>Waits for a program, and returns its exit code and what it wrote.</summary>
    public static (int Code, string[] Output, string[] Error) Wait(Process process)
    {
        (int code, string output, string error) = Processes.Wait(process);
        return (code, Lines(output), Lines(error));

        static string[] Lines(string text) => text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
