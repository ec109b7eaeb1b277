using System.Numerics.Tensors;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>A model without Initialize has the weights of Initialize(0), however it was built. Weights that were set are kept.</summary>
public sealed class FirstWeightsTests
{
    static Sequential Body() => new(new Conv2d(2, 2, 3, padding: 1, bias: false), new BatchNorm2d(2), new ReLU(), new Conv2d(2, 2, 3, padding: 1));

    static Sequential Nested(Action<Layer> touch)
    {
        Conv2d first = Touched(new Conv2d(1, 2, (3, 2))), twin = Touched(new Conv2d(2, 2, 3, padding: 1, bias: false)), shortcut = Touched(new Conv2d(2, 2, 1));
        Sequential body = Touched(new Sequential(Touched(Body()), twin));
        Residual residual = Touched(new Residual(body, shortcut));
        Concat branches = Touched(new Concat(Touched(Body()), new Identity(), Touched(new ConvTranspose2d(2, 2, 3, padding: 1))));
        return Touched(new Sequential(Touched(new Sequential(first, residual)), branches, new Flatten(), Touched(new Linear(6 * 9, 3)), Touched(new Linear(3, 3))));

        L Touched<L>(L layer) where L : Layer
        {
            touch(layer);
            return layer;
        }
    }

    public static TheoryData<string> Touches => ["not at all", "read", "printed", "run", "checked", "saved"];

    [Theory]
    [MemberData(nameof(Touches))]
    public void Looking_at_parts_before_changes_nothing(string how)
    {
        string path = Path.GetTempFileName();
        Layer expected = Nested(_ => { }), model = Nested(layer =>
        {
            ImageShape shape = layer is Linear linear ? ImageShape.Features((int)linear.Weight.Gradient.Lengths[1])
                : new(layer.Parameters[0].Gradient.Lengths is [_, nint channels, ..] ? (int)channels : 2, 5, 4);
            if (how == "read")
                Assert.Contains(layer.Parameters[^1].Value.AsSpan().ToArray(), value => value != 0);
            else if (how == "printed")
                Assert.NotEmpty($"{layer.Parameters[0]}{layer.Summary(shape)}");
            else if (how == "run")
                layer.Forward(Tensor.CreateFromShape<float>(LayerSession.Lengths(1, shape)), differentiable: true);
            else if (how == "checked" && layer is not Container)
                GradientCheck.Verify(layer, shape.IsFlat ? [1, shape.Channels] : [1, shape.Channels, 5, 4]);
            else if (how == "saved")
                Weights.Save(layer, path);
        });
        expected.Initialize(0);
        Assert.Equal(expected.Values, model.Values);
        File.Delete(path);
    }

    [Fact]
    public void Nets_of_all_kinds_do_and_equal_layers_part()
    {
        foreach (Case c in CaseTable.All)
        {
            if (c is not (LayerCase or TrainingCase))
                continue;
            Func<Layer> make = c is LayerCase layer ? layer.Make : ((TrainingCase)c).Make;
            (Layer expected, Layer model) = (make(), make());
            expected.Initialize(0);
            foreach (Parameter p in model.Parameters.Reverse())
                Assert.NotNull(p.Value);                             // whichever is read first
            Assert.True(expected.Values.SequenceEqual(model.Values), $"{c}");
        }
        Sequential equal = new(new Linear(3, 3), new Linear(3, 3));
        Assert.NotEqual(equal.Parameters[0].Value.AsSpan().ToArray(), equal.Parameters[2].Value.AsSpan().ToArray());
    }

    public static TheoryData<string> Gifts => ["written", "written later", "loaded", "constant", "initialised", "trained", "read, then loaded", "loaded as drawn"];

