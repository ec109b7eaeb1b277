using System.Numerics.Tensors;
using MiniCnn.Cases;
using MiniCnn.Interop;
using TorchSharp;
using static TorchSharp.torch;
using ManagedTensor = System.Numerics.Tensors.Tensor;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;

namespace MiniCnn.Tests;

/// <summary>
/// A model goes to TorchSharp and comes back: names, numbers, training. TorchSharp computes in double here, for what LiveTests says of its float;
/// that a layer's module is the layer, LiveTests sees of every layer and option.
/// </summary>
public sealed class BridgeTests
{
    const double Epsilon = 1.0 / (1 << 24);

    static readonly string[] nets = ["resnet", "inception", "unet"];

    public static TheoryData<string> Nets => [.. nets];

    static Sequential Net(string name) => name switch
    {
        "resnet" => new(
            new Residual(
                new Sequential(
                    new Conv2d(3, 4, 3, stride: 2, padding: 1, bias: false), new BatchNorm2d(4), new ReLU(), new Conv2d(4, 4, 3, padding: 1, bias: false),
                    new BatchNorm2d(4)),
                new Sequential(new Conv2d(3, 4, 1, stride: 2, bias: false), new BatchNorm2d(4))),
            new ReLU(),
            new Residual(
                new Sequential(
                    new Conv2d(4, 4, (2, 3), padding: Padding.Same((2, 3)), bias: false), new BatchNorm2d(4), new ReLU(),
                    new Conv2d(4, 4, 3, padding: 1, bias: false), new BatchNorm2d(4))),
            new ReLU(), new AdaptiveAvgPool2d((1, 2)), new Flatten(), new Linear(8, 5)),
        "inception" => new(new Conv2d(3, 2, 1), CaseTable.Inception()),
        _ => new(new Conv2d(3, 2, 1), CaseTable.UNet()),
    };

    [Fact]
    public void Names_are_those_of_a_models_file()
    {
        using DisposeScope scope = NewDisposeScope();
        Sequential model = new([.. nets.Select(Net), .. CaseTable.All.OfType<LayerCase>().DistinctBy(c => c.Subject).Select(c => c.Make())]);
        Module module = model.ToTorchSharp();
        Dictionary<string, Tensor> state = module.state_dict();
        Assert.Equal(model.Stored.Select(stored => $"{stored}").Order(), state.Select(t => $"{t.Key} {Form(t.Value)}").Order());
        Assert.Equal(model.Parameters.Select(p => p.Name), module.named_parameters().Select(p => p.name));         // and in one order
        Assert.Contains("0.2.body.1.running_var", module.named_buffers().Select(b => b.name));
        Assert.Contains("0.0.shortcut.1.num_batches_tracked", state.Keys);
        Assert.Contains("2.1.2.1.3.1.4.bias", state.Keys);

        static string Form(Tensor t) => $"{(t.dtype == int64 ? "I64" : "F32")} [{string.Join(", ", t.shape)}]";
    }

