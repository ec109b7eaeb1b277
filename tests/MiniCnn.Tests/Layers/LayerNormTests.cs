using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public sealed class LayerNormTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_its_definition_at_every_width(int lanes, int width)
    {
        Random random = new(3);
        foreach (int count in (int[])[1, 3, 15, 16, 17, 33])
        {
            ImageShape shape = new(random.Next(1, 5), random.Next(1, 6), random.Next(2, 12));
            ImageNormDefinition.Check(new LayerNorm(shape, 1e-3), 1, 1e-3, shape, count, lanes, width, random, shift: count % 2 * 5);
            ImageNormDefinition.Check(new LayerNorm(300), 1, 1e-5, ImageShape.Features(300), count, lanes, width, random);
        }
    }

    [Fact]
    public void Other_shapes_are_refused()
    {
        Sequential model = new(new ReLU(), new LayerNorm(new ImageShape(2, 3, 4)));
        Assert.Equal("LayerNorm(2×3×4)", $"{model.Layers[1]}");
        Assert.Equal("LayerNorm(24)", $"{new LayerNorm(24)}");
        Assert.Equal("layer 1, LayerNorm(2×3×4): takes images of 2×3×4, not 2×4×3", Refused(model, [1, 2, 4, 3]));
        Assert.Equal("layer 1, LayerNorm(2×3×4): takes images of 2×3×4, not 24 features", Refused(model, [1, 24]));
        Assert.Equal("LayerNorm(24): takes 24 features, not 2×3×4", Refused(new LayerNorm(24), [1, 2, 3, 4]));
        foreach (ImageShape shape in (ImageShape[])[new(0, 1, 1), new(1, 0, 1), new(1, 1, -1)])
            Assert.Contains($"sizes of at least 1, not {shape}", Assert.Throws<ArgumentException>(() => new LayerNorm(shape)).Message);
        Assert.Throws<ArgumentException>(() => new LayerNorm(0));
        foreach (double epsilon in (double[])[0, -1, double.NaN, double.PositiveInfinity])
            Assert.Throws<ArgumentException>(() => new LayerNorm(2, epsilon));

        static string Refused(Layer layer, nint[] shape) => Assert.Throws<ArgumentException>(() => layer.Forward(Tensor.CreateFromShape<float>(shape))).Message;
    }
}
