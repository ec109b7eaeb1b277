using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using FloatTensor = System.Numerics.Tensors.Tensor<float>;
using ManagedTensor = System.Numerics.Tensors.Tensor;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Tests;

/// <summary>Models, and modules as people write them, for the tests of the parity kit.</summary>
static class ParityNets
{
    /// <summary>Calls a module by forward, which runs no hooks.</summary>
    public sealed class ByForward : Module
    {
        readonly Module first = nn.Conv2d(3, 2, 1), second = nn.Conv2d(2, 2, 1);

        public ByForward() : base("ByForward") => RegisterComponents();

        public override Tensor forward(Tensor input) => second.forward(first.call(input));
    }

    public static IEnumerable<Batch> Batches(int count) => Enumerable.Range(0, count).Select(step => new Batch(Batch(), [0, 1, 2, 3, 4, step % 5]));

    public static Sgd OurSgd(IReadOnlyList<Parameter> parameters) => new(parameters, 0.05f);

    public static optim.Optimizer TheirSgd(IEnumerable<TorchParameter> parameters) => optim.SGD(parameters, 0.05);

    public static Tensor Channels(params double[] numbers) => tensor(numbers).view(3, 1, 1);

    public static FloatTensor Batch(int count = 6)
    {
        TorchGenerator random = new(7);
        return ManagedTensor.Create([.. Enumerable.Range(0, count * 3 * 8 * 12).Select(_ => random.NextUniform(-1, 1))], [count, 3, 8, 12]);
    }

    public static Sequential OurNet() => Act(new ReLU());

    public static Layer Frozen(Layer model)
    {
        foreach (Parameter p in model.Parameters.Take(3))
            p.Trainable = false;
        return model;
    }

    public static Module Frozen(Module module)
    {
        foreach (TorchParameter p in module.parameters().Take(3))
            p.requires_grad = false;
        return module;
    }

    /// <summary>Its batch norm in evaluation.</summary>
    public static Layer Held(Sequential model)
    {
        model.Layers[1].HoldInEvaluation = true;
        return model;
    }

    /// <summary>A module after a batch, of which a norm has statistics.</summary>
    public static Module Seen(Module module)
    {
        module.call(randn(9, 6, 4, 5) * 3 + 1).Dispose();
        return module;
    }

    public static Module Evaluated(Module module)
    {
        module.eval();
        return module;
    }

    /// <summary>A net as it is usually written for PyTorch: modules with weights, and functions between them.</summary>
    public sealed class Net : Module
    {
        readonly Module conv1, bn1, conv2, fc;

        public Net(Module? conv1 = null, Module? bn1 = null, Module? conv2 = null, Module? fc = null) : base("Net")
        {
            (this.conv1, this.bn1) = (conv1 ?? nn.Conv2d(3, 6, 3, padding: 1), bn1 ?? nn.BatchNorm2d(6));
            (this.conv2, this.fc) = (conv2 ?? nn.Conv2d(6, 4, 3), fc ?? nn.Linear(32, 5));
            RegisterComponents();
        }

        public Func<Tensor, Tensor> First { get; init; } = x => x;

        public Func<Tensor, Tensor> Between { get; init; } = x => F.max_pool2d(F.relu(x), 2);

        public Func<Tensor, Tensor> Flat { get; init; } = x => x.flatten(1);

        public Func<Tensor, Tensor> Last { get; init; } = x => x;

        public override Tensor forward(Tensor input) => Last(fc.call(Flat(F.relu(conv2.call(Between(bn1.call(conv1.call(First(input)))))))));
    }

    /// <summary>PyTorch's BasicBlock, and a classifier on it.</summary>
    public sealed class BasicBlock : Module
    {
        readonly Module conv1 = nn.Conv2d(3, 6, 3, 2, 1), bn1 = nn.BatchNorm2d(6), conv2 = nn.Conv2d(6, 6, 3, padding: 1), bn2 = nn.BatchNorm2d(6);
        readonly Module downsample = nn.Sequential(nn.Conv2d(3, 6, 1, 2), nn.BatchNorm2d(6)), fc = nn.Linear(6, 4);