    [Fact]
    public void Modules_are_those_that_PyTorchs_users_know()
    {
        Module module = Net("resnet").ToTorchSharp();
        Assert.Equal(
            ["Branches", "ReLU", "Branches", "ReLU", "AdaptiveAvgPool2d", "Flatten", "Linear"], module.children().Select(child => child.GetType().Name));
        Assert.IsType<TorchSharp.Modules.Sequential>(module);
        Assert.Contains(module.modules(), m => m is TorchSharp.Modules.Conv2d { padding_mode: PaddingModes.Zeros, stride: [2, 2], padding: [1, 1] });
        Assert.Contains(module.modules(), m => m is TorchSharp.Modules.BatchNorm2d { momentum: 0.1, eps: 1e-5 });
        module.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Ten_steps_there_then_ten_here_are_ten_here_then_ten_there(bool withBatchNorm, bool withFrozenBackbone)
    {
        using DisposeScope scope = NewDisposeScope();
        Sequential Model()
        {
            Sequential model = withBatchNorm ? Net("resnet") : new(
                new Conv2d(3, 4, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(4, 8, (2, 3)), new ReLU(), new Flatten(), new Linear(96, 5));
            model.Initialize(seed: 42);
            if (withFrozenBackbone)
            {
                model.Forward(Ours(Batch(0).Images), training: true);       // statistics of their own
                model.Layers[0].Freeze();
            }
            foreach (Parameter p in model.Parameters.Where(p => p.Name is "0.bias" or "0.body.3.weight" or "2.body.1.bias"))
                p.Trainable = false;
            return model;
        }

        (Sequential first, Sequential second, Sequential initial) = (Model(), Model(), Model());
        Module there = first.ToTorchSharp().to(float64);
        Train(there, from: 0);
        first.CopyFrom(there);
        Train(first, from: 10);
        Train(second, from: 0);
        there = second.ToTorchSharp().to(float64);
        Train(there, from: 10);
        second.CopyFrom(there);

        // As Ten_training_steps: √k·ε a step, k the longest sum, that of the first convolution's weight, 20 images of 8×12, or of 4×6 with its stride.
        double bound = 20 * Math.Sqrt(withBatchNorm ? 20 * 4 * 6 : 20 * 8 * 12) * Epsilon;
        foreach ((StoredTensor a, StoredTensor b, StoredTensor before) in first.Stored.Zip(second.Stored, initial.Stored))
        {
            bool isFrozen = withFrozenBackbone && a.Name.StartsWith("0.", StringComparison.Ordinal);
            if (a.Form.StartsWith("I64", StringComparison.Ordinal))
            {
                long passes = (isFrozen ? 0 : 20) + (withFrozenBackbone ? 1 : 0);
                Assert.Equal([passes], a.Save().As<long>());
                Assert.Equal([passes], b.Save().As<long>());
                continue;
            }
            float[] theirs = a.Save().As<float>().ToArray(), ours = b.Save().As<float>().ToArray(), start = before.Save().As<float>().ToArray();
            AssertSame(a.Name, theirs, ours, bound);
            bool learns = !isFrozen && first.Parameters.All(p => p.Name != a.Name || p.Trainable);
            Assert.Equal(!learns, start.SequenceEqual(theirs));
            Assert.Equal(!learns, start.SequenceEqual(ours));
        }
        Assert.Contains(first.Parameters, p => !p.Trainable);
    }

    const float Rate = 0.05f, Momentum = 0.9f, Decay = 5e-4f;

    static (Tensor Images, int[] Labels) Batch(int step) => (Images(100 + step, 20, new(3, 8, 12)), [.. Enumerable.Range(step, 20).Select(i => i * i % 5)]);

    static void Train(Sequential model, int from)
    {
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(model.Parameters, Rate, Momentum, weightDecay: Decay);
        for (int step = from; step < from + 10; step++)
        {
            (Tensor images, int[] labels) = Batch(step);
            loss.Forward(model.Forward(Ours(images), training: true), labels);
            model.Backward(loss.Backward());
            optimizer.Step();
            optimizer.ZeroGrad();
        }
    }

    static void Train(Module module, int from)
    {
        using optim.Optimizer optimizer = optim.SGD(module.parameters(), Rate, Momentum, weight_decay: Decay);
        for (int step = from; step < from + 10; step++)
        {
            (Tensor images, int[] labels) = Batch(step);
            optimizer.zero_grad();
            nn.functional.cross_entropy(module.call(images.to(float64)), tensor(labels, dtype: int64)).backward();
            optimizer.step();
        }
    }

    [Fact]
    public void Evaluation_runs_by_the_buffers()
    {
        using DisposeScope scope = NewDisposeScope();
        Sequential model = new(
            new BatchNorm2d(3), new Dropout(0.5), new Conv2d(3, 2, (3, 2), padding: new Padding(1, 0, 1, 1)), new BatchNorm2d(2, epsilon: 1e-3));
        Fill(model);
        model.Forward(Ours(Images(5, 17, new(3, 8, 12))), training: true);                    // buffers are no zeros and ones
        Module module = model.ToTorchSharp().to(float64);
        Assert.True(module.training);
        module.eval();
        Assert.All(module.modules(), m => Assert.False(m.training));
        Tensor x = Images(6, 5, new(3, 8, 12)).to(float64);
        AssertSame("y", module.call(x), model.Forward(Ours(x)), 2 * 4 * Math.Sqrt(3 * 3 * 2) * Epsilon);
        module.train();
        Assert.All(module.modules(), m => Assert.True(m.training));
        Assert.True((module.call(x) - module.call(x)).abs().max().item<double>() > 0);         // dropout
    }

    [Theory]
    [MemberData(nameof(Nets))]
    public void Double_and_back_changes_no_bit(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (Sequential model, Sequential back) = (Net(name), Net(name));
        model.Forward(Ours(Images(5, 17, new(3, 8, 12))), training: true);
        Fill(model);
        model.Parameters[0].Value.AsSpan()[0] = float.NaN;
        Module module = model.ToTorchSharp().to(float64);
        Assert.All(module.parameters(), p => Assert.Equal(float64, p.dtype));
        module.eval();
        Assert.Equal(float64, module.call(Images(6, 2, new(3, 8, 12)).to(float64)).dtype);
        back.CopyFrom(module);
        AssertEqualBits(model, back);
    }

    [Fact]
    public void Any_module_of_the_same_names_and_shapes_will_do()
    {
        using DisposeScope scope = NewDisposeScope();
        TorchLibrary.Load();
        using TorchSharp.Modules.Sequential module = nn.Sequential(nn.Conv2d(3, 4, (3, 2)), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 6 * 11, 5));
        TorchSharp.Modules.Linear last = (TorchSharp.Modules.Linear)module[3];
        last.weight = new TorchSharp.Modules.Parameter(Reals(4, 4 * 6 * 11, 5).t());
        Assert.False(last.weight.is_contiguous());
        module.call(Images(5, 17, new(3, 8, 12)));
        module.eval();

        Sequential model = new(new Conv2d(3, 4, (3, 2)), new BatchNorm2d(4), new Flatten(), new Linear(4 * 6 * 11, 5));
        model.CopyFrom(module);
        Tensor x = Images(6, 3, new(3, 8, 12));
        AssertSame("y", module.to(float64).call(x.to(float64)), model.Forward(Ours(x)), 2 * 4 * Math.Sqrt(4 * 6 * 11) * Epsilon);
        Assert.Equal(1, ((BatchNorm2d)model.Layers[1]).BatchesTracked);
    }

    [Fact]
    public void A_layer_of_a_model_goes_and_comes_by_itself()
    {
        using DisposeScope scope = NewDisposeScope();
        (Sequential model, Sequential other) = (Net("resnet"), Net("resnet"));
        model.Initialize(seed: 7);
        Module module = model.Layers[2].ToTorchSharp();
        Assert.Equal("body.0.weight", module.state_dict().Keys.First());
        other.Layers[2].CopyFrom(module);
        Assert.Equal(model.Parameters.Where(p => p.Name[0] == '2').SelectMany(Bits), other.Parameters.Where(p => p.Name[0] == '2').SelectMany(Bits));
        Assert.NotEqual(Bits(model.Parameters[0]), Bits(other.Parameters[0]));

        static float[] Bits(Parameter p) => p.Value.AsSpan().ToArray();
    }

    [Fact]
    public void What_is_held_in_evaluation_is_so_there_until_train()
    {
        using DisposeScope scope = NewDisposeScope();
        Sequential model = new(new Sequential(new BatchNorm2d(3), new ReLU()), new BatchNorm2d(3), new Dropout());
        model.Layers[0].HoldInEvaluation = model.Layers[2].HoldInEvaluation = true;
        Module module = model.ToTorchSharp();
        Assert.Equal(["0", "0.0", "0.1", "2"], module.named_modules().Where(m => !m.module.training).Select(m => m.name).Order());
        module.train();
        Assert.All(module.modules(), m => Assert.True(m.training));
    }

    [Fact]
    public void A_module_shares_nothing_with_its_model_and_outlives_the_scope_that_it_was_made_in()
    {
        (Sequential model, Sequential copy) = (Net("resnet"), Net("resnet"));
        Module module;
        using (NewDisposeScope())
            module = model.ToTorchSharp();
        copy.CopyFrom(model.ToTorchSharp());
        Fill(model);
        Sequential back = Net("resnet");
        back.CopyFrom(module);
        AssertEqualBits(copy, back);
        module.call(Images(5, 2, new(3, 8, 12)));
        AssertEqualBits(copy, back);
        module.Dispose();
    }

    [Fact]
    public void Another_module_is_refused_and_changes_nothing()
    {
        using DisposeScope scope = NewDisposeScope();
        static Sequential Model() => new(new Linear(3, 2), new Sequential(new BatchNorm2d(4)), new Linear(2, 5));
        (Sequential model, Sequential before) = (Model(), Model());
        TorchLibrary.Load();
        Module Norm(bool buffers = true) => nn.Sequential(nn.BatchNorm2d(4, track_running_stats: buffers));
        const string wayOut = "; pass a module with the same layers, such as that of ToTorchSharp (Parameter 'module')";
        Refuse("the module has no '2.bias', which is [5] in the model", nn.Sequential(nn.Linear(3, 2), Norm(), nn.Linear(2, 5, false)));
        Refuse("the module has '3.bias', which the model does not have", nn.Sequential(nn.Linear(3, 2), Norm(), nn.Linear(2, 5), nn.Linear(5, 1)));
        Refuse("'2.weight' is [4, 2] in the module but [5, 2] in the model", nn.Sequential(nn.Linear(3, 2), Norm(), nn.Linear(2, 4)));
        Refuse("the module has no '1.0.running_mean', which is [4] in the model", nn.Sequential(nn.Linear(3, 2), Norm(false), nn.Linear(2, 5)));
        Assert.Equal(
            $"layer 2, Linear(2→5): the module has no 'bias', which is [5] in the model{wayOut}",
            Assert.Throws<ArgumentException>(() => model.Layers[2].CopyFrom(nn.Linear(2, 5, false))).Message);

        void Refuse(string fault, nn.Module module)
        {
            Assert.Equal($"Sequential(3 layers): {fault}{wayOut}", Assert.Throws<ArgumentException>(() => model.CopyFrom(module)).Message);
            AssertEqualBits(before, model);
        }
    }

    [Fact]
    public void A_users_own_layer_is_named()
    {
        Sequential model = new(new ReLU(), new Residual(new Sequential(new Identity(), new Doubled())));
        Assert.Equal(
            "layer 1.body.1, Doubled: a custom layer has no TorchSharp module; write the network as an nn.Module with the same names, "
            + "and copy its weights with CopyFrom",
            Assert.Throws<InvalidOperationException>(model.ToTorchSharp).Message);

        using DisposeScope scope = NewDisposeScope();                                          // and that way out is one
        Doubled mine = new();
        mine.CopyFrom(nn.Linear(1, 1, hasBias: false));
        Assert.NotEqual(0, mine.Parameters[0].Value.AsSpan()[0]);
    }

    sealed class Doubled : CustomLayer
    {
        public Doubled() => AddParameter("weight", 1, 1);

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => ManagedTensor.Multiply<float>(x, 2);

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => ManagedTensor.Multiply<float>(dy, 2);
    }

    static void Fill(Layer model)
    {
        Random random = new(3);
        foreach (Parameter p in model.Parameters)
            foreach (ref float value in p.Value.AsSpan())
                value = random.NextSingle() * 2 - 1;
    }

    static Tensor Images(int seed, int batch, ImageShape shape) =>
        Reals(seed, shape.IsFlat ? [batch, shape.Channels] : [batch, shape.Channels, shape.Height, shape.Width]);

    static Tensor Reals(int seed, params long[] shape)
    {
        Random random = new(seed);
        return tensor(Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextSingle() * 2 - 1).ToArray(), shape);
    }

    static Tensor<float> Ours(Tensor t) => ManagedTensor.Create(Numbers(t), [.. t.shape.Select(n => (nint)n)]);

    static float[] Numbers(Tensor t) => t.detach().to(float32).contiguous().data<float>().ToArray();

    static void AssertSame(string what, Tensor theirs, Tensor<float> ours, double bound)
    {
        Assert.Equal(theirs.shape, ours.Lengths.ToArray().Select(n => (long)n));
        AssertSame(what, Numbers(theirs), ours.AsSpan().ToArray(), bound);
    }

    /// <summary>The bound is relative to the largest number.</summary>
    static void AssertSame(string what, float[] theirs, float[] ours, double bound)
    {
        double largest = theirs.Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (int i = 0; i < theirs.Length; i++)
            Assert.True(Math.Abs(theirs[i] - ours[i]) <= bound * largest, $"{what}[{i}] = {ours[i]}, not {theirs[i]} ± {bound * largest}");
    }

    static void AssertEqualBits(Layer expected, Layer model)
    {
        foreach ((StoredTensor a, StoredTensor b) in expected.Stored.Zip(model.Stored))
            Assert.True(a.Save().Data.Span.SequenceEqual(b.Save().Data.Span), a.Name);
    }
}
