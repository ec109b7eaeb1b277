using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn.Benchmarks;

/// <summary>PyTorch in a process of its own, peer.py: a request a line, an answer a line.</summary>
sealed class PyTorchPeer : IPeer
{
    static readonly JsonSerializerOptions json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    readonly string python;
    readonly Process process;
    readonly CancellationTokenRegistration killed;

    /// <exception cref="IOException">There is no such Python, or no PyTorch in it.</exception>
    public PyTorchPeer(string python, CancellationToken cancel)
    {
        this.python = python;
        ProcessStartInfo start = Start($"{Workers.Count}");
        start.RedirectStandardInput = true;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{python} does not start: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        killed = cancel.Register(process.Kill);
        JsonElement hello = Answer();
        if (hello.TryGetProperty("missing", out JsonElement why))
            throw new IOException($"{python}: {why}");
        Version = $"PyTorch {hello.GetProperty("version")}, oneDNN {hello.GetProperty("oneDNN")}, BLAS {hello.GetProperty("blas")}, "
            + $"{hello.GetProperty("threads")} threads";
    }

    public string Name => "PyTorch";

    public string Version { get; }

    public string Environment => Tuned.Text;

    public TimeSpan ProcessorTime => process.TotalProcessorTime;

    public double Time(PeerWork work, Layout layout, Effort effort)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(
            new { Item = new { work.Work, work.Conv, work.Net, work.Batch, Layout = layout.ToString() }, effort.Seconds, effort.Calls }, json));
        return Answer().GetProperty("us").GetDouble();
    }

    public void Rest()
    {
        process.StandardInput.WriteLine("""{"rest":true}""");
        Answer();
    }

    public ProcessStartInfo FirstStep() => Start("start", $"{Workers.Count}");

    public void Dispose()
    {
        killed.Dispose();
        process.Kill();
        process.Dispose();
    }

    ProcessStartInfo Start(params string[] arguments)
    {
        ProcessStartInfo start = new(python, [Path.Combine(AppContext.BaseDirectory, "peer.py"), .. arguments]) { RedirectStandardOutput = true };
        foreach ((string name, string value) in Tuned.Environment)
            start.Environment[name] = value;
        return start;
    }

    JsonElement Answer()
    {
        string line = process.StandardOutput.ReadLine() ?? throw new IOException($"{python} peer.py ended before its work was done");
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(line);
        }
        catch (JsonException e)
        {
            throw new IOException($"{python} peer.py says “{line}”", e);
        }
    }
}
