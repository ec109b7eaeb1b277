using MiniCnn.Interop;
using TorchSharp;
using static MiniCnn.Tests.ParityNets;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using FloatTensor = System.Numerics.Tensors.Tensor<float>;
using MakeOurs = System.Func<System.Collections.Generic.IReadOnlyList<MiniCnn.Parameter>, MiniCnn.Optimizer>;
using MakeTheirs = System.Func<System.Collections.Generic.IEnumerable<TorchSharp.Modules.Parameter>, TorchSharp.torch.optim.Optimizer>;
using ManagedTensor = System.Numerics.Tensors.Tensor;

namespace MiniCnn.Tests;

/// <summary>Parity.Train names each slip that is made here on purpose with its step, and tells drift from a difference.</summary>
public sealed class ParityTrainingTests
{
    static ParityTrainingTests() => set_num_threads(1);  // small nets

    static readonly Dictionary<string, (MakeOurs Ours, MakeTheirs Theirs, string First, string LooksLike)> slips = new()
    {
        ["learning rate"] = (p => new Sgd(p, 0.05f, 0.9f), p => optim.SGD(p, 0.1, 0.9),
            "deviates at step 1 ", "the learning rate is 0.1 in the module, 0.05 in the model"),
        ["momentum"] = (p => new Sgd(p, 0.05f, 0.9f), p => optim.SGD(p, 0.05, 0.8),
            "deviates at step 2 ", "momentum is 0.8 in the module, 0.9 in the model"),
        ["weight decay"] = (p => new Sgd(p, 0.05f, 0.9f), p => optim.SGD(p, 0.05, 0.9, weight_decay: 1e-4),
            "deviates at step 1 ", "weight_decay is 0.0001 in the module, 0 in the model"),
        ["Nesterov"] = (p => new Sgd(p, 0.05f, 0.9f), p => optim.SGD(p, 0.05, 0.9, nesterov: true),
            "deviates at step 1 ", "nesterov is 1 in the module, 0 in the model"),
        ["decoupled"] = (p => new Adam(p, 0.01f, weightDecay: 0.1), p => optim.AdamW(p, 0.01, weight_decay: 0.1),
            "deviates at step 1 ", "the optimizer is AdamW in the module, Adam in the model"),
        ["frozen"] = (p => new Sgd(p.Skip(1), 0.05f), p => optim.SGD(p, 0.05), "0.weight deviates at step 1 ", ""),
    };

    public static TheoryData<string> Slips => [.. slips.Keys];

