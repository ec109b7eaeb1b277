using System.Diagnostics;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>A line to the peer: what to time, in which layout, for how long; nothing: to return when its threads sleep.</summary>
sealed record PeerRequest(string Name = "", string Pass = "", Layout Layout = default, Effort? Effort = null);

/// <summary>A line from the peer: at first its version, then the times for each request. After a fault it ends.</summary>
sealed record PeerAnswer(string? Version = null, Times Times = default, string? Fault = null);

/// <summary>TorchSharp in a process of its own: this program under another verb, <see cref="PeerProgram"/>.</summary>
sealed class Peer : IDisposable
{
    public const string Name = "TorchSharp";

    readonly Process process;
    readonly CancellationTokenRegistration killed;

    /// <exception cref="IOException">TorchSharp does not load.</exception>
    public Peer(CancellationToken cancel)
    {
        ProcessStartInfo start = Start("peer");
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        process = Process.Start(start)!;
        process.StandardError.Close();                                 // at a single image libtorch says each time that it finds no NNPACK
        killed = cancel.Register(process.Kill);
        Version = Answer().Version!;
    }

    /// <summary>“TorchSharp 0.107.0 on libtorch 2.10.0, 2 threads”.</summary>
    public string Version { get; }

    /// <summary>What it took of the processors.</summary>
    public TimeSpan ProcessorTime => process.TotalProcessorTime;

    /// <summary>A call's times, as <see cref="Measure.Time"/> finds them.</summary>
    public Times Time(Figure figure, Layout layout, Effort effort) => Ask(new(figure.Name, figure.Pass, layout, effort)).Times;

    /// <summary>Returns when its threads sleep.</summary>
    public void Rest() => Ask(new());

    /// <summary>A process that trains one step from nothing.</summary>
    public static ProcessStartInfo FirstStep(string net) => Start("start", Name, net);

    public void Dispose()
    {
        killed.Dispose();
        process.Kill();
        process.Dispose();
    }

    static ProcessStartInfo Start(string verb, params string[] arguments)
    {
        ProcessStartInfo start = ThisProgram.With([verb, $"{Workers.Count}", .. arguments]);
        foreach ((string name, string value) in Tuned.Environment)
            start.Environment[name] = value;
        return start;
    }

    PeerAnswer Ask(PeerRequest request)
    {
        try
        {
            process.StandardInput.WriteLine(JsonSerializer.Serialize(request));
        }
        catch (IOException)
        {
            // It has ended; what it said last tells why.
        }
        return Answer();
    }

    PeerAnswer Answer()
    {
        string line = process.StandardOutput.ReadLine() ?? throw new IOException("the peer ended before its work was done");
        PeerAnswer answer = JsonSerializer.Deserialize<PeerAnswer>(line)!;
        return answer.Fault is null ? answer : throw new IOException(answer.Fault);
    }
}
