using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MiniCnn.Tests;

/// <summary>A convolution, its ReLU and its pool run as one inside a model; by themselves they must give the same.</summary>
public class FusionTests
{
    /// <summary>What may follow a convolution, images in the batch (few: vectors along the rows), rows and columns.</summary>
    public static TheoryData<string, int, int, int> Models
    {
        get
        {
            TheoryData<string, int, int, int> models = [];
            foreach (string kind in (string[])["relu", "relu pool", "relu pool3", "pool", "two blocks", "strided", "groups"])
                foreach ((int count, int height, int width) in new[] { (3, 9, 12), (2, 21, 75), (17, 9, 12), (16, 12, 75), (33, 6, 7) })
                    models.Add(kind, count, height, width);
            models.Add("relu pool", 1, 8, 1100);                                // longer than what lies between convolution and pool
            return models;
        }
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
    public void Gradients_are_those_of_the_layers_one_by_one(string kind, int count, int height, int width)
    {
        (Sequential fused, Sequential alone) = (Model(kind), Model(kind));
        Tensor<float> x = Images(count, height, width), y = fused.Forward(x, training: true), step = x;
        foreach (Layer layer in alone.Layers)
            step = layer.Forward(step, training: true);
        Assert.Equal(Bits(step), Bits(y));
        Tensor<float> dy = Tensor.Create(new Random(3).Reals((int)y.FlattenedLength), y.Lengths), dx = fused.BackwardToInput(dy);
        foreach (Layer layer in alone.Layers.Reverse())
            dy = layer.BackwardToInput(dy);
        Assert.Equal(dy.AsSpan().ToArray(), dx.AsSpan().ToArray());
        Assert.Contains(dx.AsSpan().ToArray(), g => g != 0);
        foreach ((Parameter a, Parameter b) in alone.Parameters.Zip(fused.Parameters))
            Assert.Equal(a.Gradient.AsSpan().ToArray(), b.Gradient.AsSpan().ToArray());
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
            "strided" => new(new Conv2d(2, 7, (3, 5), (1, 2), padding: (1, 2)), new ReLU(), new MaxPool2d(2)),
            _ => new(new Conv2d(2, 4, (3, 2), dilation: (1, 2), padding: 1, groups: 2, bias: false), new ReLU(), new MaxPool2d(2)),
        };
        model.Initialize(seed: 5);
        return model;
    }

    static Tensor<float> Images(int count, int height, int width) =>
        Tensor.Create(new Random(count + width).Reals(count * 2 * height * width), [count, 2, height, width]);

    static int[] Bits(Tensor<float> tensor) => MemoryMarshal.Cast<float, int>(tensor.AsSpan()).ToArray();
}
