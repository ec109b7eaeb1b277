using Microsoft.ML.OnnxRuntime;
using MiniCnn.OnnxModels;

namespace MiniCnn.Benchmarks;

/// <summary>Runs the forward passes of <see cref="Net"/> with ONNX Runtime, into the same output memory in each call.</summary>
sealed class OnnxWorks : IDisposable
{
    readonly List<IDisposable> owned = [];
    (string Net, string Pass)? latest;
    Work? work;

    /// <summary>Whether ONNX Runtime is measured. It is not if both sides are limited to AVX2, because ONNX Runtime has no such setting.</summary>
    public static bool IsPeer => !Tuned.HeldToAvx2 && !OperatingSystem.IsMacOS();

    public static string Version => $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";

    /// <summary>Returns the work of a figure. Disposes the work of the previous figure.</summary>
    public Work Of(string name, string pass)
    {
        if (latest == (name, pass))
            return work!;
        Dispose();
        Net net = Net.All.Single(n => n.Name == name);
        string path = Path.GetTempFileName();
        InferenceSession session;
        try
        {
            Sequential model = net.Build();
            model.Initialize(seed: 0);
            OnnxModel.Save(model, net.Input, path);
            using SessionOptions options = new() { IntraOpNumThreads = Workers.Count, InterOpNumThreads = 1, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
            session = Owned(new InferenceSession(path, options));
        }
        finally
        {
            File.Delete(path);
        }
        long images = net.Images(pass);
        OrtValue x = Owned(OrtValue.CreateTensorValueFromMemory(RandomImages.Numbers((int)images, net.Input), [images, net.Input.Channels, net.Input.Height, net.Input.Width]));
        OrtValue y = Owned(OrtValue.CreateTensorValueFromMemory(new float[images * net.Classes], [images, net.Classes]));
        RunOptions run = Owned(new RunOptions());
        (latest, work) = ((name, pass), new(() => session.Run(run, session.InputNames, [x], session.OutputNames, [y])));
        return work;

        T Owned<T>(T value) where T : IDisposable
        {
            owned.Add(value);
            return value;
        }
    }

    public void Dispose()
    {
        owned.ForEach(value => value.Dispose());
        owned.Clear();
        (latest, work) = (null, null);
    }
}
