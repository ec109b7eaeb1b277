using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Networks as Python modules. If MINICNN_PYTHON names a Python with torch, all cases of the table run there; .ci/run does so.</summary>
public sealed class PyTorchCodeTests : FolderTests
{
    [Fact]
    public void A_module_names_every_layer_as_the_file_of_weights_does()
    {
        Sequential network = new(
            new Conv2d(1, 4, (3, 5), (2, 1), new Padding(0, 1, 1, 2), bias: false), new BatchNorm2d(4), new ReLU(),
            new Residual(new Conv2d(4, 6, 1, paddingMode: PaddingMode.Reflect), new Conv2d(4, 6, 1)), new MaxPool2d(2, padding: new Padding(1, 0, 0, 1)),
            new Flatten(), new Linear(60, 3));
        string path = PathOf("net.py");
        PyTorchCode.Write(network, path);
        string text = File.ReadAllText(path);
        foreach (string line in (string[])[
            "PaddedConv2d(1, 4, (3, 5), (2, 1), 0, (1, 1), 1, False).padded(Pad((1, 2, 0, 1), \"constant\")),", "nn.BatchNorm2d(4, 1E-05, 0.1),", "Residual(",
            "nn.Conv2d(4, 6, (1, 1), (1, 1), (0, 0), (1, 1), 1, True, padding_mode=\"reflect\"),",
            "nn.Sequential(Pad((0, 1, 1, 0), value=float(\"-inf\")), nn.MaxPool2d((2, 2), (2, 2), 0, (1, 1), ceil_mode=False)),", "nn.Linear(60, 3, True),", "torchrun"])
            Assert.Contains(line, text, StringComparison.Ordinal);
        Assert.Equal(network.Stored.Select(stored => stored.Name).Order(), SafeTensors.Read(PathOf("net.safetensors")).Tensors.Keys.Order());
    }

    [Fact]
    public void What_PyTorch_cannot_say_is_refused_by_name_and_leaves_nothing()
    {
        string path = PathOf("net.py");
        Layer uneven = new Sequential(new ReLU(), new AvgPool2d(3, 1, new Padding(1, 0, 0, 1), countIncludePad: false));
        Assert.Contains("layer 1, AvgPool2d", Assert.Throws<NotSupportedException>(() => PyTorchCode.Write(uneven, path)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => PyTorchCode.Write(new ReLU(), PathOf("net.txt")));
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void PyTorch_computes_the_same()
    {
        if (Environment.GetEnvironmentVariable("MINICNN_PYTHON") is not { Length: > 0 } python)
            return;                                              // the two above hold the text
        List<(LayerCase Case, float[] Y)> written = [];
        foreach (LayerCase c in CaseTable.All.OfType<LayerCase>())
        {
            (Layer layer, Tensor<float> x) = c.Trained();
            try
            {
                PyTorchCode.Write(layer, PathOf($"case{written.Count}.py"));
            }
            catch (NotSupportedException e)
            {
                Assert.Contains("uneven padding", e.Message, StringComparison.Ordinal);
                continue;
            }
            File.WriteAllBytes(PathOf($"case{written.Count}.x"), MemoryMarshal.AsBytes<float>([.. x]).ToArray());
            File.WriteAllText(PathOf($"case{written.Count}.shape"), string.Join(' ', x.Lengths.ToArray()));
            written.Add((c, [.. layer.Forward(x)]));
        }
        Assert.InRange(written.Count, 200, 2000);
        (int code, _, string error) = Processes.Run(new(python, ["-c", $"""
            import importlib, torch
            for i in range({written.Count}):
                x = torch.frombuffer(bytearray(open(f"case{"{i}"}.x", "rb").read()), dtype=torch.float32).reshape([int(n) for n in open(f"case{"{i}"}.shape").read().split()])
                with torch.no_grad():
                    y = importlib.import_module(f"case{"{i}"}").load()(x)
                open(f"case{"{i}"}.y", "wb").write(y.contiguous().numpy().tobytes())
            """]) { WorkingDirectory = folder });
        Assert.True(code == 0, error);
        for (int i = 0; i < written.Count; i++)
        {
            (LayerCase c, float[] y) = written[i];
            float[] theirs = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(PathOf($"case{i}.y"))).ToArray();
            Assert.Equal(y.Length, theirs.Length);
            float most = y.Select(Math.Abs).DefaultIfEmpty().Max();
            for (int j = 0; j < y.Length; j++)
                Assert.True(Math.Abs(y[j] - theirs[j]) <= 1e-5f * most || y[j].Equals(theirs[j]), $"{c}: [{j}] is {theirs[j]}, not {y[j]}");
        }
    }
}