    /// <summary>A layer keeps weights that were set. The other layers have the weights of Initialize(0).</summary>
    [Theory]
    [MemberData(nameof(Gifts))]
    public void What_was_given_stays(string how)
    {
        Linear given = new(4, 4);
        Tensor<float>? weight = null;
        string path = Path.GetTempFileName();
        switch (how)
        {
            case "written":
                given.Weight.Value.AsSpan().Fill(2);
                given.Bias!.Value[1] = 3;
                break;
            case "written later":
                (weight, Tensor<float> bias) = (given.Weight.Value, given.Bias!.Value);
                bias[0] = 5;
                break;
            case "loaded" or "read, then loaded" or "loaded as drawn":
                Linear other = new(4, 4);
                if (how != "loaded as drawn")
                    other.Initialize(7);
                Weights.Save(other, path);
                if (how == "read, then loaded")
                    Assert.NotNull(given.Weight.Value);
                Weights.Load(given, path);
                break;
            case "constant":
                Init.Constant(given.Weight, 0);                      // what memory holds at first
                Init.Constant(given.Bias!, 0);
                break;
            case "initialised":
                given.Initialize(0);                                 // what is drawn unasked
                break;
            case "trained":
                given.Weight.Trainable = given.Bias!.Trainable = false;
                given.Forward(Tensor.Create(new float[4], [1, 4]), training: true);     // what learns beside them hangs on them
                break;
        }
        float[] before = how == "constant" ? new float[20] : given.Values;
        Sequential model = new(new Linear(4, 4), new Sequential(given), new Linear(4, 4)), expected = new(new Linear(4, 4), new Sequential(new Linear(4, 4)), new Linear(4, 4));
        weight?.AsSpan().Fill(before[0] = 9);                       // before the model was ever looked at
        before.AsSpan(1, weight is null ? 0 : 15).Fill(9);
        expected.Initialize(0);
        Assert.Equal([.. expected.Values[..20], .. before, .. expected.Values[40..]], model.Values);
        File.Delete(path);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(42)]
    public void A_new_head_begins_as_if_it_had_been_there(int? seed)
    {
        Sequential net = new(Body(), new Flatten(), new Linear(40, 3)), expected = new(Body(), new Flatten(), new Linear(40, 5)), fresh = new(new Linear(40, 5));
        if (seed is int given)
            net.Initialize(given);
        Train(net);
        float[] backbone = net.Layers[0].Values;
        net.Replace(^1, new Linear(40, 5));
        expected.Initialize(seed ?? 0);
        Assert.Equal([.. backbone, .. expected.Layers[2].Values], net.Values);
        Assert.NotEqual(fresh.Layers[0].Values, net.Layers[2].Values);
        Train(net);
        float[] learnt = net.Layers[2].Values;
        Layer head = net.Layers[2];
        net.Replace(^1, new Tanh());
        net.Replace(^1, head);                                       // what has learnt is kept, wherever it goes
        Assert.Equal(learnt, net.Layers[2].Values);
        Linear own = new(40, 2);
        own.Initialize(3);
        float[] before = own.Values;
        net.Replace(^1, own);
        Assert.Equal(before, own.Values);

        static void Train(Sequential net)
        {
            Sgd optimizer = new(net.Parameters, 0.1f);
            Tensor<float> y = net.Forward(new Random(1).Tensor(3, 2, 5, 4), training: true);
            net.Backward(y);
            optimizer.Step();
        }
    }

    [Fact]
    public void Threads_that_want_them_at_once_get_the_same()
    {
        ImageShape shape = new(1, 6, 7);
        float[] x = new Random(1).Reals(42);
        float[] expected = Predict(Model());
        for (int i = 0; i < 20; i++)
        {
            ImageClassifier model = Model();
            float[][] results = new float[4][];
            using Barrier start = new(results.Length);
            Thread[] threads = [.. Enumerable.Range(0, results.Length).Select(t => new Thread(() =>
            {
                start.SignalAndWait();
                results[t] = Predict(model);
            }))];
            foreach (Thread thread in threads)
                thread.Start();
            foreach (Thread thread in threads)
                thread.Join();
            Assert.All(results, result => Assert.Equal(expected, result));
        }

        float[] Predict(ImageClassifier model) => [.. model.CreatePredictor().Predict(Tensor.Create(x, [1, 1, 6, 7]))[0].Probabilities];

        ImageClassifier Model() => new(
            new Sequential(new Conv2d(1, 8, 3, padding: 1), new ReLU(), new Flatten(), new Linear(8 * 42, 2000, bias: false), new Linear(2000, 3)),
            shape, [0], [1], ["a", "b", "c"]);
    }
}
