using System.Runtime.ExceptionServices;
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
            return new(Times: request.Layout == Layout.Onnx
                ? Unbound(() => Measure.Time(onnx.Of(request.Name, request.Pass), request.Effort))
                : Measure.Time(works.Of(request.Name, request.Pass, request.Layout), request.Effort));
        Measure.Rest();
        return new();
    }

    /// <summary>Runs on a thread of its own: OpenMP has bound this one to a processor, and ONNX Runtime's threads would all crowd there.</summary>
    static T Unbound<T>(Func<T> run)
    {
        T? result = default;
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(() =>
        {
            try
            {
                Affinity.Free();
                result = run();
            }
            catch (Exception e)
            {
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result!;
    }

    static void Say(PeerAnswer answer) => Console.WriteLine(JsonSerializer.Serialize(answer));
}
