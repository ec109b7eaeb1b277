using System.Diagnostics;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>A request to the peer: the work, layout and effort to time. Without an effort, the peer answers when its threads sleep.</summary>
sealed record PeerRequest(string Name = "", string Pass = "", Layout Layout = default, Effort? Effort = null);

/// <summary>An answer of the peer: first its version, then the times of each request. After a fault, the peer ends.</summary>
sealed record PeerAnswer(string? Version = null, Times Times = default, string? Fault = null);

/// <summary>TorchSharp in a separate process: this program with another verb, <see cref="PeerProgram"/>.</summary>
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
        process.StandardError.Close();                                 // for single images, libtorch writes a warning about NNPACK in each call
        killed = cancel.Register(process.Kill);
        Version = Answer().Version!;
    }

    /// <summary>The versions: “TorchSharp 0.107.0 on libtorch 2.10.0, 2 threads”.</summary>
    public string Version { get; }

    /// <summary>Processor time of the peer.</summary>
    public TimeSpan ProcessorTime => process.TotalProcessorTime;

    /// <summary>Measures a call with <see cref="Measure.Time"/> in the peer.</summary>
    public Times Time(Figure figure, Layout layout, Effort effort) => Ask(new(figure.Name, figure.Pass, layout, effort)).Times;

    /// <summary>Waits until the peer's threads sleep.</summary>
    public void Rest() => Ask(new());

    /// <summary>Returns the start information of a process that runs one training step.</summary>
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
            // The peer has ended. Its last answer contains the reason.
        }
        return Answer();
    }

    PeerAnswer Answer()
    {
        string line = process.StandardOutput.ReadLine() ?? throw new IOException("the TorchSharp process ended before it answered");
        PeerAnswer answer = JsonSerializer.Deserialize<PeerAnswer>(line)!;
        return answer.Fault is null ? answer : throw new IOException(answer.Fault);
    }
}
