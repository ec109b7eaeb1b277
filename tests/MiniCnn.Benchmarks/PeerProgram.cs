using System.Runtime.InteropServices;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>The other side of <see cref="Peer"/>: a request a line, an answer a line.</summary>
static class PeerProgram
{
    public static int Run()
    {
        // The program that asks has the same Ctrl-C, and ends this one.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        try
        {
            TorchWorks.Load();
            Say(new(OnnxWorks.IsPeer ? $"{TorchWorks.Version}; {OnnxWorks.Version}" : TorchWorks.Version));
            using TorchWorks works = new();
            using OnnxWorks onnx = new();
            while (Console.ReadLine() is string line)
                Say(Answer(works, onnx, JsonSerializer.Deserialize<PeerRequest>(line)!));
            return 0;
        }
        catch (Exception e)
        {
            string fault = (e is TypeInitializationException ? e.GetBaseException() : e).Message.Split('\n')[0];
            Say(new(Fault: $"the peer: {fault} (--no-peer measures MiniCnn alone)"));
            return 1;
        }
    }

    static PeerAnswer Answer(TorchWorks works, OnnxWorks onnx, PeerRequest request)
    {
        if (request.Effort is not null)
        {
            Work work = request.Layout == Layout.Onnx ? onnx.Of(request.Name, request.Pass) : works.Of(request.Name, request.Pass, request.Layout);
            return new(Times: Measure.Time(work, request.Effort));
        }
        Measure.Rest();
        return new();
    }

    static void Say(PeerAnswer answer) => Console.WriteLine(JsonSerializer.Serialize(answer));
}
