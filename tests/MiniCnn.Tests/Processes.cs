using System.Diagnostics;

namespace MiniCnn.Tests;

/// <summary>Runs child processes and collects what they write.</summary>
static class Processes
{
    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Error) Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        return Wait(Process.Start(start)!);
    }

    /// <summary>Waits for a process with redirected output and error streams, and disposes it.</summary>
    public static (int Code, string Output, string Error) Wait(Process process)
    {
        using (process)
        {
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.GetAwaiter().GetResult());
        }
    }
}
