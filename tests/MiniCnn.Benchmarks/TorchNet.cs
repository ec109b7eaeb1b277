using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Benchmarks;

/// <summary>A <see cref="Net"/> written with TorchSharp's functions, which are slightly faster than its modules.</summary>
sealed class TorchNet(bool training, Layout layout)
{
    public List<TorchParameter> Parameters { get; } = [];

    public Func<Tensor, Tensor> Build(Net net) => net.Name switch
    {
        "LeNet-5" => Chain(
            Conv(1, 6, 5, padding: 2), ReLU, Pool, Conv(6, 16, 5), ReLU, Pool,
            Flatten, Linear(400, 120), ReLU, Linear(120, 84), ReLU, Linear(84, 10)),
        "MNIST net" => Chain(
            Conv(1, 32, 3), ReLU, Conv(32, 64, 3), ReLU, Pool, Dropout(0.25), Flatten, Linear(9216, 128), ReLU, Dropout(0.5), Linear(128, 10)),
        "cats and dogs net" => Chain(
            Conv(3, 32, 3, padding: 1), ReLU, Pool, Conv(32, 64, 3, padding: 1), ReLU, Pool, Conv(64, 128, 3, padding: 1), ReLU, Pool,
            Flatten, Linear(8192, 128), ReLU, Linear(128, 2)),
        "ResNet-8" => ResNet(blocks: 1),
        "ResNet-14" => ResNet(blocks: 2),
        _ => throw new ArgumentException($"{net.Name}: TorchNet does not have this network", nameof(net)),
    };

    Func<Tensor, Tensor> ResNet(int blocks) => Chain(
    [
        Conv(3, 16, 3, padding: 1, bias: false), BatchNorm(16), ReLU, .. Stage(16, 16, 1, blocks), .. Stage(16, 32, 2, blocks), .. Stage(32, 64, 2, blocks),
        x => F.adaptive_avg_pool2d(x, [1, 1]), Flatten, Linear(64, 10),
    ]);

    IEnumerable<Func<Tensor, Tensor>> Stage(int ic, int oc, int stride, int blocks) =>
        Enumerable.Range(0, blocks).Select(i => i == 0 ? Block(ic, oc, stride) : Block(oc, oc, 1));

    /// <summary>Runs layers in sequence. Intermediate tensors are disposed at once, as in TorchSharp's modules, to reuse cached memory.</summary>
    static Func<Tensor, Tensor> Chain(params Func<Tensor, Tensor>[] layers) => x =>
    {
        Tensor y = layers[0](x);
        foreach (Func<Tensor, Tensor> layer in layers.Skip(1))
        {
            using Tensor before = y;
            y = layer(before);
        }
        return y;
    };

    static Tensor ReLU(Tensor x) => F.relu(x);

    static Tensor Pool(Tensor x) => F.max_pool2d(x, 2);

    static Tensor Flatten(Tensor x) => x.flatten(1);

    Func<Tensor, Tensor> Dropout(double probability) => x => F.dropout(x, probability, training);

    Func<Tensor, Tensor> Conv(int ic, int oc, int k, int padding = 0, int stride = 1, bool bias = true)
    {
        TorchParameter w = Learnt(TorchWorks.Random(layout, oc, ic, k, k), ic * k * k);
        TorchParameter? b = bias ? Learnt(rand(oc), ic * k * k) : null;
        return x => F.conv2d(x, w, b, [stride, stride], [padding, padding]);
    }

    Func<Tensor, Tensor> BatchNorm(int channels)
    {
        TorchParameter w = Learnt(rand(channels), 1), b = Learnt(rand(channels), 1);
        Tensor mean = zeros(channels), variance = ones(channels);
        return x => F.batch_norm(x, mean, variance, w, b, training);
    }

    Func<Tensor, Tensor> Block(int ic, int oc, int stride)
    {
        Func<Tensor, Tensor> body = Chain(
            Conv(ic, oc, 3, padding: 1, stride, bias: false), BatchNorm(oc), ReLU, Conv(oc, oc, 3, padding: 1, bias: false), BatchNorm(oc));
        Func<Tensor, Tensor> shortcut = stride == 1 ? x => x : Chain(Conv(ic, oc, 1, 0, stride, bias: false), BatchNorm(oc));
        return x =>
        {
            using Tensor y = body(x), sum = y + shortcut(x);
            return F.relu(sum);
        };
    }

    Func<Tensor, Tensor> Linear(int inputs, int outputs)
    {
        TorchParameter w = Learnt(rand(outputs, inputs), inputs), b = Learnt(rand(outputs), inputs);
        return x => F.linear(x, w, b);
    }

    TorchParameter Learnt(Tensor values, int inputs)
    {
        TorchParameter parameter = new((values * 2 - 1) / Math.Sqrt(inputs));
        Parameters.Add(parameter);
        return parameter;
    }
}
