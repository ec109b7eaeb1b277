using System.Runtime.InteropServices;

namespace MiniCnn.Examples;

/// <summary>Cancels at the first Ctrl-C or SIGTERM, so that the program can save its work. The second one ends the program at once.</summary>
sealed class CtrlC : IDisposable
{
    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    public CtrlC() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
    ];

    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();             // The source is not disposed: a signal may still use it.
    }

    void Stop(PosixSignalContext signal)
    {
        if (source.IsCancellationRequested)
            return;
        signal.Cancel = true;
        source.Cancel();
        string end = Console.IsOutputRedirected ? "" : "\n";     // on a terminal, the progress bar overwrites the last line
        Console.Error.WriteLine($"stopping; Ctrl-C again ends at once{end}");
    }
}
