namespace MiniCnn.Tests;

/// <summary>The convolution layer over every lane type, against the reference.</summary>
public class Conv2dLayerTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Integers_agree_with_the_reference_to_the_bit(int lanes, int width)
    {
        Random random = new(6);
        foreach (Conv2dShape s in Geometries.TableAndRandom(250, seed: 6))
            Compare(s, lanes, width, random.Integers(s.InputLength), random.Integers(s.WeightLength), random.Integers(s.OutputChannels), random.Integers(s.OutputLength), exact: true);
    }

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Reals_agree_with_the_reference_within_the_bound(int lanes, int width)
    {
        Random random = new(7);
        foreach (Conv2dShape s in Geometries.TableAndRandom(100, seed: 7).Concat(Wide()))
            Compare(s, lanes, width, random.Reals(s.InputLength), random.Reals(s.WeightLength), random.Reals(s.OutputChannels), random.Reals(s.OutputLength), exact: false);
    }

    [Fact]
    public void An_image_with_too_little_margin_is_padded_and_one_with_more_is_taken_as_it_is()
    {
        Random random = new(8);
        Conv2d layer = new(2, 3, (3, 2), padding: new(1, 2, 2, 3));
        ImageShape shape = new(2, 5, 4), output = layer.OutputShape(shape);
        float[] input = random.Integers(17 * (int)shape.Length), gradient = random.Integers(17 * (int)output.Length);
        float[][] expected = Run(layer.InputMargin(shape));
        foreach (Padding margin in (Padding[])[0, new(0, 2, 2, 3), new(1, 1, 2, 3), new(1, 2, 1, 3), new(1, 2, 2, 2), 4])
            Assert.Equal(expected, Run(margin));

        float[][] Run(Padding margin)
        {
            LaneTensor<float> x = new(16, shape, margin), y = new(16, output), dy = new(16, output), dx = new(16, shape);
            x.Resize(17).Pack(input);
            dy.Resize(17).Pack(gradient);
            Pass<float> pass = new() { Training = true };
            layer.Weight.Gradient.Clear();
            layer.Forward<float, Lanes4>(x, y.Resize(17), pass);
            layer.Backward<float, Lanes4>(x, y, dy, dx.Resize(17), pass);
            float[] outputs = new float[gradient.Length], gradients = new float[input.Length];
            y.Unpack(outputs);
            dx.Unpack(gradients);
            return [outputs, gradients, layer.Weight.Gradient.AsSpan().ToArray()];
        }
    }

    static IEnumerable<Conv2dShape> Wide()
    {
        yield return new(33, 15, 9, 11, 17, new((3, 5), 1, (1, 2)));
        yield return new(2, 17, 8, 33, 3, new((1, 9), (1, 2), (0, 4)));
        yield return new(15, 8, 7, 6, 8, new((3, 2), (2, 1), 1, 1), 8);
        yield return new(1, 1, 3, 40, 2, new((2, 31)));
    }

    static void Compare(Conv2dShape s, int lanes, int width, float[] x, float[] w, float[] b, float[] dy, bool exact)
    {
        bool bias = s.Batch != 2;                                      // some without
        Conv2d layer = new(
            s.InputChannels, s.OutputChannels, s.Window.KernelSize, s.Window.Stride, s.Window.Padding, s.Window.Dilation, s.Groups, bias, s.Window.PaddingMode);
        w.CopyTo(layer.Weight.ValueAs<float>());
        if (bias)
            b.CopyTo(layer.Bias!.ValueAs<float>());
        layer.Weight.GradientAs<float>().Fill(5);                      // gradients add to what is there

        LayerBench bench = LayerBench.Run(layer, new(s.InputChannels, s.Rows.Input, s.Columns.Input), s.Batch, x, dy, lanes, width);

        float[] y = new float[s.OutputLength], dx = new float[s.InputLength], dw = new float[s.WeightLength], db = new float[s.OutputChannels];
        Conv2dReference.Forward<float>(s, x, w, bias ? b : [], y);
        Conv2dReference.BackwardInput<float>(s, dy, w, dx);
        dw.AsSpan().Fill(5);
        Conv2dReference.BackwardWeight<float>(s, x, dy, dw);
        Conv2dReference.BackwardBias<float>(s, dy, db);
        int k = s.GroupInputChannels * s.Window.Taps + 1, n = s.Batch * s.OutputHeight * s.OutputWidth + 1;
        Assert.True(exact ? bench.Y.SequenceEqual(y) : Within(y, bench.Y, k, Bound(s, x, w, b)), $"y of {s}");
        Assert.True(exact ? bench.Dx.SequenceEqual(dx) : Within(dx, bench.Dx, s.GroupOutputChannels * s.Window.Taps * 4, null), $"dx of {s}");
        Assert.True(exact ? layer.Weight.GradientAs<float>().SequenceEqual(dw) : Within(dw, layer.Weight.GradientAs<float>().ToArray(), n + 5, null), $"dw of {s}");
        if (bias)
            Assert.True(exact ? layer.Bias!.GradientAs<float>().SequenceEqual(db) : Within(db, layer.Bias!.GradientAs<float>().ToArray(), n, null), $"db of {s}");
    }

    /// <summary>conv(|x|, |w|) + |b|, what the error of y is measured by.</summary>
    static float[] Bound(Conv2dShape s, float[] x, float[] w, float[] b)
    {
        float[] bound = new float[s.OutputLength];
        Conv2dReference.Forward<float>(s, [.. x.Select(Math.Abs)], [.. w.Select(Math.Abs)], [.. b.Select(Math.Abs)], bound);
        return bound;
    }

    /// <summary>|a − b| ≤ 2·k·2⁻²⁴·size; where no size is given, the k products of numbers below 1 are at most k.</summary>
    static bool Within(float[] expected, float[] actual, int k, float[]? size) =>
        expected.Zip(actual).Select((p, i) => Math.Abs(p.First - p.Second) <= 2.0 * k * Math.Pow(2, -24) * (size?[i] ?? k)).All(ok => ok);
}
