namespace MiniCnn.Tests;

/// <summary>A few images, with vectors along the rows, give the same bits as images in lanes, for every vector width.</summary>
public class FewImagesTests
{
    static readonly (string Name, Func<ImageShape, Layer> Layer)[] layers =
    [
        ("2×2 max", _ => new MaxPool2d(2)),
        ("max", _ => new MaxPool2d((2, 3), 1, (1, 1), (1, 2))),
        ("max, stride 2", _ => new MaxPool2d(3, 2, 1)),
        ("max, stride 3", _ => new MaxPool2d((2, 4), (1, 3), (0, 2))),
        ("mean", _ => new AvgPool2d(3, 1, 1, countIncludePad: false)),
        ("mean, stride 2", _ => new AvgPool2d((3, 2), 2)),
        ("mean, stride 3", _ => new AvgPool2d((2, 5), (1, 3), (0, 2))),
        ("max, rounded up", _ => new MaxPool2d((3, 2), (2, 3), (1, 0), ceilMode: true)),
        ("mean, rounded up", _ => new AvgPool2d((2, 3), (3, 2), (0, 1), ceilMode: true)),
        ("max of all", _ => new AdaptiveMaxPool2d(1)),
        ("adaptive max", _ => new AdaptiveMaxPool2d((4, 3))),
        ("cropped", _ => new Pad2d(new(-1, 2, 3, -2))),
        ("reflected", _ => new Pad2d((3, 2), PaddingMode.Reflect)),
        ("mean of all", _ => new AdaptiveAvgPool2d(1)),
        ("adaptive mean", _ => new AdaptiveAvgPool2d((3, 2))),
        ("nearest", _ => new Upsample((3, 2))),
        ("nearest, 3", _ => new Upsample((1, 3))),
        ("group norm", _ => new GroupNorm(2, 22)),
        ("layer norm", shape => new LayerNorm(shape)),
        ("softmax", _ => new Softmax()),
        ("log softmax", _ => new LogSoftmax()),
        ("dropout", _ => new Dropout(0.3)),
    ];

    public static TheoryData<string> Names => [.. layers.Select(layer => layer.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Along_rows_numbers_are_the_same_as_across_lanes(string name)
    {
        Random random = new(4);
        foreach (int columns in (int[])[5, 16, 33, 47])                        // less than a vector; whole vectors; a rest; 47 · 23 a rest after 1024
            foreach (int width in (int[])[16, 8, 4, 1])
            {
                ImageShape shape = new(22, columns == 47 ? 23 : 6, columns);
                Layer layer = layers.Single(layer => layer.Name == name).Layer(shape);
                foreach (Parameter parameter in layer.Parameters)
                    random.Reals((int)parameter.Value.FlattenedLength).CopyTo(parameter.ValueAs<float>());
                float[] x = random.Reals(3 * (int)shape.Length), dy = random.Reals(3 * (int)layer.OutputShape(shape).Length);
                foreach (bool margins in (bool[])[true, false])
                {
                    LayerBench lanes = LayerBench.Run(layer, shape, 3, x, dy, 16, width);
                    LayerBench rows = LayerBench.Run(layer, shape, 3, x, dy, 1, width, margins: margins);
                    Assert.Equal(lanes.Y, rows.Y);
                    Assert.Equal(lanes.Dx, rows.Dx);
                }
            }
    }

    [Fact]
    public void A_layer_norms_weights_get_the_sum_over_the_images()
    {
        Random random = new(4);
        ImageShape shape = new(3, 19, 37);
        LayerNorm norm = new(shape);
        float[] x = random.Reals(2 * (int)shape.Length), dy = random.Reals(x.Length);
        float[]? expected = null;
        foreach (int width in (int[])[1, 4, 8, 16])
        {
            norm.ClearGradients();
            LayerBench.Run(norm, shape, 2, x, dy, 1, width);
            Assert.Equal(expected ??= norm.Gradients, norm.Gradients);
        }
    }
}
