using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>A network with a replaced layer gives the same bits as a network built with the new layer, whatever ran before.</summary>
public sealed class ReplaceTests
{
    static Sequential Net(params ReadOnlySpan<Layer> tail)
    {
        Sequential net = new([new Conv2d(2, 6, 3, padding: 1), new BatchNorm2d(6), new ReLU(), new Conv2d(6, 6, 3, padding: 1), .. tail]);
        net.Initialize(1);
        return net;
    }

    static Tensor<float> Images(int seed) => new Random(seed).Tensor(19, 2, 6, 8);

    [Theory]
    [InlineData(4, false)]      // a fused step comes to be
    [InlineData(4, true)]       // … or goes
    [InlineData(3, false)]
    [InlineData(0, true)]
    public void It_trains_as_if_built_so(int index, bool fused)
    {
        Sequential built = Of(fused), changed = index == 4 ? Of(!fused) : Of(fused);
        changed.Forward(Images(1), training: true);                                // buffers of what it was
        changed.Replace(index, index == 4 ? fused ? new ReLU() : new Tanh() : new Conv2d(index == 0 ? 2 : 6, 6, 3, padding: 1));
        foreach ((Parameter from, Parameter to) in built.Layers[index].Parameters.Zip(changed.Layers[index].Parameters))
            from.Value.CopyTo(to.Value);
        Assert.Equal(built.Parameters.Select(p => $"{p}"), changed.Parameters.Select(p => $"{p}"));
        built.Forward(Images(1), training: true);                                  // its batch norm has seen the same
        Assert.Equal(built.Forward(Images(2), training: true).AsSpan().ToArray(), changed.Forward(Images(2), training: true).AsSpan().ToArray());
        Tensor<float> dy = new Random(3).Tensor(19, 3);
        Assert.Equal(built.BackwardToInput(dy).AsSpan().ToArray(), changed.BackwardToInput(dy).AsSpan().ToArray());
        foreach ((Parameter expected, Parameter parameter) in built.Parameters.Zip(changed.Parameters))
            Assert.Equal(expected.Gradient.AsSpan().ToArray(), parameter.Gradient.AsSpan().ToArray());
        Assert.Equal(built.Forward(Images(2)).AsSpan().ToArray(), changed.Forward(Images(2)).AsSpan().ToArray());

        static Sequential Of(bool fused) => Net(fused ? new ReLU() : new Tanh(), new MaxPool2d(2), new Flatten(), new Linear(72, 3));
    }

    [Fact]
    public void The_new_layer_has_the_old_ones_place_and_the_old_one_none()
    {
        Sequential old = new(new Linear(72, 3), new Tanh()), net = Net(new Flatten(), old), other = new(new Linear(5, 4), new Residual(new Linear(4, 4)));
        Assert.Equal("5.0.weight", old.Parameters[0].Name);
        net.Replace(^1, other);
        Assert.Same(other, net.Layers[5]);
        Assert.Equal(["5.0.weight", "5.0.bias", "5.1.body.weight", "5.1.body.bias"], net.Parameters.TakeLast(4).Select(p => p.Name));
        Assert.Equal(["0.weight", "0.bias"], old.Parameters.Select(p => p.Name));
        Assert.Equal("layer 5.1, Residual(Linear(4→4))", other.Layers[1].Description);
        Assert.Equal("1.0.weight", new Sequential(new Flatten(), old).Parameters[0].Name);
    }

    [Fact]
    public void What_was_kept_for_a_backward_pass_is_gone()
    {
        Sequential net = Net(new Flatten(), new Linear(288, 3));
        net.Forward(Images(1), training: true);
        net.Replace(^1, new Linear(288, 2));
        Refused<InvalidOperationException>("needs a Forward", () => net.Backward(Tensor.Create(new float[38], [19, 2])));
    }

    [Fact]
    public void A_wrong_replacement_is_refused_and_changes_nothing()
    {
        Sequential net = Net(new Flatten(), new Linear(288, 3)), outer = new(new Sequential(new ReLU()));
        Tensor<float> before = net.Forward(Images(1));
        Refused<ArgumentException>("layer 0, Conv2d(2→6, 3×3, padding 1): is already part of a model", () => net.Replace(3, net.Layers[0]));
        Assert.Throws<ArgumentException>(() => net.Replace(3, null!));
        Assert.Throws<ArgumentException>(() => net.Replace(3, net));
        Assert.Throws<ArgumentOutOfRangeException>(() => net.Replace(6, new ReLU()));
        Assert.Throws<ArgumentOutOfRangeException>(() => net.Replace(^7, new ReLU()));
        Refused<InvalidOperationException>("is part of another network", () => ((Sequential)outer.Layers[0]).Replace(0, new Tanh()));
        Assert.Equal(before.AsSpan().ToArray(), net.Forward(Images(1)).AsSpan().ToArray());
    }

    /// <summary>A frozen batch norm keeps its weights, but still updates its running statistics, as in PyTorch.</summary>
    [Fact]
    public void Frozen_layers_keep_their_weights_and_a_models_file_keeps_up()
    {
        Sequential net = Net(new Flatten(), new Linear(288, 3));
        foreach (Parameter parameter in net.Parameters)
            parameter.Trainable = false;
        net.Replace(^1, new Linear(288, 2));
        Assert.Equal(2, net.Parameters.Count(parameter => parameter.Trainable));
        float[][] before = [.. net.Parameters.Select(parameter => parameter.Value.AsSpan().ToArray())];
        float[] mean = ((BatchNorm2d)net.Layers[1]).RunningMean.AsSpan().ToArray();
        Sgd optimizer = new(net.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 0.1f);
        net.Forward(Images(1), training: true);
        net.Backward(new Random(3).Tensor(19, 2));
        optimizer.Step();
        for (int i = 0; i < before.Length; i++)
            Assert.Equal(net.Parameters[i].Trainable, !before[i].SequenceEqual(net.Parameters[i].Value.AsSpan().ToArray()));
        Assert.NotEqual(mean, ((BatchNorm2d)net.Layers[1]).RunningMean.AsSpan().ToArray());
    }

    [Fact]
    public void A_model_whose_head_was_replaced_by_one_that_does_not_fit_is_not_saved()
    {
        Sequential net = new(new Flatten(), new Linear(12, 3));
        ImageClassifier model = new(net, new(1, 3, 4), [0], [1], ["a", "b", "c"]);
        Predictor predictor = model.CreatePredictor();
        net.Replace(^1, new Linear(12, 2));
        string path = Path.GetTempFileName();
        Refused<ArgumentException>("3 classes need 3 features", () => model.Save(path));
        Refused<ArgumentException>("3 classes need 3 features", () => predictor.Predict(Tensor.Create(new float[12], [1, 1, 3, 4])));
        File.Delete(path);
    }

    static void Refused<E>(string fault, Action action) where E : Exception =>
        Assert.Contains(fault, Assert.Throws<E>(action).Message, StringComparison.Ordinal);
}
