using MiniCnn.Interop;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace MiniCnn.Benchmarks;

/// <summary>The works of <see cref="ConvWork"/> and <see cref="Net"/> with TorchSharp, in both layouts.</summary>
sealed class TorchWorks : IDisposable
{
    readonly Dictionary<(string Pass, Layout), Work> prepared = [];
    DisposeScope scope = NewDisposeScope();
    string? latest;

    public static string Version =>
        $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)} on libtorch {__version__}, {get_num_threads()} threads";

    /// <summary>Loads TorchSharp. Must be called first.</summary>
    public static void Load()
    {
        TorchLibrary.Load();
        set_num_threads(Workers.Count);
    }

    /// <summary>Returns the work of a figure and creates it at the first call. Works of one shape or network are kept until another is requested.</summary>
    public Work Of(string name, string pass, Layout layout)
    {
        if (name != latest)
        {
            scope.Dispose();
            scope = NewDisposeScope();
            prepared.Clear();
            latest = name;
        }
        if (!prepared.TryGetValue((pass, layout), out Work? work))
        {
            Net? net = Net.All.SingleOrDefault(n => n.Name == name);
            work = net is null ? Convolution(ConvClass.All.SelectMany(c => c.Shapes).Single(s => s.Name == name), pass, layout) : Network(net, pass, layout);
            prepared.Add((pass, layout), work);
        }
        return work;
    }

    /// <summary>Runs in the process that <see cref="Peer.FirstStep"/> starts.</summary>
    public static void TrainOneStep(Net net)
    {
        Load();
        using TorchWorks works = new();
        works.Of(net.Name, Net.TrainingStep, Layout.Nchw).Run();
    }

    public void Dispose() => scope.Dispose();

    static Work Convolution(ConvShape s, string pass, Layout layout)
    {
        Tensor x = Random(layout, s.Batch, s.InputChannels, s.Height, s.Width);
        Tensor weight = Random(layout, s.OutputChannels, s.InputChannels / s.Groups, s.Kernel, s.Kernel), bias = rand(s.OutputChannels);
        long[] stride = [s.Stride, s.Stride], padding = [s.Padding, s.Padding], dilation = [s.Dilation, s.Dilation];
        Tensor Y() => F.conv2d(x, weight, bias, stride, padding, dilation, s.Groups);
        void Forward()
        {
            using DisposeScope call = NewDisposeScope();
            using IDisposable inference = inference_mode();
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

    static Work Network(Net net, string pass, Layout layout)
    {
        int batch = net.Images(pass);
        bool training = pass == Net.TrainingStep;
        TorchNet model = new(training, layout);
        Func<Tensor, Tensor> logits = model.Build(net);
        Tensor x = Random(layout, batch, net.Input.Channels, net.Input.Height, net.Input.Width);
        if (!training)
            return new(Forward);
        Tensor labels = randint(0, net.Classes, [batch], dtype: ScalarType.Int64);
        SGD optimizer = optim.SGD(model.Parameters, 0.001);
        return new(Step);

        void Step()
        {
            using DisposeScope call = NewDisposeScope();
            F.cross_entropy(logits(x), labels).backward();
            optimizer.step();
            optimizer.zero_grad();
        }

        void Forward()
        {
            using DisposeScope call = NewDisposeScope();
            using IDisposable inference = inference_mode();
            logits(x);
        }
    }

    /// <summary>Returns uniform numbers in [0, 1) with shape [N, C, H, W]. In channels-last layout, they are stored as [N, H, W, C].</summary>
    public static Tensor Random(Layout layout, int n, int c, int h, int w) =>
        layout == Layout.Nchw ? rand(n, c, h, w) : rand(n, h, w, c).permute(0, 3, 1, 2);
}
