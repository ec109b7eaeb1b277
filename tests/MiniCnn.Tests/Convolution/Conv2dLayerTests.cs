using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Compares the convolution layer, with every lane type, with the reference.</summary>
public class Conv2dLayerTests
{
    /// <summary>Number of random geometries, divided among the lane types. The environment variable MINICNN_FUZZ sets another number.</summary>
    internal static int RandomGeometries => int.TryParse(Environment.GetEnvironmentVariable("MINICNN_FUZZ"), out int count) ? count : 2000;

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Integers_agree_with_the_reference_to_the_bit(int lanes, int width)
    {
        Random random = new(6);
        foreach (Conv2dShape s in Geometries.TableAndRandom(RandomGeometries / LayerBench.Widths.Count + 1, seed: 100 * lanes + width))
            Compare(s, lanes, width, random.Integers, exact: true);
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Reals_agree_with_the_reference_in_double_within_rounding(int lanes, int width)
    {
        Random random = new(7);
        foreach (Conv2dShape s in Geometries.TableAndRandom(500 / LayerBench.Widths.Count, seed: 7))
            Compare(s, lanes, width, random.Reals, exact: false);
    }

    [Fact]
    public void A_tensor_with_too_little_margin_is_copied_and_one_with_enough_is_taken_as_it_is()
    {
        Random random = new(8);
        Conv2d layer = new(2, 3, (5, 4), padding: new(1, 2, 2, 1));
        ImageShape shape = new(2, 5, 4), output = layer.OutputShape(shape);
        float[] input = random.Integers(17 * (int)shape.Length), gradient = random.Integers(17 * (int)output.Length);
        Padding around = layer.InputMargin(shape), aroundGradient = layer.GradientMargin(shape);
        Assert.Equal((new(1, 2, 2, 1), new(3, 1, 2, 2)), (around, aroundGradient));
        float[][] expected = Run(around, aroundGradient);
        foreach (Padding less in (Padding[])[new(1, 0, 0, 0), new(0, 1, 0, 0), new(0, 0, 1, 0), new(0, 0, 0, 1), new(1, 1, 1, 1), -2])
        {
            Assert.Equal(expected, Run(Minus(around, less), aroundGradient));
            Assert.Equal(expected, Run(around, Minus(aroundGradient, less)));
        }

        static Padding Minus(Padding a, Padding b) => new(a.Top - b.Top, a.Left - b.Left, a.Bottom - b.Bottom, a.Right - b.Right);

        float[][] Run(Padding margin, Padding gradientMargin)
        {
            LaneTensor<float> x = new(16, shape, margin), y = new(16, output), dy = new(16, output, gradientMargin), dx = new(16, shape);
            x.Resize(17).Pack(input);
            dy.Resize(17).Pack(gradient);
            LayerContext<float> context = new() { Training = true };
            layer.Weight.Gradient.Clear();
            Vectors.Of(4, () =>
            {
                layer.Forward(x, y.Resize(17), context);
                layer.Backward(x, y, dy, dx.Resize(17), context);
            });
            float[] outputs = new float[gradient.Length], gradients = new float[input.Length];
            y.Unpack(outputs);
            dx.Unpack(gradients);
            return [outputs, gradients, layer.Weight.Gradient.AsSpan().ToArray()];
        }
    }

    static void Compare(Conv2dShape s, int lanes, int width, Func<int, float[]> numbers, bool exact)
    {
        float[] x = numbers(s.InputLength), w = numbers(s.WeightLength), b = s.Batch == 2 ? [] : numbers(s.OutputChannels), dy = numbers(s.OutputLength);
        Conv2d layer = new(
            s.InputChannels, s.OutputChannels, s.Window.KernelSize, s.Window.Stride, s.Window.Padding, s.Window.Dilation, s.Groups, b.Length > 0,
            s.Window.PaddingMode);
        w.CopyTo(layer.Weight.ValueAs<float>());
        layer.Weight.GradientAs<float>().Fill(5);                      // gradients add to what is there
        if (b.Length > 0)
            b.CopyTo(layer.Bias!.ValueAs<float>());

        LayerBench bench = LayerBench.Run(layer, new(s.InputChannels, s.Rows.Input, s.Columns.Input), s.Batch, x, dy, lanes, width);

        // The exact sums; for a bound also the sums of absolute values, and how many products each has.
        Numbers exactly = Run(v => v), sizes = exact ? exactly : Run(Math.Abs), counts = exact ? exactly : Run(_ => 1);
        Holds("y", bench.Y, plus: 0);
        Holds("dx", bench.Dx, plus: 0);
        Holds("dweight", layer.Weight.GradientAs<float>().ToArray(), plus: 5);
        if (b.Length > 0)
            Holds("dbias", layer.Bias!.GradientAs<float>().ToArray(), plus: 0);

        Numbers Run(Converter<double, double> change)
        {
            double[] Each(float[] values) => Array.ConvertAll(values, v => change(v));
            return Conv2dCase.Reference<double>(s, new() { ["x"] = Each(x), ["weight"] = Each(w), ["bias"] = Each(b), ["dy"] = Each(dy) });
        }

        void Holds(string name, float[] actual, double plus)
        {
            (double[] expected, double[] size, double[] count) = (exactly[name], sizes[name], counts[name]);
            for (int i = 0; i < actual.Length; i++)
            {
                double bound = exact ? 0 : (count[i] + 2) * Math.ScaleB(1, -24) * (size[i] + plus);
                if (!(Math.Abs(expected[i] + plus - actual[i]) <= bound))
                    Assert.Fail($"{name}[{i}] of {s} is {actual[i]}, not {expected[i] + plus}");
            }
        }
    }
}
