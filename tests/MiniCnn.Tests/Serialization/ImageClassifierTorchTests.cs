using System.ComponentModel;
using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Model files and PyTorch load each other's weights and running statistics and compute the same outputs.</summary>
public sealed class ImageClassifierTorchTests : FolderTests
{
    static readonly string tests = Path.Combine(Repository.Root, "tests");

    /// <summary>A file that PyTorch wrote, recorded by tests/scripts/check_weights.py --record.</summary>
    [Fact]
    public void A_file_that_PyTorch_wrote_is_a_model() => MakesTheSame(Path.Combine(tests, "recorded", "model"), "torch-");

    /// <summary>Uses the installed PyTorch, if there is one. A line at the end of `dotnet test` reports its version, or that there is none.</summary>
    [Fact]
    public void PyTorch_loads_what_is_saved_trains_it_and_it_is_loaded_again()
    {
        Sequential net = new(
            new Conv2d(3, 8, (3, 2), stride: (1, 2), padding: (1, 0), groups: 1, bias: false), new BatchNorm2d(8, 1e-3, 0.2), new LeakyReLU(0.2),
            new Residual(
                new Sequential(new Conv2d(8, 8, 3, padding: 2, dilation: 2, groups: 4, paddingMode: PaddingMode.Reflect), new BatchNorm2d(8), new SiLU()),
                new Conv2d(8, 8, 1)),
            new Concat(new Identity(), new Sequential(
                new MaxPool2d(2), new ConvTranspose2d(8, 4, (2, 3), stride: 2, padding: (0, 1), outputPadding: (0, 1), groups: 2), new GroupNorm(2, 4, 1e-4))),
            new AvgPool2d(3, stride: 2, padding: 1, countIncludePad: false), new Upsample((2, 1), UpsampleMode.Bilinear), new Tanh(), new Dropout(0.3),
            new AdaptiveAvgPool2d((2, 3)), new LayerNorm(new ImageShape(12, 2, 3)), new GELU(), new Flatten(), new Linear(72, 2));
        net.Initialize(9);
        Tensor<float> x = new Random(9).Tensor(17, 3, 8, 16);
        net.Forward(x, training: true);
        new ImageClassifier(net, new(3, 8, 16), [0, 0, 0], [1, 1, 1], ["cat", "dog"]).Save(PathOf("model.safetensors"));
        SafeTensors.Write(PathOf("run.safetensors"), new Dictionary<string, SafeTensors.Entry>
        {
            ["x"] = SafeTensors.Entry.From(x),
            ["y"] = SafeTensors.Entry.From(net.Forward(x)),
        });
        if (Torch() is not string torch)
        {
            Checked.Says("There is no python3 with torch here: no live PyTorch has loaded a model's file, only recorded ones were.");
            return;
        }
        ImageClassifier trained = MakesTheSame(folder, "torch-");
        Assert.Equal(4, ((BatchNorm2d)((Sequential)trained.Network).Layers[1]).BatchesTracked);

        Weights.Load(net, PathOf("torch-model.safetensors"));
        Assert.Equal(trained.Network.Forward(x).AsSpan().ToArray(), net.Forward(x).AsSpan().ToArray());
        Checked.Says($"A live {torch} loaded a model's file with strict=True, made the same of images, trained it, and MiniCnn that one's.");
    }

    static ImageClassifier MakesTheSame(string folder, string prefix)
    {
        ImageClassifier model = ImageClassifier.Load(Path.Combine(folder, $"{prefix}model.safetensors"));
        IReadOnlyDictionary<string, SafeTensors.Entry> run = SafeTensors.Read(Path.Combine(folder, $"{prefix}run.safetensors")).Tensors;
        Tensor<float> x = Tensor.Create(run["x"].As<float>().ToArray(), [.. run["x"].Shape.Select(length => (nint)length)]);
        float[] expected = run["y"].As<float>().ToArray(), y = model.Network.Forward(x).AsSpan().ToArray();
        float most = expected.Max(Math.Abs);
        Assert.Equal(["cat", "dog"], model.ClassNames);
        Assert.True(most > 0.1f && y.Length == expected.Length);
        for (int i = 0; i < y.Length; i++)
            Assert.Equal(expected[i], y[i], 1e-5 * most);              // another order of sums, as in the script
        return model;
    }

    /// <summary>Runs the script. Returns null if Python or torch is not installed.</summary>
    string? Torch()
    {
        string python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        if (Run(python, "-c", "import torch").Code != 0)
            return null;
        (int code, string output, string error) = Run(python, Path.Combine(tests, "scripts", "check_weights.py"), folder);
        Assert.True(code == 0, error);
        return output.Trim();
    }

    static (int Code, string Output, string Error) Run(string program, params string[] arguments)
    {
        try
        {
            return Processes.Run(new(program, arguments));
        }
        catch (Win32Exception)          // there is no such program
        {
            return (-1, "", "");
        }
    }
}
