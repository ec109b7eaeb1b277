using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The elements that dropout keeps, computed from the Philox words.</summary>
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

    [Fact]
    public void Dropout_is_a_function_of_seed_place_step_image_and_element()
    {
        Tensor<float> ones = Tensor.Create(Enumerable.Repeat(1f, 20 * 3 * 10 * 12).ToArray(), [20, 3, 10, 12]);
        float[] first = Draw(Model(), 1)[0];
        Assert.Equal(first, Draw(Model(), 1)[0]);
        Assert.Equal(0.75, first.Count(v => v != 0) / (double)first.Length, 0.02);
        Assert.All(first, v => Assert.True(v is 0 or (1 / 0.75f)));
        Assert.NotEqual(first, Draw(Model(), 2)[0]);
        float[][] steps = Draw(Model(), 1, times: 2);
        Assert.NotEqual(steps[0], steps[1]);
        Assert.NotEqual(first, Draw(new Sequential(new ReLU(), new Dropout(0.25)), 1)[0]);           // another place
        Assert.NotEqual(first[..360], first[360..720]);                                               // another image
        Assert.NotEqual(first[..360], first[(16 * 360)..(17 * 360)]);                                 // of another group of lanes
        Assert.NotEqual(first[..120], first[120..240]);                                               // another channel
        Assert.Equal(first[..360], Draw(Model(), 1, images: Tensor.Create(ones.AsSpan()[..360].ToArray(), [1, 3, 10, 12]))[0]);
        Assert.Equal(ones.AsSpan().ToArray(), Model().Forward(ones).AsSpan().ToArray());
        Assert.Equal(new float[ones.AsSpan().Length], Draw(new Sequential(new Dropout(1)), 1)[0]);

        Sequential model = Model();
        model.Initialize(3);
        Tensor<float> y = model.Forward(ones, training: true);
        Assert.Equal(y.AsSpan().ToArray(), model.BackwardToInput(ones).AsSpan().ToArray());           // the same mask

        static Sequential Model() => new(new Dropout(0.25));

        float[][] Draw(Sequential model, int seed, int times = 1, Tensor<float>? images = null)
        {
            model.Initialize(seed);
            return [.. Enumerable.Range(0, times).Select(_ => model.Forward(images ?? ones, training: true).AsSpan().ToArray())];
        }
    }

    [Fact]
    public void Dropout_begins_anew_with_a_seed_goes_on_with_training_only_and_differs_from_place_to_place()
    {
        Tensor<float> ones = Tensor.Create(Enumerable.Repeat(1f, 4000).ToArray(), [4, 1000]);
        Sequential model = new(new Dropout(0.5));
        model.Initialize(1);
        float[] first = Train(), second = Train();
        model.Initialize(1);
        Assert.Equal(first, Train());
        model.Forward(ones);                                           // an evaluation is no step
        Assert.Equal(second, Train());

        Sequential nested = new(new Sequential(new Dropout(0.5)), new Sequential(new Dropout(0.5)));
        nested.Initialize(1);
        int left = nested.Forward(ones, training: true).AsSpan().ToArray().Count(v => v != 0);
        Assert.InRange(left, 900, 1100);                               // a quarter; half, if both had one mask

        float[] Train() => model.Forward(ones, training: true).AsSpan().ToArray();
    }

    [Fact]
    public void Philox_gives_the_published_words()
    {
        // The known answers that come with Random123, for Philox4x32-10.
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0, 0, 0, 0));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }
}
