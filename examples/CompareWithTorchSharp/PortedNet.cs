using MiniCnn.Interop;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;

namespace MiniCnn.Examples;

/// <summary>A digit classifier, written for TorchSharp.</summary>
sealed class DigitNet : Module
{
    readonly Module conv1 = nn.Conv2d(1, 8, 5, padding: 2), bn1 = nn.BatchNorm2d(8), conv2 = nn.Conv2d(8, 16, 5), fc = nn.Linear(400, 10);

    public DigitNet() : base(nameof(DigitNet)) => RegisterComponents();

    public override Tensor forward(Tensor input)
    {
        Tensor x = F.max_pool2d(F.relu(bn1.call(conv1.call(input))), 2);
        x = F.max_pool2d(F.relu(conv2.call(x)), 2);
        return fc.call(x.flatten(1));
    }
}

/// <summary>The same network in MiniCnn, ported with or without a mistake. Parity.Compare finds the mistake.</summary>
static class PortedNet
{
    public static readonly IReadOnlyDictionary<string, Func<Sequential>> Ports = new Dictionary<string, Func<Sequential>>
    {
        ["none"] = () => Port(),
        ["eps"] = () => Port(norm: new BatchNorm2d(8, epsilon: 1e-3)),                  // the default of Keras
        ["momentum"] = () => Port(norm: new BatchNorm2d(8, momentum: 0.9)),             // Keras weights the old value, PyTorch the new one
        ["padding"] = () => Port(conv1: new Conv2d(1, 8, 5, padding: 2, paddingMode: PaddingMode.Replicate)),
        ["bias"] = () => Port(conv1: new Conv2d(1, 8, 5, padding: 2, bias: false)),
        ["activation"] = () => Port(activation: new LeakyReLU(0.01)),
        ["pool"] = () => Port(pool: new AvgPool2d(2)),
    };

    static Sequential Port(Conv2d? conv1 = null, BatchNorm2d? norm = null, Layer? activation = null, Layer? pool = null) => new(
        conv1 ?? new Conv2d(1, 8, 5, padding: 2), norm ?? new BatchNorm2d(8), activation ?? new ReLU(), new MaxPool2d(2),
        new Conv2d(8, 16, 5), new ReLU(), pool ?? new MaxPool2d(2),
        new Flatten(), new Linear(400, 10));

    /// <summary>Compares the networks. If they agree, trains both for ten steps. Returns the exit code: 0 if all agree, otherwise 1.</summary>
    public static int Show(string mistake)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(1);
        using DigitNet module = new();
        Sequential model = Ports[mistake]();
        LabeledImages digits = DrawnDigits.Draw(160, seed: 1);
        Console.WriteLine($"A net ported from TorchSharp, with this mistake: {mistake}");
        ParityReport report = Parity.Compare(model, module, digits.Batches(8).First().Images);
        Console.WriteLine(report);
        if (!report.Agrees)
            return 1;
        TrainingParityReport training = Parity.Train(
            model, module, digits.Batches(16, seed: 1), p => new Sgd(p, learningRate: 0.05f, momentum: 0.9f), p => optim.SGD(p, 0.05, momentum: 0.9));
        Console.WriteLine(training);
        return training.Drifts ? 0 : 1;
    }
}
