using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public sealed class GroupNormTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_its_definition_at_every_width(int lanes, int width)
    {
        Random random = new(3);
        foreach (int count in (int[])[1, 3, 15, 16, 17, 33])
        {
            int groups = random.Next(1, 5), channels = groups * random.Next(1, 4);
            ImageShape shape = new(channels, random.Next(1, 6), random.Next(2, 12));
            ImageNormDefinition.Check(new GroupNorm(groups, channels, 1e-3), groups, 1e-3, shape, count, lanes, width, random, shift: count % 2 * 5);
            ImageNormDefinition.Check(new GroupNorm(2, 300), 2, 1e-5, ImageShape.Features(300), count, lanes, width, random);
        }
    }

    [Fact]
    public void Other_channels_and_groups_that_do_not_divide_are_refused()
    {
        Sequential model = new(new ReLU(), new GroupNorm(2, 4));
        Assert.Equal("GroupNorm(2, 4)", $"{model.Layers[1]}");
        ArgumentException e = Assert.Throws<ArgumentException>(() => model.Forward(Tensor.CreateFromShape<float>([1, 6, 2, 3])));
        Assert.Equal("layer 1, GroupNorm(2, 4): takes 4 channels, not 6×2×3", e.Message);
        foreach ((int groups, int channels) in ((int, int)[])[(3, 4), (8, 4), (0, 4), (-1, 4), (1, 0)])
        {
            e = Assert.Throws<ArgumentException>(() => new GroupNorm(groups, channels));
            Assert.Equal($"GroupNorm needs a number of channels divisible by its groups, not {channels} channels and {groups} groups", e.Message);
        }
        foreach (double epsilon in (double[])[0, -1, double.NaN, double.PositiveInfinity])
            Assert.Throws<ArgumentException>(() => new GroupNorm(1, 2, epsilon));
    }
}
