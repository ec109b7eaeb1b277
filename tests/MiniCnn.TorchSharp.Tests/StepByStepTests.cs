using TorchSharp;
using static TorchSharp.torch;

namespace MiniCnn.Tests;

/// <summary>What examples/StepByStep shows as TorchSharp's is TorchSharp's. MINICNN_UPDATE_RECORDED=1 asks it anew and writes that down.</summary>
public sealed class StepByStepTests
{
    [Fact]
    public void The_recorded_image_is_what_its_Conv2d_gives()
    {
        string path = Path.Combine(Repository.Root, "examples", "StepByStep", "torchsharp.safetensors");
        IReadOnlyDictionary<string, SafeTensors.Entry> recorded = SafeTensors.Read(path).Tensors;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradients = no_grad();
        TorchSharp.Modules.Conv2d layer = nn.Conv2d(1, 1, 3, bias: false);
        layer.weight!.copy_(tensor((float[])[0, -1, 0, -1, 5, -1, 0, -1, 0], 1, 1, 3, 3));
        float[] x = recorded["x"].As<float>().ToArray(), y = layer.call(tensor(x, 1, 1, 64, 64)).data<float>().ToArray();
        if (Environment.GetEnvironmentVariable("MINICNN_UPDATE_RECORDED") == "1")
            SafeTensors.Write(path, [new("x", recorded["x"]), new("y", SafeTensors.Entry.From<float>(y, 1, 1, 62, 62))]);
        else
            Assert.Equal(recorded["y"].As<float>().ToArray(), y);
    }
}
