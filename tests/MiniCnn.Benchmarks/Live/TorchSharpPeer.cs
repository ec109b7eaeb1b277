using System.Diagnostics;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Benchmarks;

/// <summary>The TorchSharp that this was compiled with, in this process; the same works as peer.py's.</summary>
sealed class TorchSharpPeer : IPeer
{
    readonly Dictionary<(PeerWork, Layout), Work> prepared = [];
    DisposeScope scope = NewDisposeScope();
    string? latest;

    public TorchSharpPeer() => set_num_threads(Workers.Count);

    public string Name => "TorchSharp";

    public string Version => $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)} on libtorch {__version__}, {get_num_threads()} threads";

    public string Environment
    {
        get
        {
            // libtorch and the C library have read it by the time this runs.
            string[] missing =
            [
                .. Tuned.Environment.Where(v => System.Environment.GetEnvironmentVariable(v.Name) != v.Value).Select(v => $"{v.Name}={v.Value}"),
            ];
            return missing.Length == 0 ? Tuned.Text : $"not tuned: start this program with {string.Join(' ', missing)}";
        }
    }

    public TimeSpan ProcessorTime => default;

    public double Time(PeerWork work, Layout layout, Effort effort)
    {
        string name = work.Net ?? string.Join(',', work.Conv!);
        if (name != latest)
        {
            scope.Dispose();
            scope = NewDisposeScope();
            prepared.Clear();
            latest = name;
        }
        if (!prepared.TryGetValue((work, layout), out Work? run))
        {
            run = work.Conv is null ? Network(name, work.Batch!.Value, work.Work, layout) : Convolution(work.Conv, work.Work, layout);
            prepared.Add((work, layout), run);
        }
        return Measure.Time(run, effort);
    }

    public void Rest() => Measure.Rest();

    public ProcessStartInfo FirstStep() => Benchmarks.FirstStep.OfThisProgram("TorchSharp");

    public void Dispose() => scope.Dispose();

    /// <summary>What the process does that <see cref="FirstStep"/> starts.</summary>
    public static void TrainOneStep()
    {
        set_num_threads(Workers.Count);
        using DisposeScope all = NewDisposeScope();
        Network(Net.LeNet5.Name, 64, Net.TrainingStep, Layout.Nchw).Run();
    }

    static Work Convolution(int[] shape, string pass, Layout layout)
    {
        (int n, int ic, int h, int w, int oc, int k) = (shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]);
        long[] stride = [shape[6], shape[6]], padding = [shape[7], shape[7]], dilation = [shape[8], shape[8]];
        Tensor x = Random(layout, n, ic, h, w), weight = Random(layout, oc, ic / shape[9], k, k), bias = rand(oc);
        Tensor Y() => F.conv2d(x, weight, bias, stride, padding, dilation, shape[9]);
        void Forward()
        {
            using DisposeScope call = NewDisposeScope();
            using IDisposable none = no_grad();
            Y();
        }
        if (pass is ConvWork.Forward or ConvWork.FromForward)
            return new(Forward);

        Tensor[] wanted = pass switch { ConvWork.BackwardData => [x], ConvWork.BackwardWeights => [weight], _ => [x, weight, bias] };
        foreach (Tensor tensor in wanted)
            tensor.requires_grad_();
        Tensor y = Y(), dy = rand_like(y);
        return new(Backward, Before: pass == ConvWork.FromBackward ? Forward : null);

        void Backward()
        {
            using DisposeScope call = NewDisposeScope();
            autograd.grad([y], wanted, [dy], retain_graph: true);
        }
    }

    static Work Network(string name, int batch, string work, Layout layout)
    {
        Net net = Net.All.Single(n => n.Name == name);
        bool training = work == Net.TrainingStep;
        List<TorchParameter> parameters = [];
        Func<Tensor, Tensor>[] layers = Layers(name, training, layout, parameters);
        Tensor x = Random(layout, batch, net.Input.Channels, net.Input.Height, net.Input.Width);
        Tensor labels = randint(0, net.Classes, [batch], dtype: ScalarType.Int64);
        SGD optimizer = optim.SGD(parameters, 0.001);
        Tensor Logits() => layers.Aggregate(x, (tensor, layer) => layer(tensor));
        return new(training ? Step : Forward);

        void Step()
        {
            using DisposeScope call = NewDisposeScope();
            F.cross_entropy(Logits(), labels).backward();
            optimizer.step();
            optimizer.zero_grad();
        }

        void Forward()
        {
            using DisposeScope call = NewDisposeScope();
            using IDisposable inference = inference_mode();
            Logits();
        }
    }

    static Func<Tensor, Tensor>[] Layers(string net, bool training, Layout layout, List<TorchParameter> parameters)
    {
        return net switch
        {
            "LeNet-5" => [
                Conv(1, 6, 5, 2), ReLU, Pool, Conv(6, 16, 5, 0), ReLU, Pool,
                Flatten, Linear(400, 120), ReLU, Linear(120, 84), ReLU, Linear(84, 10)],
            "MNIST net" => [
                Conv(1, 32, 3, 0), ReLU, Conv(32, 64, 3, 0), ReLU, Pool, Dropout(0.25),
                Flatten, Linear(9216, 128), ReLU, Dropout(0.5), Linear(128, 10)],
            "ResNet-8" => [
                Conv(3, 16, 3, 1, bias: false), BatchNorm(16), ReLU, Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
                x => F.adaptive_avg_pool2d(x, [1, 1]), Flatten, Linear(64, 10)],
            _ => [
                Conv(3, 32, 3, 1), ReLU, Pool, Conv(32, 64, 3, 1), ReLU, Pool, Conv(64, 128, 3, 1), ReLU, Pool,
                Flatten, Linear(8192, 128), ReLU, Linear(128, 2)],
        };

        Tensor ReLU(Tensor x) => F.relu(x);
        Tensor Pool(Tensor x) => F.max_pool2d(x, 2);
        Tensor Flatten(Tensor x) => x.flatten(1);
        Func<Tensor, Tensor> Dropout(double probability) => x => F.dropout(x, probability, training);

        Func<Tensor, Tensor> Conv(int ic, int oc, int k, int padding, int stride = 1, bool bias = true)
        {
            TorchParameter w = Learnt(Random(layout, oc, ic, k, k), ic * k * k);
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
            Func<Tensor, Tensor>[] body =
                [Conv(ic, oc, 3, 1, stride, bias: false), BatchNorm(oc), ReLU, Conv(oc, oc, 3, 1, bias: false), BatchNorm(oc)];
            Func<Tensor, Tensor>[] shortcut = stride == 1 ? [] : [Conv(ic, oc, 1, 0, stride, bias: false), BatchNorm(oc)];
            return x => F.relu(Run(body, x) + Run(shortcut, x));
        }

        static Tensor Run(Func<Tensor, Tensor>[] layers, Tensor x) => layers.Aggregate(x, (tensor, layer) => layer(tensor));

        Func<Tensor, Tensor> Linear(int inputs, int outputs)
        {
            TorchParameter w = Learnt(rand(outputs, inputs), inputs), b = Learnt(rand(outputs), inputs);
            return x => F.linear(x, w, b);
        }

        TorchParameter Learnt(Tensor values, int inputs)
        {
            TorchParameter parameter = new((values * 2 - 1) / Math.Sqrt(inputs));
            parameters.Add(parameter);
            return parameter;
        }
    }

    /// <summary>Uniform in 0 … 1, of shape [n, c, h, w]; channels last in memory where that is asked for.</summary>
    static Tensor Random(Layout layout, int n, int c, int h, int w) =>
        layout == Layout.Nchw ? rand(n, c, h, w) : rand(n, h, w, c).permute(0, 3, 1, 2);
}
