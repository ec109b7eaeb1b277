using MiniCnn.Cases;
using MiniCnn.Interop;
using TorchSharp;
using static MiniCnn.Tests.ParityNets;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using FloatTensor = System.Numerics.Tensors.Tensor<float>;
using ManagedTensor = System.Numerics.Tensors.Tensor;
using Module = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;
using Tensor = TorchSharp.torch.Tensor;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MiniCnn.Tests;

/// <summary>Parity.Compare names each mistake that is made here on purpose, reports none where there is none, and changes nothing.</summary>
public sealed class ParityTests
{
    static ParityTests() => set_num_threads(1);          // small nets

    public static TheoryData<string> Mistakes => [.. mistakes.Keys];

    static readonly Dictionary<string, (Func<Layer> Model, Func<Module> Module, string Where, string LooksLike)> mistakes = new()
    {
        ["padding"] = (
            () => new Sequential(new ReLU(), new Conv2d(3, 4, 3, padding: (0, 1))), () => nn.Sequential(nn.ReLU(), nn.Conv2d(3, 4, 3, padding: 1)),
            "layer 1, Conv2d(3→4, 3×3,", "padding is 1 in the module, (0, 1) in the model"),
        ["padding mode"] = (OurNet, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 1, padding_mode: PaddingModes.Reflect)),
            "layer 0,", "padding_mode is Reflect"),
        ["padding, in a module of one's own"] = (
            () => new Sequential(new Conv2d(3, 6, 3, padding: 1), new ReLU()),
            () => nn.Sequential(new Own(3, 6, (x, w, b) => F.conv2d(x, w, b)), nn.ReLU()),
            "layer 0,", "the module computes what Conv2d(3→6, 3×3) would"),
        ["dilation"] = (OurNet, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 2, dilation: 2)),
            "layer 0,", "dilation is 2 in the module, 1 in the model"),
        ["size of a kernel"] = (OurNet, () => new Net(conv1: nn.Conv2d(3, 6, 5, padding: 2)),
            "layer 0,", "kernel_size is 5 in the module, 3 in the model"),
        ["eps"] = (OurNet, () => new Net(bn1: nn.BatchNorm2d(6, eps: 1e-6)), "layer 1,", "eps is 1E-06 in the module, 1E-05 in the model"),
        ["eps, in a module of one's own"] = (
            OurNet,
            () => new Net(bn1: new Own(6, (x, w, b) => F.batch_norm(x, zeros(6, float64), ones(6, float64), w, b, training: true, eps: 1e-3))),
            "layer 1,", "the module computes what BatchNorm2d(6, epsilon 0.001) would"),
        ["momentum"] = (OurNet, () => new Net(bn1: nn.BatchNorm2d(6, momentum: 0.9)), "layer 1,", "momentum is 0.9 in the module, 0.1 in the model"),
        ["no bias"] = (OurNet, () => new Net(conv1: nn.Conv2d(3, 6, 3, padding: 1, bias: false)), "layer 0,", "the module was created without bias"),
        ["evaluation"] = (OurNet, () => Evaluated(new Net()), "layer 1,", "the module is in evaluation mode, the model in training mode"),
        ["a norm held in evaluation"] = (
            () => Held(OurNet()), () => new Net(bn1: Seen(nn.BatchNorm2d(6))), "layer 1,",
            "the module is in training mode, the layer is held in evaluation mode"),
        ["a norm in evaluation"] = (
            OurNet, () => new Net(bn1: Evaluated(Seen(nn.BatchNorm2d(6)))), "layer 1,", "call module.train() before, or set the layer's HoldInEvaluation"),
        ["a held norm's eps, in a module of one's own"] = (
            () => Held(OurNet()),
            () => new Net(bn1: new Own(6, (x, w, b) => F.batch_norm(x, zeros(6, float64), ones(6, float64), w, b, training: false, eps: 0.01))),
            "layer 1,", "the module computes what BatchNorm2d(6, epsilon 0.01) would"),
        ["H and W of the pictures"] = (OurNet, () => new Net { First = x => x.transpose(2, 3), Flat = x => x.transpose(2, 3).flatten(1) },
            "before layer 0,", "with H and W swapped"),
        ["H and W of a kernel"] = (OurNet, () => new Net(conv1: new Own(3, 6, (x, w, b) => F.conv2d(x, w.transpose(2, 3), b, padding: [1, 1]))),
            "layer 0,", "the module uses weight with its last two axes swapped"),
        ["flatten [H, W, C]"] = (OurNet, () => new Net { Flat = x => x.permute(0, 2, 3, 1).flatten(1) },
            "before layer 7,", "the module flattens [H, W, C], the model [C, H, W] = [4, 2, 4]"),
        ["0 to 255"] = (OurNet, () => new Net { First = x => x / 255 }, "before layer 0,", "0.00392157 × the model's, 1/255"),
        ["normalization"] = (OurNet, () => new Net { First = x => (x - 0.1307) / 0.3081 }, "before layer 0,", "(x − 0.1307) / 0.3081"),
        ["normalization of channels"] = (
            OurNet,
            () => new Net { First = x => (x - Channels(0.485, 0.456, 0.406)) / Channels(0.229, 0.224, 0.225) },
            "before layer 0,", "channel 1: the module's is (x − 0.456) / 0.224"),
        ["RGB and BGR"] = (OurNet, () => new Net { First = x => x.flip(1) }, "before layer 0,", "RGB and BGR"),
        ["no ReLU"] = (OurNet, () => new Net { Between = x => F.max_pool2d(x, 2) },
            "before layer 4,", "the module has nothing in the place of layer 2, ReLU"),
        ["one ReLU more"] = (
            () => new Sequential(new Conv2d(3, 6, 3, padding: 1), new BatchNorm2d(6)),
            () => nn.Sequential(("conv", nn.Conv2d(3, 6, 3, padding: 1)), ("act", nn.ReLU()), ("norm", nn.BatchNorm2d(6))),
            "before layer 1,", "the module has 'act', ReLU here"),
        ["another slope"] = (OurNet, () => new Net { Between = x => F.max_pool2d(F.leaky_relu(x, 0.2), 2) },
            "before layer 4,", "the module computes what LeakyReLU(0.2) would"),
        ["another pool"] = (OurNet, () => new Net { Between = x => F.avg_pool2d(F.relu(x), 2) },
            "before layer 4,", "the module computes what AvgPool2d(2×2, stride 2) would"),
        ["softmax before the loss"] = (OurNet, () => new Net { Last = x => F.softmax(x, 1) },
            "after the last layer", "the module also applies Softmax here"),
        ["another layer"] = (() => new Sequential(new Conv2d(3, 6, 3), new GELU()), () => nn.Sequential(nn.Conv2d(3, 6, 3), nn.SiLU()),
            "layer 1,", "the module has SiLU where the model has GELU"),
        ["no shortcut"] = (
            () => new Sequential(new Residual(new Conv2d(3, 3, 3, padding: 1)), new Conv2d(3, 2, 1)),
            () => nn.Sequential(nn.Conv2d(3, 3, 3, padding: 1), nn.Conv2d(3, 2, 1)),
            "before layer 1,", "the module does not add the shortcut of layer 0"),
        ["no gradient"] = (OurNet, () => new Net { Between = x => F.max_pool2d(F.relu(x.detach()), 2) },
            "layer 4,", "no gradient arrives in the module"),
        ["dropout's probability"] = (
            () => new Sequential(new Conv2d(3, 6, 3), new Dropout(0.5)), () => nn.Sequential(nn.Conv2d(3, 6, 3), nn.Dropout(0.25)),
            "layer 1,", "the probability is 0.25 in the module, 0.5 in the model"),
        ["a gradient of one's own"] = (
            () => new Sequential(new Conv2d(3, 6, 3), new WrongSwish()), () => nn.Sequential(nn.Conv2d(3, 6, 3), nn.SiLU()),
            "layer 1,", "-1 × the model's: the sign is reversed"),
        ["gelu by tanh"] = (
            () => Act(new GELU()),
            () => new Net { Between = x => F.max_pool2d(0.5 * x * (1 + (0.7978845608028654 * (x + 0.044715 * x.pow(3))).tanh()), 2) },
            "before layer 4,", "the module computes gelu with approximate: tanh, the model has layer 2, GELU"),
        ["hardswish"] = (() => Act(new SiLU()), () => new Net { Between = x => F.max_pool2d(F.hardswish(x), 2) },
            "before layer 4,", "the module computes hardswish"),
        ["ceil_mode"] = (
            () => new Sequential(new Conv2d(3, 6, 2), new MaxPool2d(2), new Conv2d(6, 4, 1)),
            () => nn.Sequential(nn.Conv2d(3, 6, 2), new Own(x => F.max_pool2d(x, 2, ceil_mode: true)), nn.Conv2d(6, 4, 1)),
            "layer 1,", "the module computes what MaxPool2d(2×2, stride 2, ceil mode) would"),
        ["ceil_mode left out"] = (
            () => new Sequential(new Conv2d(3, 6, 2), new AvgPool2d(2, ceilMode: true), new Conv2d(6, 4, 1)),
            () => nn.Sequential(nn.Conv2d(3, 6, 2), nn.AvgPool2d(2), nn.Conv2d(6, 4, 1)),
            "layer 1,", "ceil_mode is False in the module, True in the model"),
        ["an adaptive max for a mean"] = (
            () => new Sequential(new Conv2d(3, 6, 2), new AdaptiveMaxPool2d((2, 3)), new Conv2d(6, 4, 1)),
            () => nn.Sequential(nn.Conv2d(3, 6, 2), new Own(x => F.adaptive_avg_pool2d(x, [2, 3])), nn.Conv2d(6, 4, 1)),
            "layer 1,", "the module computes what AdaptiveAvgPool2d(2×3) would"),
        ["padded by other pixels"] = (
            () => new Sequential(new Pad2d(new(1, 2, 0, 1), PaddingMode.Reflect), new Conv2d(3, 4, 3)),
            () => nn.Sequential(nn.ReplicationPad2d((2, 1, 1, 0)), nn.Conv2d(3, 4, 3)),
            "layer 0,", "the module computes what Pad2d(top 1, left 2, bottom 0, right 1, Replicate) would"),
        ["momentum of features"] = (
            () => new Sequential(new Flatten(), new Linear(288, 6), new BatchNorm1d(6)),
            () => nn.Sequential(nn.Flatten(), nn.Linear(288, 6), nn.BatchNorm1d(6, momentum: 0.9)),
            "layer 2,", "momentum is 0.9 in the module, 0.1 in the model"),
        ["align_corners"] = (
            () => new Sequential(new Upsample(2, UpsampleMode.Bilinear), new Conv2d(3, 4, 1)),
            () => nn.Sequential(
                new Own(x => F.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Bilinear, align_corners: true)), nn.Conv2d(3, 4, 1)),
            "layer 0,", "the module computes interpolate, bilinear with align_corners: true"),
        ["branches in another order"] = (
            () => new Sequential(new Concat(new Conv2d(3, 2, 1), new Conv2d(3, 4, 1)), new Conv2d(6, 4, 3)), () => new Two((a, b) => cat([b, a], 1)),
            "before layer 1,", "the module joins the branches of layer 0, Concat(2 branches) in the order 1, 0"),
        ["the body times 0.1"] = (() => Summed(), () => new Two((a, b) => F.relu(0.1 * a + b), 4),
            "before layer 2,", "the module multiplies the body of layer 0"),
        ["the shortcut after the activation"] = (() => Summed(), () => new Two((a, b) => F.relu(a) + b, 4),
            "before layer 2,", "the module adds the shortcut of layer 0"),
        ["read as [N, H, W, C]"] = (OurNet, () => new Net { First = x => x.reshape(-1, 8, 12, 3).permute(0, 3, 1, 2) },
            "before layer 0,", "its numbers read as [N, H, W, C]"),
        ["one convolution more"] = (OurNet, () => new Net(conv2: nn.Sequential(("first", nn.Conv2d(6, 6, 1)), ("second", nn.Conv2d(6, 4, 3)))),
            "before layer 4,", "the module has 'conv2.first', Conv2d"),
        ["shared weights"] = (() => new Sequential(new Conv2d(3, 3, 1), new ReLU(), new Conv2d(3, 3, 1)), Shared,
            "layer 2,", "the module is called 2 times"),
        ["frozen in the model"] = (() => Frozen(OurNet()), () => new Net(), "layer 0,", "Trainable is false in the model"),
        ["frozen in the module"] = (OurNet, () => Frozen(new Net()), "layer 0,", "requires_grad is false in the module"),
        ["a NaN among the weights"] = (OurNet, () => Damaged(new Net()), "'bn1', BatchNorm2d", ""),
        ["an error in the backward pass"] = (
            () => new Sequential(new Conv2d(3, 3, 1), new Sigmoid()),
            () => nn.Sequential(nn.Conv2d(3, 3, 1), new Own(x => x.sigmoid().add_(1))),      // sigmoid's gradient needs its result
            "the module", ""),
        ["a size that does not fit"] = (OurNet, () => new Net(fc: nn.Linear(30, 5)), "the module", ""),
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_named(string mistake)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(1);
        (Func<Layer> model, Func<Module> module, string where, string looksLike) = mistakes[mistake];
        ParityReport report = Parity.Compare(model(), module(), Batch());
        Assert.False(report.Agrees);
        Assert.True(report.Differences.Any(IsNamed), report.ToString());
        bool severalDiffer = mistake is "H and W of the pictures" or "shared weights"
            or "frozen in the module" or "frozen in the model" or "a NaN among the weights"
            or "an error in the backward pass";
        if (!severalDiffer)
            Assert.True(report.Differences.Count == 1, report.ToString());

        bool IsNamed(ParityDifference d) =>
            d.Where.StartsWith(where, StringComparison.Ordinal) && d.LooksLike.Contains(looksLike, StringComparison.Ordinal);
    }

    public static TheoryData<string> Pairs => [.. pairs.Keys];

    static Sequential ByWinograd(Sequential model)
    {
        model.ConvolutionAlgorithm = ConvolutionAlgorithm.Winograd;
        return model;
    }

    static readonly Dictionary<string, (Func<Layer> Model, Func<Module> Module, Func<FloatTensor> Batch)> pairs = new()
    {
        ["a net of one's own"] = (OurNet, () => new Net(), () => Batch()),
        ["one image"] = (OurNet, () => new Net(), () => Batch(1)),
        ["a decoder"] = (
            () => new Sequential(
                new Flatten(), new Linear(288, 24), new BatchNorm1d(24), new ReLU(), new Unflatten(new(2, 3, 4)), new Pad2d(new(-1, 2, 1, 0)),
                new Pad2d(new(1, 2, 0, 1), PaddingMode.Reflect), new MaxPool2d(2, ceilMode: true), new AdaptiveMaxPool2d((2, 3))),
            () => nn.Sequential(
                nn.Flatten(), nn.Linear(288, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Unflatten(1, [2, 3, 4]), nn.ZeroPad2d((2, 0, -1, 1)),
                nn.ReflectionPad2d((2, 1, 1, 0)), nn.MaxPool2d(2, ceil_mode: true), nn.AdaptiveMaxPool2d([2, 3])),
            () => Batch()),
        ["17 images"] = (OurNet, () => new Net(), () => Batch(17)),
        ["17 images by Winograd"] = (() => ByWinograd(OurNet()), () => new Net(), () => Batch(17)),
        ["wide convolutions by Winograd"] = (
            () => ByWinograd(new Sequential(new Conv2d(3, 32, 3), new ReLU(), new Conv2d(32, 24, 3, padding: 1), new ReLU(), new Flatten(), new Linear(1440, 5))),
            () => nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 24, 3, padding: 1), nn.ReLU(), nn.Flatten(), nn.Linear(1440, 5)), () => Batch(17)),
        ["ReLU after the pool"] = (OurNet, () => new Net { Between = x => F.relu(F.max_pool2d(x, 2)) }, () => Batch()),
        ["modules in another order, with the same result"] = (
            () => new Sequential(new Conv2d(3, 4, 3), new ReLU(), new MaxPool2d(2)),
            () => nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.ReLU()), () => Batch()),
        ["in place"] = (
            () => new Sequential(new Conv2d(3, 4, 3), new ReLU(), new Conv2d(4, 2, 1)),
            () => nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace: true), nn.Conv2d(4, 2, 1)), () => Batch()),
        ["padding by name"] = (
            () => new Sequential(new Conv2d(3, 4, (3, 5), padding: Padding.Same((3, 5)))),
            () => nn.Sequential(nn.Conv2d(3, 4, (3, 5), padding: TorchSharp.Padding.Same)), () => Batch()),
        ["dropout"] = (() => new Sequential(new Conv2d(3, 4, 3), new ReLU(), new Dropout(0.3), new Flatten(), new Linear(240, 5)),
            () => nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(240, 5)), () => Batch()),
        ["a residual net of one's own"] = (
            () => new Sequential(
                new Residual(
                    new Sequential(new Conv2d(3, 6, 3, 2, 1), new BatchNorm2d(6), new ReLU(), new Conv2d(6, 6, 3, padding: 1), new BatchNorm2d(6)),
                    new Sequential(new Conv2d(3, 6, 1, 2), new BatchNorm2d(6))),
                new ReLU(), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(6, 4)),
            () => new BasicBlock(), () => Batch()),
        ["branches called in another order"] = (
            () => new Sequential(new Concat(new Conv2d(3, 2, 1), new Conv2d(3, 4, 1)), new Conv2d(6, 4, 3)),
            () => new Two((a, b) => cat([a, b], 1)) { SecondFirst = true }, () => Batch()),
        ["a layer of one's own"] = (
            () => new Sequential(new Conv2d(3, 4, 3), new Swish(), new MaxPool2d(2)),
            () => nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.MaxPool2d(2)), () => Batch()),
        ["a layer of one's own, a function there"] = (
            () => Act(new Swish()),
            () => new Net { Between = x => F.max_pool2d(F.silu(x), 2) }, () => Batch()),
        ["a bias before a norm, frozen weights"] = (() => Frozen(OurNet()), () => Frozen(new Net()), () => Batch()),
        ["a norm in evaluation"] = (() => Held(OurNet()), () => new Net(bn1: Evaluated(Seen(nn.BatchNorm2d(6)))), () => Batch()),
        ["a dropout in evaluation"] = (
            () => new Sequential(new Conv2d(3, 4, 3), new Dropout { HoldInEvaluation = true }, new Conv2d(4, 2, 1)),
            () => nn.Sequential(nn.Conv2d(3, 4, 3), Evaluated(nn.Dropout()), nn.Conv2d(4, 2, 1)), () => Batch(17)),
        ["many equal pixels"] = (
            () => new Sequential(
                new Conv2d(1, 6, 5, padding: 2), new MaxPool2d(2), new ReLU(),
                new Conv2d(6, 8, 3), new MaxPool2d(2), new Flatten(), new Linear(288, 10)),
            () => nn.Sequential(
                nn.Conv2d(1, 6, 5, padding: 2), nn.MaxPool2d(2), nn.ReLU(),
                nn.Conv2d(6, 8, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 10)),
            () => DrawnDigits.Draw(16, seed: 3).Batches(16).First().Images),
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_without_a_mistake_is_not_accused(string pair)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(2);
        (Func<Layer> model, Func<Module> module, Func<FloatTensor> batch) = pairs[pair];
        (Layer ours, Module theirs) = (model(), module());
        bool differsInPassing = pair == "modules in another order, with the same result";
        AssertAgree(Parity.Compare(ours, theirs, batch()), differsInPassing);
        theirs.eval();
        AssertAgree(Parity.Compare(ours, theirs, batch(), training: false), differsInPassing);
    }

    [Fact]
    public void What_the_bridge_makes_is_not_accused()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (LayerCase c in CaseTable.All.OfType<LayerCase>().Where((c, i) => i % 8 == 0 && c.Trains))
        {
            Layer layer = c.Make();
            Numbers inputs = c.Inputs();
            float[] x = inputs.Floats(c.Named("x", 0));
            FloatTensor batch = ManagedTensor.Create(x, LayerSession.Lengths(c.Batch, c.Shape));
            ParityReport report = Parity.Compare(layer, layer.ToTorchSharp(), batch);
            Assert.True(report.Agrees, $"{c}: {report}");
        }
        foreach (TrainingCase c in CaseTable.All.OfType<TrainingCase>())
        {
            Sequential net = c.Make();
            FloatTensor batch = ManagedTensor.Create(c.Inputs().Floats("0.x"), [c.Batch, c.Shape.Channels, c.Shape.Height, c.Shape.Width]);
            AssertAgree(Parity.Compare(net, net.ToTorchSharp(), batch));
        }
    }

    [Fact]
    public void Model_and_module_stay_as_they_were_and_their_optimizers_go_on()
    {
        using DisposeScope scope = NewDisposeScope();
        (Sequential model, Net module) = (OurNet(), new Net());
        Sgd optimizer = new(model.Parameters, 0.05f, 0.9f);
        using optim.Optimizer moduleOptimizer = optim.SGD(module.parameters(), 0.05, 0.9);
        CrossEntropyLoss loss = new();
        void Both()
        {
            foreach (Batch batch in Batches(1))
            {
                moduleOptimizer.zero_grad();
                F.cross_entropy(module.call(tensor(batch.Images.AsSpan().ToArray(), 6, 3, 8, 12)), tensor(batch.Labels, dtype: int64)).backward();
                moduleOptimizer.step();
                optimizer.ZeroGrad();
                loss.Forward(model.Forward(batch.Images, training: true), batch.Labels);
                model.Backward(loss.Backward());
                optimizer.Step();
            }
        }

        float[] State() =>
        [
            model.Session.Step,
            .. model.Stored.Where(t => t.Form[0] == 'F').SelectMany(t => t.Save().As<float>().ToArray()),
            .. model.Parameters.SelectMany(p => p.Gradient.AsSpan().ToArray()),
            .. module.state_dict().Values.SelectMany(t => t.to(float32).data<float>().ToArray()),
            .. module.parameters().SelectMany(p => p.grad!.data<float>().ToArray()),
        ];

        Both();
        float[] before = State();
        TorchParameter[] objects = [.. module.parameters()];
        Module other = nn.Sequential(nn.Conv2d(3, 2, 1));
        Tensor random = get_rng_state();
        Parity.Compare(model, module, Batch());
        Parity.Compare(model, module, Batch(), training: false);
        Parity.Train(model, module, Batches(2), OurSgd, TheirSgd);
        Assert.Throws<ArgumentException>(() => Parity.Train(model, other, Batches(1), OurSgd, TheirSgd));
        Assert.Throws<ArgumentException>(() => Parity.Train(model, module, Batches(1), p => new Sgd(p, -1), TheirSgd));
        Assert.Throws<InvalidDataException>(() => Parity.Train(
            model, module, Batches(2), p => new Sgd(p, 0.1f), TheirSgd, beforeStep: (_, step) => throw new InvalidDataException()));
        Assert.Equal(before, State());
        Assert.All(module.parameters().Zip(objects), pair => Assert.Same(pair.First, pair.Second));
        Assert.All(module.parameters(), p => Assert.Equal(float32, p.dtype));
        Assert.Equal(random.data<byte>().ToArray(), get_rng_state().data<byte>().ToArray());
        Both();
        Assert.NotEqual(before, State());
    }

    [Fact]
    public void What_cannot_be_compared_is_said_in_one_line()
    {
        using DisposeScope scope = NewDisposeScope();
        SaysInTraining(
            "layer 1, Dropout(0.5): its masks differ from those of the module's dropout",
            new Sequential(new Conv2d(3, 2, 1), new Dropout()), nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout()));
        SaysInTraining("1.weight [6] was not paired with a parameter of the module", OurNet(), nn.Sequential(nn.Conv2d(3, 6, 3, padding: 1)));
        SaysInTraining("the module fails in '1' on [6, 2, 8, 12]:", OurNet(), nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)));
        Says("there is no batch to train on", () => Parity.Train(OurNet(), new Net(), [], OurSgd, TheirSgd));
        Says(
            "the module, its loss or its optimizer fails: Found dtype Float but expected Double; they run in float64",
            () => Parity.Train(OurNet(), new Net(), Batches(1), OurSgd, TheirSgd, moduleLoss: (y, _) => F.mse_loss(y, zeros(6, 5))));
        Says("expected a non-empty batch of finite numbers, got [0, 3, 8, 12]", () => Parity.Compare(OurNet(), new Net(), Batch(0)));
        FloatTensor damaged = Batch();
        damaged.AsSpan()[77] = float.NaN;
        Says("expected a non-empty batch of finite numbers, got [6, 3, 8, 12] with NaN or infinity", () => Parity.Compare(OurNet(), new Net(), damaged));

        static void SaysInTraining(string start, Layer model, Module module) =>
            Says(start, () => Parity.Train(model, module, Batches(1), OurSgd, TheirSgd));

        static void Says(string start, Action action)
        {
            string message = Assert.Throws<ArgumentException>(action).Message;
            Assert.StartsWith(start, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Notes_say_what_was_not_seen()
    {
        using DisposeScope scope = NewDisposeScope();
        ParityReport unseen = Parity.Compare(new Sequential(new Conv2d(3, 2, 1), new Conv2d(2, 2, 1)), new ByForward(), Batch());
        Assert.Contains(unseen.Notes, note => note.StartsWith("the module's 'second', Conv2d, was not called", StringComparison.Ordinal));

        Sequential model = OurNet();
        Net module = new();
        Tensor linear = module.state_dict()["fc.weight"];
        linear.detach().t().contiguous().data<float>().ToArray().CopyTo(model.Parameters.Single(p => p.Name == "7.weight").Value.AsSpan());
        string swapped = "the model's own 7.weight is the module's fc.weight with its last two axes swapped";
        Assert.Contains(Parity.Compare(model, module, Batch()).Notes, note => note.StartsWith(swapped, StringComparison.Ordinal));

        ParityReport momentum = Parity.Compare(OurNet(), Evaluated(new Net(bn1: nn.BatchNorm2d(6, momentum: 0.3))), Batch(), training: false);
        string another = "momentum is 0.3 in the module, 0.1 in the model; this has no effect on this batch";
        Assert.Contains(momentum.Notes, note => note.EndsWith(another, StringComparison.Ordinal));
        Assert.True(momentum.Agrees);

        ParityReport kind = Parity.Compare(new Sequential(new Conv2d(3, 2, 1), new ReLU()), nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU6()), Batch());
        Assert.True(kind.Agrees);
        string relu6 = "the module has ReLU6 where the model has ReLU; this has no effect on this batch";
        Assert.Contains(kind.Notes, note => note.EndsWith(relu6, StringComparison.Ordinal));
    }

    static void AssertAgree(ParityReport report, bool differsInPassing = false)
    {
        Assert.True(report.Agrees, report.ToString());
        Assert.Equal(differsInPassing, report.Notes.Any(note => note.Contains("but not in the output of the model", StringComparison.Ordinal)));
        Assert.True(report.Layers[^1] is { Output.Share: <= 1, Gradient: null or { Share: <= 1 } }, report.ToString());
    }
}
