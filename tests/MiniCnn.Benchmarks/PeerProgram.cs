using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MiniCnn.Benchmarks;

/// <summary>The other side of <see cref="Peer"/>: one line per request and one line per answer.</summary>
static class PeerProgram
{
    public static int Run()
    {
        // The parent process receives Ctrl-C too and ends this process.
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
            Say(new(Fault: $"TorchSharp: {fault} (--no-peer measures only MiniCnn)"));
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

    /// <summary>Runs on a new thread. OpenMP has bound this thread to a processor, and ONNX Runtime's threads would inherit the binding.</summary>
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
