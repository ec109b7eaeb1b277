using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace MiniCnn.Tests;

/// <summary>ONNX Runtime, which knows nothing of MiniCnn.</summary>
static class Runtime
{
    static readonly SessionOptions options = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1 };

    public static InferenceSession Open(string path) => new(path, options);

    /// <summary>Runs a file of one input and one output.</summary>
    public static float[] Run<T>(string path, ReadOnlySpan<T> x, params ReadOnlySpan<nint> lengths) where T : unmanaged
    {
        using InferenceSession session = Open(path);
        return session.Run(x, lengths);
    }

    public static float[] Run<T>(this InferenceSession session, ReadOnlySpan<T> x, params ReadOnlySpan<nint> lengths) where T : unmanaged
    {
        long[] shape = [.. lengths.ToArray().Select(length => (long)length)];
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(x.ToArray(), shape);
        using RunOptions run = new();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return Assert.Single(outputs).GetTensorDataAsSpan<float>().ToArray();
    }

    public static float[] Run(string path, Tensor<float> x) => Run<float>(path, x.AsSpan(), x.Lengths);
}
