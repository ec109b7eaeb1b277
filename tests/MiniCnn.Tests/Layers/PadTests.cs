namespace MiniCnn.Tests;

/// <summary>Compares Pad2d, with every lane type, and Unflatten with their definitions.</summary>
public sealed class PadTests
{
    [Fact]
    public void A_row_by_hand()
    {
        float[] x = [1, 2, 3, 4];
        Assert.Equal([0, 1, 2, 3, 4, 0, 0], Row(new(0, 1, 0, 2), PaddingMode.Zeros));
        Assert.Equal([2, 3, 4, 0], Row(new(0, -1, 0, 1), PaddingMode.Zeros));
        Assert.Equal([2, 3], Row((0, -1), PaddingMode.Zeros));
        Assert.Equal([2, 1, 2, 3, 4, 3, 2], Row(new(0, 1, 0, 2), PaddingMode.Reflect));
        Assert.Equal([1, 1, 2, 3, 4, 4, 4], Row(new(0, 1, 0, 2), PaddingMode.Replicate));
        Assert.Equal([4, 1, 2, 3, 4, 1, 2], Row(new(0, 1, 0, 2), PaddingMode.Circular));

        float[] Row(Padding padding, PaddingMode mode) =>
            LayerBench.Run(new Pad2d(padding, mode), new(1, 1, 4), 1, x, new float[4 + padding.Left + padding.Right], 1, 1).Y;
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Padding_is_its_definition(int lanes, int width)
    {
        Random random = new(10);
        for (int run = 0; run < 100; run++)
        {
            PaddingMode mode = (PaddingMode)random.Next(4);
            (int h, int w, int channels) = (random.Next(3, 8), random.Next(3, 8), random.Next(1, 4));
            int count = random.Next(6) == 0 ? 17 : random.Next(4);
            int least = mode == PaddingMode.Zeros ? -1 : 0;
            Padding padding = new(random.Next(least, 3), random.Next(least, 3), random.Next(least, 3), random.Next(least, 3));
            (int oh, int ow) = (h + padding.Top + padding.Bottom, w + padding.Left + padding.Right);
            float[] x = random.Integers(count * channels * h * w), dy = random.Integers(count * channels * oh * ow);
            float[] y = new float[dy.Length], dx = new float[x.Length];
            for (int o = 0; o < y.Length; o++)
            {
                (int iy, int ix) = (Geometries.Source(mode, o / ow % oh - padding.Top, h), Geometries.Source(mode, o % ow - padding.Left, w));
                if (iy < 0 || ix < 0)
                    continue;
                int at = (o / (oh * ow) * h + iy) * w + ix;
                y[o] = x[at];
                dx[at] += dy[o];
            }
            LayerBench bench = LayerBench.Run(new Pad2d(padding, mode), new(channels, h, w), count, x, dy, lanes, width);
            Assert.Equal(y, bench.Y);
            Assert.Equal(dx, bench.Dx);
        }
    }

    [Fact]
    public void What_cannot_be_padded_is_refused_in_a_line()
    {
        Is("Pad2d(top 0, left -2, bottom 0, right -2): crops all pixels of 3×5×4; at least 1×1 must remain", () => Of((0, -2)));
        Is("Pad2d(top -5, left 0, bottom 9, right 0): crops all pixels of 3×5×4; at least 1×1 must remain", () => Of(new(-5, 0, 9, 0)));
        Is("Pad2d(4, Reflect): Reflect padding (4) must be smaller than the image, which is 5×4", () => Of(4, PaddingMode.Reflect));
        Is("Pad2d(5, Circular): Circular padding (5) must be at most the image, which is 5×4", () => Of(5, PaddingMode.Circular));
        Is("Pad2d(2147483647): the padded image would be 4294967299×4294967298 pixels, more than an array holds", () => Of(int.MaxValue));
        Is("Pad2d(1): takes images, not 7 features", () => new Pad2d(1).OutputShape(7));
        Is("Replicate padding must be at least 0 on every side, not top 0, left -1, bottom 0, right 0; to crop, use a second Pad2d with PaddingMode.Zeros",
            () => _ = new Pad2d(new(0, -1, 0, 0), PaddingMode.Replicate));
        Is("there is no padding mode 7; use one of Zeros, Reflect, Replicate, Circular", () => _ = new Pad2d(1, (PaddingMode)7));
        Assert.Equal(new(3, 1, 1), new Pad2d(new(-4, -1, 0, -2)).OutputShape(new(3, 5, 4)));

        static void Of(Padding padding, PaddingMode mode = PaddingMode.Zeros) => new Pad2d(padding, mode).OutputShape(new(3, 5, 4));
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Unflatten_undoes_what_Flatten_does(int lanes, int width)
    {
        Random random = new(11);
        foreach (ImageShape shape in (ImageShape[])[new(2, 3, 5), new(1, 1, 7), new(6, 1, 1)])
            foreach (int count in (int[])[0, 1, 3, 17])
            {
                int features = (int)shape.Length;
                float[] x = random.Reals(count * features), dy = random.Reals(x.Length);
                LayerBench bench = LayerBench.Run(new Unflatten(shape), features, count, x, dy, lanes, width, margins: false);      // features have none
                Assert.Equal(x, bench.Y);                                      // row-major in both: the numbers stay where they are
                Assert.Equal(dy, bench.Dx);
                Assert.Equal(shape, new Sequential(new Flatten(), new Unflatten(shape)).OutputShape(shape));
            }
    }

    [Fact]
    public void What_cannot_be_unflattened_is_refused_in_a_line()
    {
        Is("Unflatten(2×3×5): takes 30 features, not 31", () => new Unflatten(new(2, 3, 5)).OutputShape(31));
        Is("Unflatten(2×3×5): takes 30 features, not images of 30×1×1; put a Flatten() before it",
            () => new Unflatten(new(2, 3, 5)).OutputShape(new(30, 1, 1)));
        Is("Unflatten needs the channels, height and width of an image, each at least 1, not 30 features", () => _ = new Unflatten(30));
        Is("Unflatten needs the channels, height and width of an image, each at least 1, not 2×0×5", () => _ = new Unflatten(new(2, 0, 5)));
        Is("Unflatten: 2000000000×2000000000×2000000000 has more elements than an array can hold", () => _ = new Unflatten(new(2_000_000_000, 2_000_000_000, 2_000_000_000)));
    }

    static void Is(string message, Action action) => Assert.Equal(message, Assert.Throws<ArgumentException>(action).Message);
}
