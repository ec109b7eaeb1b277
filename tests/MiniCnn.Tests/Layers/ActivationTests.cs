using System.Numerics.Tensors;
using MathNet.Numerics;
using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

/// <summary>Compares activations, softmax and adaptive average pooling with their formulas in double.</summary>
public sealed class ActivationTests
{
    /// <summary>Name, layer, formula and derivative of each activation.</summary>
    static readonly (string Name, Func<Layer> Layer, Func<double, double> Value, Func<double, double> Slope)[] curves =
    [
        ("sigmoid", () => new Sigmoid(), Sigma, x => Sigma(x) * Sigma(-x)),
        ("tanh", () => new Tanh(), Math.Tanh, x => 1 / (Math.Cosh(x) * Math.Cosh(x))),
        ("silu", () => new SiLU(), x => x * Sigma(x), x => Sigma(x) * (1 + x * Sigma(-x))),
        ("gelu", () => new GELU(), x => x * Phi(x), x => Phi(x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)),
        ("leaky_relu", () => new LeakyReLU(0.3), x => x > 0 ? x : 0.3 * x, x => x > 0 ? 1 : 0.3),
    ];

    public static TheoryData<string> Names => [.. curves.Select(curve => curve.Name)];

    static double Sigma(double x) => 1 / (1 + Math.Exp(-x));

    static double Phi(double x) => SpecialFunctions.Erfc(-x / Math.Sqrt(2)) / 2;

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_its_formula_at_every_width(string name)
    {
        (_, Func<Layer> layer, Func<double, double> value, Func<double, double> slope) = curves.Single(curve => curve.Name == name);
        foreach (object[] form in LayerBench.Widths)
            foreach (int count in (int[])[1, 15, 16, 17])
                foreach (float scale in (float[])[1e-4f, 1, 5, 30])
                {
                    ImageShape shape = new(2, 3, 5);
                    float[] x = [.. new Random(count).Reals((int)(count * shape.Length)).Select(u => scale * u)], dy = new Random(2).Reals(x.Length);
                    LayerBench bench = LayerBench.Run(layer(), shape, count, x, dy, (int)form[0], (int)form[1]);
                    AssertNear($"{name}, {form[0]} lanes of {form[1]}", x, dy, bench.Y, bench.Dx, value, slope);
                }
    }

    [Fact]
    public void NaN_and_the_ends_of_the_line_are_as_PyTorch_has_them()
    {
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 200, -200];
        Is(new Sigmoid(), [float.NaN, 1, 0, 0.5f, 1, 0]);
        Is(new Tanh(), [float.NaN, 1, -1, 0, 1, -1]);
        Is(new SiLU(), [float.NaN, float.PositiveInfinity, float.NaN, 0, 200, 0]);
        Is(new GELU(), [float.NaN, float.PositiveInfinity, float.NaN, 0, 200, 0]);
        Is(new LeakyReLU(0.5), [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 200, -100]);
        Assert.Equal("LeakyReLU(0.5)", new LeakyReLU(0.5).ToString());
        Assert.Throws<ArgumentException>(() => new LeakyReLU(double.NaN));

