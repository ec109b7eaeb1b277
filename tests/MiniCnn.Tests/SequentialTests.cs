using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>A model runs some layers as one; that must not show.</summary>
public class SequentialTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Layers_in_a_row_equal_the_layers_one_by_one_to_the_bit(int lanes, int width)
    {
        Random random = new(13);
        int pools = 0;
        foreach (Conv2dShape s in Geometries.TableAndRandom(200, seed: 10 * lanes + width))
        {
            int kind = s.OutputWidth < 2 ? 0 : s.OutputHeight < 2 ? 1 : random.Next(9), seed = random.Next();
            pools += kind > 2 ? 1 : 0;
            ImageShape shape = new(s.InputChannels, s.Rows.Input, s.Columns.Input);
            Sequential model = new(Layers(kind, s, new(seed)));
            float[] x = random.Next(2) == 0 ? random.Integers(s.InputLength) : random.Reals(s.InputLength);      // of whole numbers many are equal
            float[] dy = random.Reals(s.Batch * (int)model.OutputShape(shape).Length);
            bool nan = x.Length > 0 && random.Next(10) == 0;
            if (nan)
                x[random.Next(x.Length)] = float.NaN;

            LayerBench row = LayerBench.Run(model, shape, s.Batch, x, dy, lanes, width);
            float[] expected = OneByOne(Layers(kind, s, new(seed)), shape, s.Batch, x, dy, lanes, width);
            float[] actual = [.. row.Y, .. row.Dx, .. model.Parameters.SelectMany(p => p.GradientAs<float>().ToArray())];
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < (nan ? dy.Length : actual.Length); i++)         // which pixel of a pool's gets the gradient of a NaN is left open
            {
                if (!Same(actual[i], expected[i]))
                    Assert.Fail($"{s}, kind {kind}: number {i} of y, dx, dw and db ({dy.Length}, {x.Length}, …) is {actual[i]}, not {expected[i]}");
            }
        }
        Assert.True(pools > 100, $"only {pools} pools");

        static bool Same(float a, float b) => BitConverter.SingleToInt32Bits(a) == BitConverter.SingleToInt32Bits(b) || float.IsNaN(a) && float.IsNaN(b);
    }

    /// <summary>A convolution with numbers of its own and the layers around it; most kinds are those of most networks.</summary>
    static Layer[] Layers(int kind, Conv2dShape s, Random random)
    {
        Window2d window = s.Window;
        Conv2d conv = new(
            s.InputChannels, s.OutputChannels, window.KernelSize, window.Stride, window.Padding, window.Dilation, s.Groups, paddingMode: window.PaddingMode);
        random.Integers(s.WeightLength).CopyTo(conv.Weight.ValueAs<float>());
        random.Integers(s.OutputChannels).CopyTo(conv.Bias!.ValueAs<float>());
        return kind switch
        {
            0 => [conv, new ReLU()],
            1 => [conv, new ReLU(), new MaxPool2d((1, 2))],
            2 => [new ReLU(), conv, new ReLU(), new ReLU()],
            _ => [conv, new ReLU(), new MaxPool2d(2)],
        };
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

    [Theory]
    [InlineData(3)]
    [InlineData(21)]
    public void Trace_returns_every_layers_output_and_at_last_the_models(int batch)
    {
        Sequential model = new(
            new Conv2d(2, 5, (3, 2), padding: 1), new ReLU(), new MaxPool2d(2), new Sequential(new Conv2d(5, 4, (2, 3)), new ReLU()), new Dropout(0.5),
            new Conv2d(4, 3, 1), new ReLU(), new Flatten(), new Linear(3 * 4 * 4, 7), new ReLU());
        Tensor<float> x = Tensor.Create(new Random(1).Reals(batch * 2 * 10 * 11), [batch, 2, 10, 11]);
        IReadOnlyList<Tensor<float>> outputs = model.Trace(x);
        Assert.Equal(model.Layers.Count, outputs.Count);
        Assert.Equal(model.Forward(x).AsSpan().ToArray(), outputs[^1].AsSpan().ToArray());
        for (int i = 0; i < outputs.Count; i++)
            Assert.Equal(model.Layers[i].Forward(i == 0 ? x : outputs[i - 1]).AsSpan().ToArray(), outputs[i].AsSpan().ToArray());
        Assert.Contains(outputs[0].AsSpan().ToArray(), v => v < 0);            // before the ReLU that the model never stores
        Assert.Equal([batch, 5, 10, 12], outputs[1].Lengths.ToArray());
    }
}
