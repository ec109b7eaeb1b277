namespace MiniCnn.Tests;

/// <summary>Both pools over every lane type, against loops written from the definition.</summary>
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
            if (i % 8 == 2)
                (kernel, stride, dilation, padding) = (2, 2, 1, default);             // the one that has code of its own
            Window2d window = new(kernel, stride, padding, dilation);
            if (window.Rows(h).Span > h + padding.Top + padding.Bottom || window.Columns(w).Span > w + padding.Left + padding.Right)
                continue;
            (int oh, int ow) = window.OutputSize(h, w);
            float[] x = random.Integers(count * channels * h * w), dy = random.Integers(count * channels * oh * ow);   // integers: many are equal
            Layer layer = max ? new MaxPool2d(kernel, stride, padding, dilation) : new AvgPool2d(kernel, stride, padding, countPadding);
            LayerBench bench = LayerBench.Run(layer, new(channels, h, w), count, x, dy, lanes, width);

            double[] y = new double[dy.Length], dx = new double[x.Length];
            for (int o = 0; o < y.Length; o++)
            {
                int ox = o % ow, oy = o / ow % oh, plane = o / (ow * oh), best = -1;
                List<int> under = [];
                for (int ky = 0; ky < kernel.Height; ky++)
                    for (int kx = 0; kx < kernel.Width; kx++)
                    {
                        int iy = oy * stride.Height + ky * dilation.Height - padding.Top, ix = ox * stride.Width + kx * dilation.Width - padding.Left;
                        if (iy >= 0 && iy < h && ix >= 0 && ix < w)
                            under.Add((plane * h + iy) * w + ix);
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
                double divisor = countPadding ? kernel.Height * kernel.Width : under.Count;
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
