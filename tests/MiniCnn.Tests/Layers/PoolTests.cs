namespace MiniCnn.Tests;

/// <summary>Compares max and average pooling, with every lane type, with loops written from the definition.</summary>
public class PoolTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Pools_are_their_definition(int lanes, int width)
    {
        Random random = new(8);
        for (int i = 0; i < 200; i++)
        {
            Size2d kernel = (random.Next(1, 5), random.Next(1, 5)), stride = (random.Next(1, 4), random.Next(1, 4));
            Size2d dilation = (random.Next(1, 4), random.Next(1, 4));
            Padding padding = new(random.Next(kernel.Height / 2 + 1), random.Next(kernel.Width / 2 + 1), random.Next(kernel.Height / 2 + 1), random.Next(kernel.Width / 2 + 1));
            int h = random.Next(1, 10), w = random.Next(1, 10), count = random.Next(5) == 0 ? 17 : random.Next(4), channels = random.Next(1, 4);
            bool max = i % 2 == 0, countPadding = i % 4 == 1;
            if (!max)
                dilation = 1;
            bool ceil = i % 3 == 0;
            if (i % 8 == 2)
                (kernel, stride, dilation, padding) = (2, 2, 1, default);             // the one that has code of its own
            int oh = Outputs(h, kernel.Height, stride.Height, dilation.Height, padding.Top, padding.Bottom, ceil);
            int ow = Outputs(w, kernel.Width, stride.Width, dilation.Width, padding.Left, padding.Right, ceil);
            if (oh == 0 || ow == 0)
                continue;
            float[] x = random.Integers(count * channels * h * w), dy = random.Integers(count * channels * oh * ow);   // integers: many are equal
            Layer layer = max ? new MaxPool2d(kernel, stride, padding, dilation, ceil) : new AvgPool2d(kernel, stride, padding, countPadding, ceil);
            Assert.Equal(new(channels, oh, ow), layer.OutputShape(new(channels, h, w)));
            LayerBench bench = LayerBench.Run(layer, new(channels, h, w), count, x, dy, lanes, width);

            double[] y = new double[dy.Length], dx = new double[x.Length];
            for (int o = 0; o < y.Length; o++)
            {
                int ox = o % ow, oy = o / ow % oh, plane = o / (ow * oh), best = -1;
                List<int> under = [];
                int padded = 0;                                                       // of the window's pixels those on the image or its padding
                for (int ky = 0; ky < kernel.Height; ky++)
                    for (int kx = 0; kx < kernel.Width; kx++)
                    {
                        int iy = oy * stride.Height + ky * dilation.Height - padding.Top, ix = ox * stride.Width + kx * dilation.Width - padding.Left;
                        if (iy >= 0 && iy < h && ix >= 0 && ix < w)
                            under.Add((plane * h + iy) * w + ix);
                        padded += iy < h + padding.Bottom && ix < w + padding.Right ? 1 : 0;
                    }
                if (max)
                {
                    foreach (int at in under)
                        best = best < 0 || x[at] > x[best] ? at : best;
                    y[o] = best < 0 ? double.NegativeInfinity : x[best];
                    if (best >= 0)
                        dx[best] += dy[o];
                    continue;
                }
                double divisor = countPadding ? padded : under.Count;
                y[o] = under.Sum(at => (double)x[at]) / divisor;
                foreach (int at in under)
                    dx[at] += dy[o] / divisor;
            }
            for (int o = 0; o < y.Length; o++)
            {
                if (!(y[o] == bench.Y[o] || Math.Abs(y[o] - bench.Y[o]) < 1e-5))
                    Assert.Fail($"{layer}: y[{o}] = {bench.Y[o]}, not {y[o]}");
            }
            for (int at = 0; at < dx.Length; at++)
            {
                if (!(Math.Abs(dx[at] - bench.Dx[at]) < (max ? 1e-9 : 1e-4)))
                    Assert.Fail($"{layer}: dx[{at}] = {bench.Dx[at]}, not {dx[at]}");
            }
        }
    }

    /// <summary>
    /// Number of outputs along an axis, counted window by window. The first window must fit; with ceil mode, a window must only begin inside.
    /// </summary>
    static int Outputs(int size, int kernel, int stride, int dilation, int before, int after, bool ceil)
    {
        int span = dilation * (kernel - 1) + 1, count = 0;
        while (ceil
            ? count * stride + span < size + before + after + stride && count * stride < size + before
            : count * stride + span <= size + before + after)
        {
            count++;
        }
        return count;
    }

    [Fact]
    public void Rounded_up_is_PyTorchs_rule_by_hand()
    {
        float[] x = [1, 2, 3, 4, 5];
        Assert.Equal([2, 4, 5], Row(new MaxPool2d((1, 2), ceilMode: true), x));
        Assert.Equal([2, 4], Row(new MaxPool2d((1, 2)), x));
        Assert.Equal([1.5f, 3.5f, 5], Row(new AvgPool2d((1, 2), ceilMode: true), x));
        // Windows of 2 at −1 and 2; one at 5 would begin in the padding.
        Assert.Equal([1, 4], Row(new MaxPool2d((1, 2), (1, 3), (0, 1), ceilMode: true), x));
        // Windows of 4 at −1, 1, 3 over 5 pixels and one of padding on each side: the last has 4, 5 and a zero, and what lies beyond does not count.
        Assert.Equal([1.5f, 3.5f, 3], Row(new AvgPool2d((1, 4), (1, 2), (0, 1), ceilMode: true), x));
        Assert.Equal([2, 3.5f, 4.5f], Row(new AvgPool2d((1, 4), (1, 2), (0, 1), countIncludePad: false, ceilMode: true), x));
        Assert.Equal([2], Row(new MaxPool2d((1, 3), (1, 2), ceilMode: true), [1, 2]));                 // a kernel larger than the image
        Assert.Contains("the kernel spans 1×4 but the padded input is 1×2",
            Assert.Throws<ArgumentException>(() => Row(new MaxPool2d((1, 4), (1, 2), ceilMode: true), [1, 2])).Message);
        Assert.Equal("MaxPool2d(3×3, stride 2, ceil mode)", new MaxPool2d(3, 2, ceilMode: true).ToString());
        Assert.Equal("AvgPool2d(3×3, stride 2, ceil mode, padding not counted)", new AvgPool2d(3, 2, countIncludePad: false, ceilMode: true).ToString());

        static float[] Row(Layer layer, float[] x)
        {
            ImageShape shape = new(1, 1, x.Length);
            return LayerBench.Run(layer, shape, 1, x, new float[layer.OutputShape(shape).Length], 1, 1).Y;
        }
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void The_adaptive_max_pool_is_its_definition(int lanes, int width)
    {
        Random random = new(9);
        for (int run = 0; run < 60; run++)
        {
            (int h, int w, int oh, int ow) = (random.Next(1, 12), random.Next(1, 12), random.Next(1, 9), random.Next(1, 9));
            int count = random.Next(6) == 0 ? 17 : random.Next(4), channels = random.Next(1, 8);
            float[] x = random.Integers(count * channels * h * w), dy = random.Integers(count * channels * oh * ow), dx = new float[x.Length];
            if (x.Length > 0 && run % 3 == 0)
                x[random.Next(x.Length)] = float.NaN;
            LayerBench bench = LayerBench.Run(new AdaptiveMaxPool2d((oh, ow)), new(channels, h, w), count, x, dy, lanes, width);
            for (int o = 0; o < dy.Length; o++)
            {
                int ox = o % ow, oy = o / ow % oh, plane = o / (ow * oh), best = -1;
                for (int iy = oy * h / oh; iy < Math.Ceiling((oy + 1) * h / (double)oh); iy++)
                    for (int ix = ox * w / ow; ix < Math.Ceiling((ox + 1) * w / (double)ow); ix++)
                    {
                        int at = (plane * h + iy) * w + ix;
                        best = best < 0 || x[at] > x[best] || float.IsNaN(x[at]) ? at : best;
                    }
                Assert.Equal(x[best], bench.Y[o]);
                dx[best] += dy[o];
            }
            Assert.Equal(dx, bench.Dx);
        }
    }

    [Fact]
    public void What_an_adaptive_max_pool_cannot_take_is_refused()
    {
        Assert.Contains("has no pixels", Assert.Throws<ArgumentException>(() => new AdaptiveMaxPool2d((1, 0))).Message);
        Assert.Equal(
            "AdaptiveMaxPool2d(2147483647×2147483647): an output of 4×2147483647×2147483647 has more elements than an array can hold",
            Assert.Throws<ArgumentException>(() => new AdaptiveMaxPool2d(int.MaxValue).OutputShape(new(4, 5, 7))).Message);
        // The index of the largest pixel is stored as a float, which is exact up to 2²⁴.
        Assert.Equal(
            "AdaptiveMaxPool2d(1×1): a window can have at most 16777216 pixels, not 16777300; pool in two steps",
            Assert.Throws<ArgumentException>(() => new AdaptiveMaxPool2d(1).OutputShape(new(1, 10, 1_677_730))).Message);
        Assert.Equal(new(1, 1, 1), new AdaptiveMaxPool2d(1).OutputShape(new(1, 4096, 4096)));
        Assert.StartsWith(
            "MaxPool2d(4097×4097, stride 4097): a window can have at most",
            Assert.Throws<ArgumentException>(() => new MaxPool2d(4097).OutputShape(new(1, 5000, 5000))).Message, StringComparison.Ordinal);
        Assert.Equal(
            "AdaptiveMaxPool2d(3×4): takes images, not 12 features", Assert.Throws<ArgumentException>(() => new AdaptiveMaxPool2d((3, 4)).OutputShape(12)).Message);
    }

    [Fact]
    public void A_NaN_under_the_window_makes_NaN_and_padding_never_wins()
    {
        float[] x = [-5, -7, float.NaN, -9, -6, -8], dy = [1, 1, 1, 1, 1, 1];
        LayerBench bench = LayerBench.Run(new MaxPool2d((1, 3), 1, (0, 1)), new(1, 1, 6), 1, x, dy, 16, 4);
        Assert.Equal([-5, float.NaN, float.NaN, float.NaN, -6, -6], bench.Y);
        Assert.Equal([1, 0, 3, 0, 2, 0], bench.Dx);
    }

    [Fact]
    public void The_gradient_of_a_NaN_goes_to_the_last_NaN()
    {
        const float NaN = float.NaN;
        foreach ((float[] x, int argMax) in new[]
        {
            (new[] { NaN, 1, 2, 3 }, 0), ([1, NaN, 2, 3], 1), ([4, 1, NaN, 3], 2), ([4, 1, 2, NaN], 3), ([NaN, NaN, 2, 3], 1), ([NaN, 1, NaN, 3], 2),
            ([1, NaN, 3, NaN], 3), ([2, 2, 1, 2], 0), ([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity], 0),
        })
        {
            float[] dx = [0, 0, 0, 0];
            dx[argMax] = 5;
            Assert.Equal(dx, LayerBench.Run(new MaxPool2d(2), new(1, 2, 2), 1, x, [5], 16, 4).Dx);
            Assert.Equal(dx, LayerBench.Run(new MaxPool2d(2, stride: 3), new(1, 2, 2), 1, x, [5], 16, 4).Dx);       // the general form
        }
    }

    [Fact]
    public void Too_much_padding_is_refused()
    {
        Assert.Contains("at most half", Assert.Throws<ArgumentException>(() => new MaxPool2d((2, 3), padding: (2, 1))).Message);
        Assert.Contains("at most half", Assert.Throws<ArgumentException>(() => new AvgPool2d((3, 2), padding: (1, 2))).Message);
    }
}
