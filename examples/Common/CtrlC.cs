using System.Runtime.InteropServices;

namespace MiniCnn.Examples;

/// <summary>Ctrl-C, or the system's wish to end: the first asks the program to save what it has and end, the second ends it at once.</summary>
sealed class CtrlC : IDisposable
{
    readonly CancellationTokenSource source = new();
    readonly PosixSignalRegistration[] registrations;

    public CtrlC() => registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
    ];

    /// <summary>Cancelled by the first.</summary>
    public CancellationToken Token => source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations)
            registration.Dispose();             // not the source: a signal may be on its way
    }

    void Stop(PosixSignalContext signal)
    {
        if (source.IsCancellationRequested)
            return;
        signal.Cancel = true;
        source.Cancel();
        Console.Error.WriteLine($"stopping; once more ends at once{(Console.IsOutputRedirected ? "" : "\n")}");      // a bar is drawn over the last line
    }
}