        public BasicBlock() : base("BasicBlock") => RegisterComponents();

        public override Tensor forward(Tensor input) =>
            fc.call(F.relu(bn2.call(conv2.call(F.relu(bn1.call(conv1.call(input))))) + downsample.call(input)).mean([2, 3]));
    }

    /// <summary>Joins two convolutions of one input, and applies a third.</summary>
    public sealed class Two : Module
    {
        readonly Module first, second, last;
        readonly Func<Tensor, Tensor, Tensor> join;

        public Two(Func<Tensor, Tensor, Tensor> join, int channels = 2) : base("Two")
        {
            (first, second, last, this.join) = (nn.Conv2d(3, channels, 1), nn.Conv2d(3, 4, 1), nn.Conv2d(channels == 4 ? 4 : 6, 4, 3), join);
            RegisterComponents();
        }

        public bool SecondFirst { get; init; }

        public override Tensor forward(Tensor input)
        {
            Tensor? b = SecondFirst ? second.call(input) : null;
            return last.call(join(first.call(input), b ?? second.call(input)));
        }
    }

    public static Sequential Summed() => new(new Residual(new Conv2d(3, 4, 1), new Conv2d(3, 4, 1)), new ReLU(), new Conv2d(4, 4, 3));

    public static Sequential Act(Layer layer) => new(
        new Conv2d(3, 6, 3, padding: 1), new BatchNorm2d(6), layer, new MaxPool2d(2),
        new Conv2d(6, 4, 3), new ReLU(), new Flatten(), new Linear(32, 5));

    public static Module Shared()
    {
        Module conv = nn.Conv2d(3, 3, 1);
        return nn.Sequential(conv, nn.ReLU(), conv);
    }

    public static Module Damaged(Module module)
    {
        using IDisposable grad = no_grad();
        module.state_dict()["bn1.weight"][2] = double.NaN;
        return module;
    }

    /// <summary>Computes a formula of its input, a weight and a bias; or a function of its input alone.</summary>
    public sealed class Own : Module
    {
        readonly TorchParameter? weight, bias;
        readonly Func<Tensor, Tensor, Tensor, Tensor> formula;

        public Own(Func<Tensor, Tensor> function) : base("Own") => formula = (x, _, _) => function(x);

        public Own(int from, int to, Func<Tensor, Tensor, Tensor, Tensor> formula) : base("Own")
        {
            (weight, bias, this.formula) = (new(randn(to, from, 3, 3)), new(randn(to)), formula);
            RegisterComponents();
        }

        public Own(int channels, Func<Tensor, Tensor, Tensor, Tensor> formula) : base("Own")
        {
            (weight, bias, this.formula) = (new(randn(channels)), new(randn(channels)), formula);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => formula(input, weight!, bias!);
    }

    public class Swish : CustomLayer
    {
        FloatTensor? x;

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override FloatTensor ForwardCore(FloatTensor x, bool training)
        {
            this.x = x;
            return Each(x, x, (value, _) => value * Sigmoid(value));
        }

        protected override FloatTensor BackwardCore(FloatTensor dy) =>
            Each(x!, dy, (value, gradient) => gradient * Sigmoid(value) * (1 + value * (1 - Sigmoid(value))));

        static double Sigmoid(double value) => 1 / (1 + Math.Exp(-value));

        static FloatTensor Each(FloatTensor a, FloatTensor b, Func<double, double, double> f) =>
            ManagedTensor.Create([.. a.AsSpan().ToArray().Zip(b.AsSpan().ToArray(), (x, y) => (float)f(x, y))], a.Lengths);
    }

    public sealed class WrongSwish : Swish
    {
        protected override FloatTensor BackwardCore(FloatTensor dy) => ManagedTensor.Negate<float>(base.BackwardCore(dy));
    }
}
