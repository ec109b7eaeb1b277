using MiniCnn.Interop;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using ManagedTensor = System.Numerics.Tensors.Tensor;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;

namespace MiniCnn.Tests;

/// <summary>The parity kit names a mistake that was made on purpose, and accuses no net without one.</summary>
public sealed class ParityTests
{
    /// <summary>A net as people write it for PyTorch: modules for what learns, functions between.</summary>
    sealed class Net : Module
    {
        readonly Module conv1, bn1, conv2, fc;
        readonly Func<Tensor, Tensor> first, between, flat, last;

        public Net(
            Module? conv1 = null, Module? bn1 = null, Module? conv2 = null, Module? fc = null,
            Func<Tensor, Tensor>? first = null, Func<Tensor, Tensor>? between = null, Func<Tensor, Tensor>? flat = null, Func<Tensor, Tensor>? last = null) : base("Net")
        {
            this.conv1 = conv1 ?? nn.Conv2d(3, 6, 3, padding: 1);
            this.bn1 = bn1 ?? nn.BatchNorm2d(6);
            this.conv2 = conv2 ?? nn.Conv2d(6, 4, 3);
            this.fc = fc ?? nn.Linear(4 * 2 * 4, 5);
            this.first = first ?? (x => x);
            this.between = between ?? (x => F.max_pool2d(F.relu(x), 2));
            this.flat = flat ?? (x => x.flatten(1));
            this.last = last ?? (x => x);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => last(fc.call(flat(F.relu(conv2.call(between(bn1.call(conv1.call(first(input)))))))));
    }

    static Sequential Model() => new(
        new Conv2d(3, 6, 3, padding: 1), new BatchNorm2d(6), new ReLU(), new MaxPool2d(2), new Conv2d(6, 4, 3), new ReLU(), new Flatten(), new Linear(32, 5));

    static System.Numerics.Tensors.Tensor<float> Batch(int count = 6)
    {
        TorchGenerator random = new(7);
        return ManagedTensor.Create([.. Enumerable.Range(0, count * 3 * 8 * 12).Select(_ => random.NextUniform(-1, 1))], [count, 3, 8, 12]);
    }

    public static TheoryData<string> Mistakes => [.. mistakes.Keys];

    static readonly Dictionary<string, (Func<Layer> Model, Func<Module> Module, string Named)> mistakes = new()
    {
        ["none"] = (Model, () => new Net(), ""),
        ["padding"] = (Model, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 1, dilation: 1, padding_mode: PaddingModes.Reflect)), "?"),
        ["eps"] = (Model, () => new Net(bn1: nn.BatchNorm2d(6, eps: 1e-6)), "?"),
        ["momentum"] = (Model, () => new Net(bn1: nn.BatchNorm2d(6, momentum: 0.9)), "?"),
        ["bias"] = (Model, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 1, bias: false)), "?"),
        ["bn eval"] = (Model, () => { Net n = new(); n.named_modules().First(m => m.name == "bn1").module.eval(); return n; }, "?"),
        ["eval"] = (Model, () => { Net n = new(); n.eval(); return n; }, "?"),
        ["HW"] = (Model, () => new Net(first: x => x.transpose(2, 3), flat: x => x.transpose(2, 3).flatten(1)), "?"),
        ["flatten"] = (Model, () => new Net(flat: x => x.permute(0, 2, 3, 1).flatten(1)), "?"),
        ["scaled"] = (Model, () => new Net(first: x => x / 255), "?"),
        ["normalized"] = (Model, () => new Net(first: x => (x - 0.1307) / 0.3081), "?"),
        ["bgr"] = (Model, () => new Net(first: x => x.flip(1)), "?"),
        ["no relu"] = (Model, () => new Net(between: x => F.max_pool2d(x, 2)), "?"),
        ["avg"] = (Model, () => new Net(between: x => F.avg_pool2d(F.relu(x), 2)), "?"),
        ["leaky"] = (Model, () => new Net(between: x => F.max_pool2d(F.leaky_relu(x, 0.2), 2)), "?"),
        ["softmax"] = (Model, () => new Net(last: x => F.softmax(x, 1)), "?"),
        ["detach"] = (Model, () => new Net(between: x => F.max_pool2d(F.relu(x.detach()), 2)), "?"),
        ["kernel"] = (Model, () => new Net(conv1: nn.Conv2d(3, 6, 5, padding: 2)), "?"),
        ["stride"] = (Model, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 2, stride: 1, dilation: 2)), "?"),
        ["fails"] = (Model, () => new Net(fc: nn.Linear(30, 5)), "?"),
        ["swap pool"] = (Model, () => new Net(between: x => F.relu(F.max_pool2d(x, 2))), "?"),
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_named(string mistake)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(1);
        (Func<Layer> model, Func<Module> module, string named) = mistakes[mistake];
        ParityReport report = Parity.Compare(model(), module(), Batch());
        Assert.Fail(report.ToString());
    }
}
