using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

public sealed class UpsampleTests
{
    [Fact]
    public void A_row_by_hand()
    {
        float[] x = [4, 8, 24];
        Assert.Equal([4, 4, 8, 8, 24, 24], Rows(new Upsample((1, 2))));
        Assert.Equal([4, 5, 7, 12, 20, 24], Rows(new Upsample((1, 2), UpsampleMode.Bilinear)));
        Assert.Equal([4, 4, 4.5f, 5.5f, 6.5f, 7.5f, 10, 14, 18, 22, 24, 24], Rows(new Upsample((1, 4), UpsampleMode.Bilinear)));
        Assert.Equal([4, 4, 4, 8, 8, 8, 24, 24, 24], Rows(new Upsample((1, 3))));

        float[] Rows(Layer layer)
        {
            float[] right = Forward(layer, new(1, 1, 3), x), down = Forward(Turned(layer), new(1, 3, 1), x);
            Assert.Equal(right, down);
            return right;
        }

        static Upsample Turned(Layer layer) =>
            new((layer.OutputShape(new(1, 1, 1)).Width, 1), layer.ToString()!.Contains("Bilinear") ? UpsampleMode.Bilinear : UpsampleMode.Nearest);

        static float[] Forward(Layer layer, ImageShape shape, float[] x) =>
            LayerBench.Run(layer, shape, 1, x, new float[layer.OutputShape(shape).Length], 1, 1).Y;
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_its_definition_at_every_width(int lanes, int width)
    {
        Random random = new(6);
        foreach (int count in (int[])[0, 1, 3, 15, 16, 17, 33])
            foreach (UpsampleMode mode in Enum.GetValues<UpsampleMode>())
                for (int run = 0; run < 4; run++)
                {
                    Size2d factor = (random.Next(1, 6), random.Next(1, 6));
                    ImageShape shape = new(random.Next(1, 4), random.Next(1, 6), random.Next(1, 7));
                    Upsample layer = new(factor, mode);
                    float[] x = random.Reals(count * (int)shape.Length), dy = random.Reals(x.Length * factor.Height * factor.Width);
                    LayerBench bench = LayerBench.Run(layer, shape, count, x, dy, lanes, width);
                    AssertHolds($"{layer} of {count} × {shape}", factor, mode, shape, x, dy, bench.Y, bench.Dx);
                }
    }

    [Fact]
    public void Of_whole_numbers_the_gradient_is_the_exact_adjoint()
    {
        // Weights in quarters, eighths, sixteenths: no product and no sum is rounded.
        Random random = new(9);
        foreach (UpsampleMode mode in Enum.GetValues<UpsampleMode>())
            foreach (Size2d factor in (Size2d[])[(1, 2), (2, 1), (2, 4), (4, 2), (8, 2), (1, 8)])
                foreach (ImageShape shape in (ImageShape[])[new(2, 3, 5), new(1, 1, 4), new(3, 5, 1)])
                {
                    float[] x = random.Integers(17 * (int)shape.Length), dy = random.Integers(x.Length * factor.Height * factor.Width);
                    LayerBench bench = LayerBench.Run(new Upsample(factor, mode), shape, 17, x, dy, 16, LayerBench.Widest(16));
                    double forward = bench.Y.Zip(dy, (a, b) => (double)a * b).Sum(), backward = x.Zip(bench.Dx, (a, b) => (double)a * b).Sum();
                    Assert.Equal(forward, backward);
                    LayerBench rows = LayerBench.Run(new Upsample(factor, mode), shape, 17, x, dy, 1, 1);
                    Assert.Equal(bench.Y, rows.Y);
                    Assert.Equal(bench.Dx, rows.Dx);
                }
    }

    [Fact]
    public void NaN_and_infinity_stay_where_they_are()
    {
        float[] x = [1, float.NaN, 3, float.PositiveInfinity];
        Assert.Equal(
            [1, 1, float.NaN, float.NaN, 3, 3, float.PositiveInfinity, float.PositiveInfinity],
            LayerBench.Run(new Upsample((1, 2)), new(1, 1, 4), 1, x, new float[8], 16, 4).Y);
        float[] image = new float[17 * 6];
        image[3 * 6 + 1] = float.NaN;
        float[] y = LayerBench.Run(new Upsample(2, UpsampleMode.Bilinear), new(1, 2, 3), 17, image, new float[17 * 24], 16, 16).Y;
        Assert.All(Enumerable.Range(0, y.Length).Where(i => float.IsNaN(y[i])), i => Assert.Equal(3, i / 24));
    }

    [Fact]
    public void Other_factors_and_shapes_are_refused()
    {
        Is("Upsample needs factors of at least 1, not 0×2; to make images smaller, use a pool or a stride", () => new Upsample((0, 2)));
        Is("not 2×-1", () => new Upsample((2, -1)));
        Is("there is no upsampling mode 7; use one of Nearest, Bilinear", () => new Upsample(2, (UpsampleMode)7));
        Is("Upsample(2×2): takes images, not 3 features", () => new Upsample(2).OutputShape(ImageShape.Features(3)));
        Is("layer 0, Upsample(40000×2, Bilinear): an output of 3×280000×18000 has more elements than an array can hold",
            () => new Sequential(new Upsample((40000, 2), UpsampleMode.Bilinear)).OutputShape(new(3, 7, 9000)));
        Is("4611686014132420609×2147483647 has more elements", () => new Upsample(int.MaxValue).OutputShape(new(1, 2147483647, 1)));
        Assert.Equal(new(3, 10, 21), new Upsample((2, 3)).OutputShape(new(3, 5, 7)));

        static void Is(string message, Func<object> action) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Compares with the formula in double. An output is a weighted mean of four pixels with about ten roundings; a gradient is a sum over the outputs of a
    /// pixel.
    /// </summary>
    static void AssertHolds(
        string what, Size2d factor, UpsampleMode mode, ImageShape shape, float[] x, float[] dy, float[] y, float[] dx)
    {
        int oh = shape.Height * factor.Height, ow = shape.Width * factor.Width;
        int reached = 16 * factor.Height * factor.Width;                       // twice as far on each axis, by two ways at the border
        double[] gradient = new double[x.Length], bounds = new double[x.Length];
        Assert.Equal((dy.Length, x.Length), (y.Length, dx.Length));
        for (int o = 0; o < dy.Length; o++)
        {
            (int plane, int oy, int ox) = (o / (oh * ow), o / ow % oh, o % ow);
            double expected = 0, bound = 0;
            foreach ((int iy, double wy) in Sources(oy, factor.Height, shape.Height))
                foreach ((int ix, double wx) in Sources(ox, factor.Width, shape.Width))
                {
                    int at = (plane * shape.Height + iy) * shape.Width + ix;
                    expected += wy * wx * x[at];
                    bound += 12 * Epsilon * wy * wx * Math.Abs(x[at]);
                    gradient[at] += wy * wx * dy[o];
                    bounds[at] += (reached + 12) * Epsilon * wy * wx * Math.Abs(dy[o]);
                }
            Assert.True(Math.Abs(y[o] - expected) <= bound, $"{what}: y[{o}] = {y[o]}, not {expected}");
        }
        for (int i = 0; i < dx.Length; i++)
            Assert.True(Math.Abs(dx[i] - gradient[i]) <= bounds[i], $"{what}: dx[{i}] = {dx[i]}, not {gradient[i]}");

        (int, double)[] Sources(int output, int factor, int inputs)
        {
            if (mode == UpsampleMode.Nearest)
                return [((int)Math.Floor(output / (double)factor), 1)];
            double source = Math.Max((output + 0.5) / factor - 0.5, 0), first = Math.Floor(source);
            return [((int)first, 1 - (source - first)), (Math.Min((int)first + 1, inputs - 1), source - first)];
        }
    }
}
