using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MiniCnn.Tests;

/// <summary>Fused steps in a model (a convolution with its ReLU and pool, a residual with its ReLU) give the same bits as separate layers.</summary>
public class FusionTests
{
    /// <summary>Layers after a convolution, number of images (few images: vectors lie along the rows), rows and columns.</summary>
    public static TheoryData<string, int, int, int> Models
    {
        get
        {
            TheoryData<string, int, int, int> models = [];
            foreach (string kind in (string[])["relu", "relu pool", "relu pool3", "pool", "two blocks", "many channels", "strided", "groups", "residual relu", "shortcut relu"])
                foreach ((int count, int height, int width) in new[] { (3, 9, 12), (2, 21, 75), (17, 9, 12), (16, 12, 75), (33, 6, 7) })
                    models.Add(kind, count, height, width);
            models.Add("relu pool", 1, 8, 1100);                                // longer than what lies between convolution and pool
            models.Add("more channels", 17, 9, 12);                             // than a second cache holds of a row
            models.Add("wide", 2, 6, 53);                                       // more pooled columns than are turned at a time
            return models;
        }
    }

    /// <summary>Batch norms. Their output in training differs from their output in evaluation.</summary>
    public static TheoryData<string, int, int, int> Norms
    {
        get
        {
            TheoryData<string, int, int, int> models = [];
            foreach (string kind in (string[])["norm relu", "norm relu norm relu", "norm relu pool", "residual blocks"])
                foreach ((int count, int height, int width) in new[] { (3, 9, 12), (1, 21, 75), (17, 9, 12), (33, 6, 7) })
                    models.Add(kind, count, height, width);
            foreach (int count in (int[])[2, 17, 33])
                models.Add("features norm relu", count, 5, 4);
            return models;
        }
    }

    [Theory]
    [MemberData(nameof(Norms))]
    public void A_norm_and_its_ReLU_are_the_two_to_the_bit(string kind, int count, int height, int width)
    {
        (Sequential fused, Sequential alone) = (Model(kind), Model(kind));
        for (int step = 0; step < 2; step++)
        {
            Tensor<float> x = Images(count, height, width), y = x;
            x.AsSpan()[5] = step;
            foreach (Layer layer in alone.Layers)
                y = layer.Forward(y, training: true);
            Assert.Equal(Bits(y), Bits(fused.Forward(x, training: true)));
        }
        Assert.Equal(alone.State, fused.State);
        Tensor<float> images = Images(count, height, width);
        images.AsSpan()[5] = float.NaN;
        Assert.Equal(Bits(fused.Trace(images)[^1]), Bits(fused.Forward(images)));
        Assert.Contains(fused.Forward(images).AsSpan().ToArray(), float.IsNaN);
    }

