using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Which elements stay, word by word.</summary>
public unsafe class DropoutTests
{
    const double Probability = 0.3;
    const uint Gone = (uint)(Probability * 4294967296.0);

    [Fact]
    public void Words_of_several_images_are_those_of_each()
    {
        foreach (int images in (int[])[1, 5, 8, 16, 21])
        {
            uint[] words = new uint[4 * images + 1];
            fixed (uint* to = words)
                new Philox(-7, 0x9abcdef0, 3).Words(1234567, 17, images, to);
            for (int i = 0; i < images; i++)
            {
                Assert.Equal(
                    Philox.Block(1234567, 17u + (uint)i, 3, 0x9abcdef0, unchecked((uint)-7), 0),
                    (words[i], words[images + i], words[2 * images + i], words[3 * images + i]));
            }
            Assert.Equal(0u, words[^1]);
        }
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    [InlineData(1, 16)]
    [InlineData(1, 8)]
    [InlineData(1, 4)]
    public void An_element_goes_whose_word_is_below_the_probability(int lanes, int width)
    {
        foreach (ImageShape shape in (ImageShape[])[new(5, 11, 13), new(1, 2, 3), ImageShape.Features(1030)])
        {
            int length = (int)shape.Length;
            float[] x = new Random(1).Reals(19 * length), dy = new Random(2).Reals(19 * length);
            LayerBench bench = LayerBench.Run(new Dropout(Probability), shape, 19, x, dy, lanes, width);
            Assert.Equal(Masked(x, length), bench.Y);
            Assert.Equal(Masked(dy, length), bench.Dx);
        }
    }

    [Fact]
    public void Without_margins_the_elements_are_the_same()
    {
        float[] x = new Random(3).Reals(19 * 715);
        Dropout layer = new(Probability);
        layer.Initialize(1);
        Assert.Equal(Masked(x, 715), layer.Forward(Tensor.Create(x, [19, 5, 11, 13]), training: true).AsSpan().ToArray());
    }

    [Fact]
    public void At_probability_1_infinities_go_too_and_below_every_word_all_stay()
    {
        float[] x = [1, float.PositiveInfinity, float.NaN, -2, 3];
        Assert.Equal(new float[5], LayerBench.Run(new Dropout(1), ImageShape.Features(5), 1, x, x, 16, 4).Y);
        Assert.Equal(x, LayerBench.Run(new Dropout(1e-12), ImageShape.Features(5), 1, x, x, 16, 4).Y);
    }

    static float[] Masked(float[] values, int length) => [.. values.Select((value, i) =>
    {
        (int image, int element) = Math.DivRem(i, length);
        (uint a, uint b, uint c, uint d) = Philox.Block((uint)element / 4, (uint)image, 0, 0, 1, 0);
        uint word = (element % 4) switch { 0 => a, 1 => b, 2 => c, _ => d };
        return word < Gone ? 0 : value * (float)(1 / (1 - Probability));
    })];
}