    [Theory]
    [MemberData(nameof(Slips))]
    public void Each_slip_in_training_is_named_with_its_step(string slip)
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(1);
        (MakeOurs ours, MakeTheirs theirs, string first, string looksLike) = slips[slip];
        TrainingParityReport report = Parity.Train(OurNet(), new Net(), Batches(3), ours, theirs);
        Assert.False(report.Drifts);
        Assert.Contains(first, report.Verdict, StringComparison.Ordinal);
        Assert.Contains(looksLike, report.LooksLike, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frozen_norm_is_bn_eval()
    {
        using DisposeScope scope = NewDisposeScope();
        manual_seed(3);
        Sequential model = OurNet();
        foreach (Layer layer in model.Layers.Take(2))
            layer.Freeze();
        Net module = new(bn1: Evaluated(Seen(nn.BatchNorm2d(6))));
        foreach (TorchSharp.Modules.Parameter p in module.parameters().Take(4))
            p.requires_grad = false;
        TrainingParityReport report = Parity.Train(model, module, Batches(5), OurSgd, TheirSgd);
        Assert.True(report.Drifts, report.ToString());
        model.Layers[1].HoldInEvaluation = false;
        Assert.Contains("1.running_mean", Parity.Train(model, module, Batches(1), OurSgd, TheirSgd).Steps[0].Parted);
    }

    [Fact]
    public void Another_loss_is_named()
    {
        using DisposeScope scope = NewDisposeScope();
        TrainingParityReport report = Parity.Train(
            OurNet(), new Net(), Batches(2), OurSgd, TheirSgd, moduleLoss: (y, labels) => F.cross_entropy(y, labels, reduction: nn.Reduction.Sum));
        Assert.Equal("Difference: the loss deviates at step 1 by more than rounding explains.", report.Verdict);
        Assert.StartsWith(
            "DiceLoss(smooth 1) needs a moduleLoss that computes the same loss from the module's output",
            Assert.Throws<ArgumentException>(() => Parity.Train(OurNet(), new Net(), Batches(1), OurSgd, TheirSgd, new DiceLoss())).Message, StringComparison.Ordinal);
        Assert.Equal("the module's loss is the sum over the batch, the model's the mean", report.LooksLike);
        Assert.Equal(["0.weight", "1.weight", "1.bias", "4.weight", "4.bias", "7.weight", "7.bias"], report.Steps[0].Parted);
    }

    [Fact]
    public void Another_net_is_seen_at_the_first_loss_and_another_momentum_of_a_norm_in_its_statistics()
    {
        using DisposeScope scope = NewDisposeScope();
        Net pooled = new() { Between = x => F.avg_pool2d(F.relu(x), 2) };
        TrainingParityReport net = Parity.Train(OurNet(), pooled, Batches(2), OurSgd, TheirSgd);
        Assert.Contains("the loss deviates at step 1 ", net.Verdict, StringComparison.Ordinal);
        Assert.Contains("Parity.Compare", net.LooksLike, StringComparison.Ordinal);
        TrainingParityReport norm = Parity.Train(OurNet(), new Net(bn1: nn.BatchNorm2d(6, momentum: 0.2)), Batches(2), OurSgd, TheirSgd);
        Assert.StartsWith("Difference: 1.running_", norm.Verdict, StringComparison.Ordinal);
        Assert.All(norm.Steps, step => Assert.All(step.Parted, name => Assert.StartsWith("1.running_", name, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Training_without_a_mistake_drifts(bool byAdam)
    {
        using DisposeScope scope = NewDisposeScope();
        TrainingParityReport report = Parity.Train(
            OurNet(), new Net(), Batches(8),
            p => byAdam ? new Adam(p, 0.01f, weightDecay: 0.1) : new Sgd(p, 0.05f, 0.9f, weightDecay: 5e-4f),
            p => byAdam ? optim.Adam(p, 0.01, weight_decay: 0.1) : optim.SGD(p, 0.05, 0.9, weight_decay: 5e-4));
        Assert.True(report.Drifts, report.ToString());
        Assert.Equal("", report.LooksLike);
        Assert.Equal(8, report.Steps.Count);
        Assert.All(report.Steps, step => Assert.True(step.Parameter.Absolute > 0 && step.ModelLoss > 0 && step.GradientNorm > 0));
    }

    [Fact]
    public void Gradients_may_be_clipped_and_rates_set_on_both_sides()
    {
        using DisposeScope scope = NewDisposeScope();
        Sequential model = OurNet();
        TrainingParityReport Train(bool inModule)
        {
            Net module = new();
            return Parity.Train(
                model, module, Batches(4), p => new Sgd(p, 0, 0.9f), p => optim.SGD(p, 0.05, 0.9),
                beforeStep: (optimizer, step) =>
                {
                    optimizer.LearningRate = 0.05f / (1 + step);
                    if (inModule)
                        GradientClipping.ClipNorm(model.Parameters, 0.5f);
                },
                moduleBeforeStep: (optimizer, step) =>
                {
                    optimizer.ParamGroups.Single().LearningRate = 0.05 / (1 + step);
                    nn.utils.clip_grad_norm_(module.parameters(), 0.5);
                });
        }
        TrainingParityReport both = Train(true), one = Train(false);
        Assert.True(both.Drifts, both.ToString());
        Assert.Contains("deviates at step 1 ", one.Verdict, StringComparison.Ordinal);
        Assert.StartsWith("the module's step is 0.", one.LooksLike, StringComparison.Ordinal);
    }

    [Fact]
    public void Targets_may_be_anything()
    {
        using DisposeScope scope = NewDisposeScope();
        MseLoss squares = new();
        FloatTensor targets = ManagedTensor.Create<float>([.. Enumerable.Range(0, 30).Select(i => i % 7 - 3f)], [6, 5]);
        TrainingParityReport report = Parity.Train(
            OurNet(), new Net(), Batches(3).Select(batch => (batch.Images, targets)), OurSgd, TheirSgd,
            (y, wanted) => (squares.Forward(y, wanted), squares.Backward()),
            (y, wanted) => F.mse_loss(y, tensor(wanted.AsSpan().ToArray(), 6, 5).to(y.dtype)));
        Assert.True(report.Drifts, report.ToString());
    }
}
