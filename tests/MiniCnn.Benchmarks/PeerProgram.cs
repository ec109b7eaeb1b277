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
            Say(new(TorchWorks.Version));
            using TorchWorks works = new();
            while (Console.ReadLine() is string line)
                Say(Answer(works, JsonSerializer.Deserialize<PeerRequest>(line)!));
            return 0;
        }
        catch (Exception e)
        {
            string fault = (e is TypeInitializationException ? e.GetBaseException() : e).Message.Split('\n')[0];
            Say(new(Fault: $"the peer: {fault} (--no-peer measures MiniCnn alone)"));
            return 1;
        }
    }

    static PeerAnswer Answer(TorchWorks works, PeerRequest request)
    {
        if (request.Effort is not null)
            return new(Times: Measure.Time(works.Of(request.Name, request.Pass, request.Layout), request.Effort));
        Measure.Rest();
        return new();
    }

    static void Say(PeerAnswer answer) => Console.WriteLine(JsonSerializer.Serialize(answer));
}