    [Fact]
    public void Trace_discards_what_a_Forward_kept_as_any_Forward_does()
    {
        (Sequential model, Tensor<float> x) = (Model("relu"), Images(3, 9, 12));
        Tensor<float> y = model.Forward(x, training: true);
        model.Trace(Images(2, 9, 12));
        Assert.Throws<InvalidOperationException>(() => model.Backward(y));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Trace_gives_every_layers_output_and_the_fused_one_to_the_bit(string kind, int count, int height, int width)
    {
        (Sequential model, Tensor<float> x) = (Model(kind), Images(count, height, width));
        x.AsSpan()[5] = float.NaN;
        IReadOnlyList<Tensor<float>> trace = model.Trace(x);
        Assert.Equal(model.Layers.Count, trace.Count);
        Assert.Equal(Bits(trace[^1]), Bits(model.Forward(x)));
        Assert.Equal(Bits(trace[^1]), Bits(model.Forward(x, training: true)));
        for (int i = 0; i < trace.Count; i++)
            Assert.Equal(Bits(model.Layers[i].Forward(i == 0 ? x : trace[i - 1])), Bits(trace[i]));
    }

    [Theory]
    [MemberData(nameof(Models))]
    [MemberData(nameof(Norms))]
    public void Gradients_are_those_of_the_layers_one_by_one(string kind, int count, int height, int width)
    {
        (Sequential fused, Sequential alone) = (Model(kind), Model(kind));
        foreach ((bool training, bool held) in ((bool, bool)[])[(false, false), (true, false), (true, true)])
        {
            fused.HoldInEvaluation = alone.HoldInEvaluation = held;
            Tensor<float> x = Images(count, height, width), y = fused.Forward(x, training, differentiable: true), step = x;
            foreach (Layer layer in alone.Layers)
                step = layer.Forward(step, training, differentiable: true);
            Assert.Equal(Bits(step), Bits(y));
            Tensor<float> dy = new Random(3).Tensor(y.Lengths), dx = fused.BackwardToInput(dy);
            foreach (Layer layer in alone.Layers.Reverse())
                dy = layer.BackwardToInput(dy);
            Assert.Equal(dy.AsSpan().ToArray(), dx.AsSpan().ToArray());
            Assert.Contains(dx.AsSpan().ToArray(), g => g != 0);
            foreach ((Parameter a, Parameter b) in alone.Parameters.Zip(fused.Parameters))
                Assert.Equal(a.Gradient.AsSpan().ToArray(), b.Gradient.AsSpan().ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Random_geometries_over_every_lane_type_too(int lanes, int width)
    {
        Random random = new(13);
        int pools = 0;
        foreach (Conv2dShape s in Geometries.TableAndRandom(200, seed: 10 * lanes + width))
        {
            int kind = s.OutputWidth < 2 ? 0 : s.OutputHeight < 2 ? 1 : random.Next(10), seed = random.Next();
            pools += kind > 3 ? 1 : 0;
            ImageShape shape = new(s.InputChannels, s.Rows.Input, s.Columns.Input);
            Sequential model = new(Row(kind, s, new(seed)));
            float[] x = random.Next(2) == 0 ? random.Integers(s.InputLength) : random.Reals(s.InputLength);      // of whole numbers many are equal
            float[] dy = random.Reals(s.Batch * (int)model.OutputShape(shape).Length);
            if (x.Length > 0 && random.Next(10) == 0)
                x[random.Next(x.Length)] = float.NaN;

            LayerBench row = LayerBench.Run(model, shape, s.Batch, x, dy, lanes, width);
            float[] expected = OneByOne(Row(kind, s, new(seed)), shape, s.Batch, x, dy, lanes, width);
            float[] actual = [.. row.Y, .. row.Dx, .. model.Gradients];
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < actual.Length; i++)
            {
                if (!Same(actual[i], expected[i]))
                    Assert.Fail($"{s}, kind {kind}: number {i} of y, dx, dw and db ({dy.Length}, {x.Length}, …) is {actual[i]}, not {expected[i]}");
            }
        }
        Assert.True(pools > 100, $"only {pools} pools");

        static bool Same(float a, float b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || float.IsNaN(a) && float.IsNaN(b);
    }

    /// <summary>A convolution with random weights and the layers around it, mostly as in common networks.</summary>
    static Layer[] Row(int kind, Conv2dShape s, Random random)
    {
        Window2d window = s.Window;
        Conv2d conv = Conv();
        return kind switch
        {
            0 => [conv, new ReLU()],
            1 => [conv, new ReLU(), new MaxPool2d((1, 2))],
            2 => [new ReLU(), conv, new ReLU(), new ReLU()],
            3 => [new Residual(conv, new Sequential(new Tanh(), Conv())), new ReLU()],
            _ => [conv, new ReLU(), new MaxPool2d(2)],
        };

        Conv2d Conv()
        {
            Conv2d conv = new(
                s.InputChannels, s.OutputChannels, window.KernelSize, window.Stride, window.Padding, window.Dilation, s.Groups, paddingMode: window.PaddingMode);
            random.Integers(s.WeightLength).CopyTo(conv.Weight.ValueAs<float>());
            random.Integers(s.OutputChannels).CopyTo(conv.Bias!.ValueAs<float>());
            return conv;
        }
    }

    /// <summary>y, dx and the parameters' gradients.</summary>
    static float[] OneByOne(Layer[] layers, ImageShape shape, int count, float[] x, float[] dy, int lanes, int width)
    {
        List<(Layer Layer, ImageShape Shape, float[] X)> steps = [];
        foreach (Layer layer in layers)
        {
            steps.Add((layer, shape, x));
            (ImageShape input, shape) = (shape, layer.OutputShape(shape));
            x = LayerBench.Run(layer, input, count, x, new float[count * (int)shape.Length], lanes, width).Y;
        }
        Parameter[] parameters = [.. layers.SelectMany(layer => layer.Parameters)];
        foreach (Parameter p in parameters)
            p.GradientAs<float>().Clear();
        foreach ((Layer layer, ImageShape input, float[] from) in Enumerable.Reverse(steps))
            dy = LayerBench.Run(layer, input, count, from, dy, lanes, width).Dx;
        return [.. x, .. dy, .. parameters.SelectMany(p => p.GradientAs<float>().ToArray())];
    }

    static Sequential Model(string kind)
    {
        Sequential model = kind switch
        {
            "relu" => new(new Conv2d(2, 5, (3, 2), padding: 1), new ReLU()),
            "relu pool" => new(new Conv2d(2, 9, (3, 2), padding: (1, 0)), new ReLU(), new MaxPool2d(2)),
            "relu pool3" => new(new Conv2d(2, 3, (2, 3), padding: 1), new ReLU(), new MaxPool2d(3, stride: 2, padding: 1)),
            "pool" => new(new Conv2d(2, 3, (2, 3)), new MaxPool2d(2)),
            "two blocks" => new(
                new Conv2d(2, 6, (2, 3), padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(6, 4, (3, 2), padding: 1), new ReLU(), new Conv2d(4, 3, 1),
                new ReLU()),
            "many channels" => new(new Conv2d(2, 60, 1), new ReLU(), new Conv2d(60, 7, 3, padding: 1), new ReLU(), new MaxPool2d(2)),
            "more channels" => new(new Conv2d(2, 300, 1), new ReLU(), new Conv2d(300, 7, 3, padding: 1), new ReLU(), new MaxPool2d(2)),
            "wide" => new(new Conv2d(2, 28, 3, padding: 1), new ReLU(), new MaxPool2d(2)),
            "strided" => new(new Conv2d(2, 7, (3, 5), (1, 2), padding: (1, 2)), new ReLU(), new MaxPool2d(2)),
            "residual relu" => new(new Residual(new Conv2d(2, 2, (3, 5), padding: (1, 2))), new ReLU(), new Conv2d(2, 3, (3, 2), padding: 1)),
            "shortcut relu" => new(
                new Conv2d(2, 3, 3, padding: 1), new Residual(new Conv2d(3, 4, 3, 2, padding: 1), new Conv2d(3, 4, 1, 2)), new ReLU(), new MaxPool2d(2)),
            "residual blocks" => new(
                new Residual(new Sequential(new BatchNorm2d(2), new ReLU(), new Conv2d(2, 2, 3, padding: 1))), new ReLU(),
                new Residual(new Sequential(new Residual(new Conv2d(2, 2, 1)), new ReLU()), new BatchNorm2d(2)), new ReLU()),
            "norm relu" => new(new BatchNorm2d(2), new ReLU()),
            "features norm relu" => new(new Flatten(), new BatchNorm1d(40), new ReLU()),
            "norm relu norm relu" => new(
                new Conv2d(2, 3, (3, 2), padding: 1), new BatchNorm2d(3), new ReLU(), new BatchNorm2d(3), new ReLU(), new Conv2d(3, 2, 2)),
            "norm relu pool" => new(new Conv2d(2, 9, (3, 2)), new BatchNorm2d(9), new ReLU(), new MaxPool2d(2)),
            _ => new(new Conv2d(2, 4, (3, 2), dilation: (1, 2), padding: 1, groups: 2, bias: false), new ReLU(), new MaxPool2d(2)),
        };
        model.Initialize(seed: 5);
        foreach (BatchNorm norm in model.Layers.OfType<BatchNorm>())
        {
            new Random(6).Reals((int)norm.Weight.Value.FlattenedLength).CopyTo(norm.Weight.Value.AsSpan());      // of both signs
            new Random(7).Reals((int)norm.Bias.Value.FlattenedLength).CopyTo(norm.Bias.Value.AsSpan());
        }
        return model;
    }

    static Tensor<float> Images(int count, int height, int width) =>
        new Random(count + width).Tensor(count, 2, height, width);

    static int[] Bits(Tensor<float> tensor) => MemoryMarshal.Cast<float, int>(tensor.AsSpan()).ToArray();
}