        void Is(Layer layer, float[] y)
        {
            foreach (int width in (int[])[1, 4, 8, 16])
            {
                float[] bench = LayerBench.Run(layer, ImageShape.Features(6), 1, x, new float[6], 16, width, training: false).Y;
                Assert.Equal(y, bench.Select(value => value == 0 ? 0 : value));                // −0 is 0
            }
        }
    }

    [Fact]
    public void ReLU_passes_no_gradient_at_0_and_passes_NaN_on()
    {
        LayerBench bench = LayerBench.Run(new ReLU(), new(1, 1, 4), 1, [-1, 0, 2, float.NaN], [5, 6, 7, 8], 16, 4);
        Assert.Equal([0, 0, 2, float.NaN], bench.Y);
        Assert.Equal([0, 0, 7, 8], bench.Dx);
    }

    [Fact]
    public void A_leaky_ReLU_is_flat_as_below_at_0() =>
        Assert.Equal([2, 0.5f, 0.5f], LayerBench.Run(new LeakyReLU(0.25), ImageShape.Features(3), 1, [1, 0, -1], [2, 2, 2], 16, 4).Dx);

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Softmax_and_its_logarithm_are_their_definitions(int lanes, int width)
    {
        Random random = new(7);
        foreach (int count in (int[])[1, 15, 17])
            foreach (ImageShape shape in (ImageShape[])[new(5, 3, 2), ImageShape.Features(10), new(1, 2, 3)])
                foreach ((float scale, float middle) in ((float, float)[])[(1, 0), (40, 0), (2, -300), (2, 300)])
                {
                    float[] x = [.. random.Reals((int)(count * shape.Length)).Select(u => scale * u + middle)], dy = random.Reals(x.Length);
                    AssertSoftmax($"{shape}", false, shape, x, dy, LayerBench.Run(new Softmax(), shape, count, x, dy, lanes, width));
                    AssertSoftmax($"{shape}", true, shape, x, dy, LayerBench.Run(new LogSoftmax(), shape, count, x, dy, lanes, width));
                }
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void The_adaptive_pool_is_its_definition(int lanes, int width)
    {
        Random random = new(5);
        for (int run = 0; run < 60; run++)
        {
            (int h, int w, int oh, int ow) = (random.Next(1, 12), random.Next(1, 12), random.Next(1, 9), random.Next(1, 9));
            int count = random.Next(6) == 0 ? 17 : random.Next(4), channels = random.Next(1, 4);
            float[] x = random.Reals(count * channels * h * w), dy = random.Reals(count * channels * oh * ow);
            LayerBench bench = LayerBench.Run(new AdaptiveAvgPool2d((oh, ow)), new(channels, h, w), count, x, dy, lanes, width);
            AssertPool($"{h}×{w} to {oh}×{ow}", x, dy, bench.Y, bench.Dx, h, w, oh, ow);
        }
    }

    [Fact]
    public void What_the_adaptive_pool_cannot_take_is_refused()
    {
        Assert.Equal("AdaptiveAvgPool2d(3×4)", new AdaptiveAvgPool2d((3, 4)).ToString());
        Assert.Contains("has no pixels", Assert.Throws<ArgumentException>(() => new AdaptiveAvgPool2d((0, 1))).Message, StringComparison.Ordinal);
        string fault = Assert.Throws<ArgumentException>(() => new AdaptiveAvgPool2d(1).Forward(Tensor.Create<float>([1, 2], [1, 2]))).Message;
        Assert.Contains("AdaptiveAvgPool2d(1×1): takes images, not", fault, StringComparison.Ordinal);
        Assert.Contains("more elements than an array", Assert.Throws<ArgumentException>(() => new AdaptiveAvgPool2d(50_000).OutputShape(new(1, 2, 2))).Message);
    }

    // Some ten operations, each with a rounding of its own or, exp and log, of two or three; e^(−x²/2) errs by another x²/2 of them.
    static void AssertNear(
        string what, float[] x, float[] dy, float[] y, float[] dx, Func<double, double> value, Func<double, double> slope)
    {
        for (int i = 0; i < x.Length; i++)
        {
            double bound = (16 + Math.Min(x[i] * (double)x[i], 200)) * Epsilon, expected = value(x[i]), gradient = dy[i] * slope(x[i]);
            Assert.True(Math.Abs(y[i] - expected) <= bound * Math.Abs(expected) + 1e-37, $"{what}: y({x[i]}) = {y[i]}, not {expected}");
            // 1 − y² and 1 − y lose what y is near to 1; a slope may be a difference.
            double sizes = Math.Abs(dy[i]) * (1 + Math.Abs(x[i]));
            Assert.True(Math.Abs(dx[i] - gradient) <= bound * sizes, $"{what}: dx({x[i]}) = {dx[i]}, not {gradient}");
        }
    }

    // exp errs by as many roundings as its argument is large; the sum has k terms.
    static void AssertSoftmax(string what, bool log, ImageShape shape, float[] x, float[] dy, LayerBench bench)
    {
        int plane = shape.Height * shape.Width, k = shape.Channels;
        for (int at = 0; at < x.Length; at++)
        {
            int first = at / (k * plane) * k * plane + at % plane;
            int[] all = [.. Enumerable.Range(0, k).Select(c => first + c * plane)];
            int top = all.MaxBy(i => x[i]);
            double largest = x[top], others = all.Sum(i => i == top ? 0 : Math.Exp(x[i] - largest)), range = largest - all.Min(i => (double)x[i]);
            double Y(int i) => Math.Exp(x[i] - largest) / (1 + others);
            double bound = (k + 16 + 2 * range) * Epsilon, y = log ? x[at] - largest - LossDefinition.LogP1(others) : Y(at);
            double mean = all.Sum(i => dy[i] * Y(i)), rest = all.Sum(i => i == at ? 0 : (double)dy[i]), sizes = all.Sum(i => Math.Abs((double)dy[i]));
            double share = at == top ? others / (1 + others) : 1 - Y(at), dx = log ? dy[at] * share - Y(at) * rest : Y(at) * (dy[at] - mean);
            if (log)
                sizes = Math.Abs(dy[at]) * share + Y(at) * sizes;
            Assert.True(Math.Abs(bench.Y[at] - y) <= bound * Math.Abs(y) + 1e-37, $"{what}: y[{at}] = {bench.Y[at]}, not {y}");
            Assert.True(Math.Abs(bench.Dx[at] - dx) <= 2 * bound * sizes, $"{what}: dx[{at}] = {bench.Dx[at]}, not {dx}");
        }
    }

    // A mean of k numbers; a gradient that as many windows share as may overlap.
    static void AssertPool(string what, float[] x, float[] dy, float[] y, float[] dx, int h, int w, int oh, int ow)
    {
        double[] gradient = new double[x.Length], sizes = new double[x.Length];
        for (int o = 0; o < dy.Length; o++)
        {
            int ox = o % ow, oy = o / ow % oh, plane = o / (ow * oh);
            int[] under = [.. from iy in Enumerable.Range(0, h)
                              where iy >= Math.Floor(oy * h / (double)oh) && iy < Math.Ceiling((oy + 1) * h / (double)oh)
                              from ix in Enumerable.Range(0, w)
                              where ix >= Math.Floor(ox * w / (double)ow) && ix < Math.Ceiling((ox + 1) * w / (double)ow)
                              select (plane * h + iy) * w + ix];
            double mean = under.Average(at => (double)x[at]), size = under.Average(at => Math.Abs((double)x[at]));
            Assert.True(Math.Abs(y[o] - mean) <= (under.Length + 1) * Epsilon * size, $"{what}: y[{o}] = {y[o]}, not {mean}");
            foreach (int at in under)
            {
                gradient[at] += (double)dy[o] / under.Length;
                sizes[at] += Math.Abs((double)dy[o]) / under.Length;
            }
        }
        for (int at = 0; at < x.Length; at++)
            Assert.True(Math.Abs(dx[at] - gradient[at]) <= (oh * ow + 1) * Epsilon * sizes[at], $"{what}: dx[{at}] = {dx[at]}, not {gradient[at]}");
    }
}
