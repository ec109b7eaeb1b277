using System.Numerics.Tensors;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Compares Winograd's convolution and its gradients, with every lane type, with the reference.</summary>
public class WinogradTests
{
    /// <summary>Lanes of a tensor and floats in a vector.</summary>
    public static TheoryData<int, int> Widths => new() { { 16, 16 }, { 16, 8 }, { 16, 4 }, { 16, 1 }, { 1, 16 }, { 1, 8 }, { 1, 4 }, { 1, 1 } };

    /// <summary>3×3 convolutions with stride 1: corner cases and random ones.</summary>
    static IEnumerable<Conv2dShape> Shapes(int random, int seed)
    {
        yield return new(2, 1, 3, 4, 1, new(3));                                            // less than a tile
        yield return new(17, 3, 6, 11, 5, new(3, padding: new(1, 0, 2, 1)));                // more than one, not a multiple
        yield return new(3, 2, 8, 4, 3, new(3, padding: 1));                                // two tiles and one
        yield return new(2, 2, 5, 9, 2, new(3, padding: new(4, 5, 3, 2)));                  // padding ≥ kernel: dy is cut off at the top and the left
        yield return new(2, 2, 9, 11, 3, new(3, padding: (2, 1), dilation: (2, 3)));
        yield return new(1, 2, 9, 12, 2, new(3, padding: new(7, 1, 0, 9), dilation: (3, 5)));    // fewer outputs than taps are apart
        yield return new(1, 4, 6, 7, 6, new(3, padding: 1), 2);
        yield return new(2, 35, 5, 7, 18, new(3, padding: (0, 1)));                         // more channels than a line of weights
        yield return new(1, 2, 30, 41, 3, new(3, padding: 1));                              // several pieces of work
        foreach (Conv2dShape s in Geometries.Random(random, seed))
        {
            Window2d window = new(3, 1, s.Window.Padding, s.Window.Dilation, s.Window.PaddingMode);
            if (window.Rows(s.Rows.Input).Span <= s.Rows.Input && window.Columns(s.Columns.Input).Span <= s.Columns.Input)
                yield return new(s.Batch, s.InputChannels, s.Rows.Input, s.Columns.Input, s.OutputChannels, window, s.Groups);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Whole_numbers_that_the_transforms_keep_whole_agree_with_the_reference_to_the_bit(int lanes, int width)
    {
        // G has twenty-fourths: 24² · w stays whole. Sums of a few channels stay below 2²⁴.
        Random random = new(3);
        foreach (Conv2dShape s in Shapes(Conv2dLayerTests.RandomGeometries / 5, seed: 30 + lanes + width))
        {
            if (s.Batch * s.InputLength == 0)
                continue;
            float[] x = Sparse(s.InputLength, 1), w = Sparse(s.WeightLength, 576), b = Sparse(s.OutputChannels, 5), dy = Sparse(s.OutputLength, 1);
            (float[] y, float[] dx, float[] dw) = Run(s, x, w, b, dy, lanes, width);
            Numbers expected = Conv2dCase.Reference<double>(s, new() { ["x"] = Doubles(x), ["weight"] = Doubles(w), ["bias"] = Doubles(b), ["dy"] = Doubles(dy) });
            Assert.Equal(expected["y"], Doubles(y));
            Assert.Equal(expected["dx"], Doubles(dx));
            // 24² · dw is the sum of whole numbers; where it passes 2²⁴ it is some units off, and dw some 576ths.
            Assert.All(expected["dweight"].Zip(dw), pair => Assert.Equal(pair.First, pair.Second, 1.0 / 32));
        }

        float[] Sparse(int length, int size) => [.. Enumerable.Range(0, length).Select(_ => random.Next(8) == 0 ? size * (1f - 2 * random.Next(2)) : 0)];
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Reals_keep_the_bound_of_the_matrices(int lanes, int width)
    {
        Random random = new(4);
        double largest = 0;
        foreach (Conv2dShape s in Shapes(100, seed: 50 + lanes + width).Append(new(16, 64, 9, 10, 24, new(3, padding: 1))))
        {
            if (s.Batch == 0)
                continue;
            float[] x = random.Reals(s.InputLength), w = random.Reals(s.WeightLength), b = random.Reals(s.OutputChannels), dy = random.Reals(s.OutputLength);
            (float[] y, float[] dx, _) = Run(s, x, w, b, dy, lanes, width);
            Numbers expected = Conv2dCase.Reference<double>(s, new() { ["x"] = Doubles(x), ["weight"] = Doubles(w), ["bias"] = Doubles(b), ["dy"] = Doubles(dy) });
            Holds(expected["y"], y, s.InputChannels / s.Groups);
            // Where the padding is no zeros, a pixel's gradient is a sum of several.
            if (s.Window.PaddingMode == PaddingMode.Zeros)
                Holds(expected["dx"], dx, s.OutputChannels / s.Groups);
        }
        Assert.InRange(largest, 1e-4, 1);                                 // a bound that nothing comes near says nothing

        // |error| ≤ (k + 20) · ε · k · c · max|x| · max|w| for k channels: each of k products a place is rounded with its sum, and each number passes
        // through some 20 roundings of transforms.
        void Holds(double[] expected, float[] actual, int channels)
        {
            double bound = (channels + 20) * Math.ScaleB(1, -24) * channels * Growth + Math.ScaleB(1, -23);
            for (int i = 0; i < actual.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(expected[i] - actual[i]) / bound);
                Assert.InRange(Math.Abs(expected[i] - actual[i]), 0, bound);
            }
        }
    }

    /// <summary>The largest growth of numbers of size 1 within a tile: (max of |Aᵀ| (|G| 1 ∘ |Bᵀ| 1))², computed from the matrices in the code.</summary>
    static double Growth
    {
        get
        {
            double[][] b = Columns(6, ColumnOfB), g = Columns(3, ColumnOfG), a = Columns(6, ColumnOfA);
            double[] between = [.. Enumerable.Range(0, 6).Select(place => b.Sum(c => Math.Abs(c[place])) * g.Sum(c => Math.Abs(c[place])))];
            double most = Enumerable.Range(0, 4).Max(i => Enumerable.Range(0, 6).Sum(place => Math.Abs(a[place][i]) * between[place]));
            Assert.Equal(48, most, 1e-12);
            return most * most;
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(1)]
    public void In_double_it_is_the_formula(int lanes)
    {
        Random random = new(7);
        foreach (Conv2dShape s in Shapes(60, seed: 8).Where(s => s.Batch > 0 && s.Window.PaddingMode == PaddingMode.Zeros))
        {
            Conv2d layer = Layer(s);
            double[] x = Doubles(random.Reals(s.InputLength)), dy = Doubles(random.Reals(s.OutputLength));
            foreach (Parameter p in layer.Parameters)
            {
                p.BeginCheck();
                Doubles(random.Reals(p.ValueAs<double>().Length)).CopyTo(p.ValueAs<double>());
            }
            LaneTensor<double> from = new(lanes, new(s.InputChannels, s.Rows.Input, s.Columns.Input)), to = new(lanes, layer.OutputShape(from.Shape));
            LaneTensor<double> back = new(lanes, to.Shape), gradient = new(lanes, from.Shape);
            from.Resize(s.Batch).Pack(x);
            back.Resize(s.Batch).Pack(dy);
            LayerContext<double> context = new() { Training = true, Algorithm = ConvolutionAlgorithm.Winograd };
            layer.Forward(from, to.Resize(s.Batch), context);
            layer.Backward(from, to, back, gradient.Resize(s.Batch), context);
            double[] y = new double[dy.Length], dx = new double[x.Length];
            to.Unpack(y);
            gradient.Unpack(dx);
            Numbers expected = Conv2dCase.Reference<double>(s, new()
            {
                ["x"] = x,
                ["weight"] = layer.Weight.ValueAs<double>().ToArray(),
                ["bias"] = layer.Bias!.ValueAs<double>().ToArray(),
                ["dy"] = dy,
            });
            Assert.All(expected["y"].Zip(y), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
            Assert.All(expected["dx"].Zip(dx), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
            Assert.All(expected["dweight"].Zip(layer.Weight.GradientAs<double>().ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-11));
        }
    }

    [Fact]
    public void The_matrices_make_a_convolution()
    {
        // Aᵀ [(G eₖ) ∘ (Bᵀ eⱼ)] is 1 at output i = j − k and 0 elsewhere.
        double[][] b = Columns(6, ColumnOfB), g = Columns(3, ColumnOfG), a = Columns(6, ColumnOfA);
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 6; j++)
                for (int i = 0; i < 4; i++)
                    Assert.Equal(i == j - k ? 1 : 0, Enumerable.Range(0, 6).Sum(place => a[place][i] * g[k][place] * b[j][place]), 1e-14);
    }

    // A matrix, column by column: one axis of a transform of a picture that has the unit vector in its first column and row. Row 0 of B and of G picks
    // 4 and 1/4 of what stands first, column 0 of A is 1, so that the other axis is known.
    static double[][] Columns(int count, Func<int, double[]> column) => [.. Enumerable.Range(0, count).Select(column)];

    static unsafe double[] ColumnOfB(int j)
    {
        double[] x = new double[36], to = new double[36];
        x[j * 6] = 1;
        fixed (double* from = x, target = to)
            WinogradTransforms.Input<double, Scalar<double>>(from, 6, 1, target, 1);
        return [.. Enumerable.Range(0, 6).Select(i => to[i * 6] / 4)];
    }

    static unsafe double[] ColumnOfG(int k)
    {
        double[] w = new double[9], to = new double[36];
        w[k * 3] = 1;
        fixed (double* from = w, target = to)
            WinogradTransforms.Weights<double, Scalar<double>>(from, 1, target, 1);
        return [.. Enumerable.Range(0, 6).Select(i => to[i * 6] * 4)];
    }

    static unsafe double[] ColumnOfA(int place)
    {
        double[] m = new double[36], to = new double[16];
        m[place * 6] = 1;
        fixed (double* from = m, target = to)
            WinogradTransforms.Output<double, Scalar<double>>(from, 1, new(0), relu: false, target, 4, 1);
        return [.. Enumerable.Range(0, 4).Select(i => to[i * 4])];
    }

    [Theory]
    [InlineData(16)]
    [InlineData(1)]
    public void What_is_not_finite_stays_in_the_tiles_that_read_it(int lanes)
    {
        Conv2dShape s = new(2, 3, 9, 16, 2, new(3, padding: 1));
        Random random = new(5);
        float[] x = random.Reals(s.InputLength), w = random.Reals(s.WeightLength), b = random.Reals(s.OutputChannels), dy = random.Reals(s.OutputLength);
        (float[] clean, _, _) = Run(s, x, w, b, dy, lanes, width: 8);
        foreach (float value in (float[])[float.NaN, float.PositiveInfinity])
        {
            const int Row = 6, Column = 9;                                // tile (1, 2), and neighbours that read it
            x[Row * 16 + Column] = value;
            (float[] y, _, _) = Run(s, x, w, b, dy, lanes, width: 8);
            for (int i = 0; i < y.Length; i++)
            {
                (int row, int column, int channel, int image) = (i / 16 % 9, i % 16, i / 144 % 2, i / 288);
                bool reads = image == 0 && Reads(row, Row) && Reads(column, Column), touches = Math.Abs(row - Row) <= 1 && Math.Abs(column - Column) <= 1;
                if (image == 0 && touches)
                    Assert.False(float.IsFinite(y[i]), $"{row}, {column} of channel {channel} is {y[i]}");
                else if (!reads)
                    Assert.Equal(clean[i], y[i]);
            }
        }

        // Whether the tile of four outputs from 4 · ⌊output / 4⌋ on reads an input: six from one before them on.
        static bool Reads(int output, int input) => input - (output / 4 * 4 - 1) is >= 0 and < 6;
    }

    [Theory]
    [InlineData((int)ConvolutionAlgorithm.Direct)]
    [InlineData((int)ConvolutionAlgorithm.Winograd)]
    public unsafe void Lanes_without_an_image_add_nothing_to_the_weights_gradient(int algorithm)
    {
        Conv2dShape s = new(3, 2, 6, 9, 5, new(3));
        Random random = new(9);
        float[] x = random.Reals(s.InputLength), dy = random.Reals(s.OutputLength);
        float[] clean = Run(0, 0), inX = Run(float.NaN, 0), inDy = Run(0, float.NaN);
        Assert.Equal(clean, inX);
        Assert.Equal(clean, inDy);

        float[] Run(float deadX, float deadDy)
        {
            float[] dw = new float[s.WeightLength];
            LaneTensor<float> from = Lanes(x, new(2, 6, 9), deadX), gradient = Lanes(dy, new(5, 4, 7), deadDy);
            fixed (float* to = dw)
                Conv2dBackwardWeight.Run(s, from, gradient, to, new(), (ConvolutionAlgorithm)algorithm);
            return dw;
        }

        static LaneTensor<float> Lanes(float[] images, ImageShape shape, float dead)
        {
            LaneTensor<float> lanes = new LaneTensor<float>(16, shape).Resize(16);
            lanes.Pack([.. images, .. Enumerable.Repeat(dead, 16 * (int)shape.Length - images.Length)]);
            return lanes.Resize(3);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Fused_runs_equal_the_layers_one_by_one_to_the_bit(int lanes, int width)
    {
        foreach (Conv2d conv in (Conv2d[])[new(3, 5, 3, padding: 1), new(4, 6, 3, groups: 2), new(2, 3, 3, padding: 2, dilation: 2)])
        {
            (ReLU relu, MaxPool2d pool) = (new(), new(2));
            int images = lanes + 1;                              // 17, or 2 one by one
            Sequential model = new(conv, relu, pool) { ConvolutionAlgorithm = ConvolutionAlgorithm.Winograd };
            conv.ConvolutionAlgorithm = ConvolutionAlgorithm.Winograd;                      // when it is called by itself
            Random random = new(6);
            ImageShape shape = new((int)conv.Weight.Value.Lengths[1] * (conv.ToString().Contains("groups", StringComparison.Ordinal) ? 2 : 1), 9, 14);
            ImageShape output = model.OutputShape(shape);
            Tensor<float> x = random.Tensor(images, shape.Channels, shape.Height, shape.Width);
            Tensor<float> dy = random.Tensor(images, output.Channels, output.Height, output.Width);
            Vectors.Of(width, () =>
            {
                Assert.Equal(Numbers(model.Trace(x)[^1]), Numbers(model.Forward(x)));
                float[] y = Numbers(model.Forward(x, training: true)), dx = Numbers(model.BackwardToInput(dy)), dw = Numbers(conv.Weight.Gradient);
                conv.Weight.Gradient.Clear();
                Assert.Equal(y, Numbers(pool.Forward(relu.Forward(conv.Forward(x, training: true), training: true), training: true)));
                Assert.Equal(dx, Numbers(conv.BackwardToInput(relu.BackwardToInput(pool.BackwardToInput(dy)))));
                Assert.Equal(dw, Numbers(conv.Weight.Gradient));
            });
        }

        static float[] Numbers(Tensor<float> t) => t.AsSpan().ToArray();
    }

    [Fact]
    public void Auto_takes_it_from_16_channels_and_9_tiles_on()
    {
        foreach ((int inputs, int outputs, int kernel, int stride, bool expected) in ((int, int, int, int, bool)[])
            [(16, 16, 3, 1, true), (15, 16, 3, 1, false), (16, 15, 3, 1, false), (16, 16, 5, 1, false), (16, 16, 3, 2, false)])
        {
            Conv2dShape s = new(1, inputs, 9, 8, outputs, new(kernel, stride));
            Assert.Equal(expected, Takes(ConvolutionAlgorithm.Auto, s, 16, 1));
            Assert.Equal(expected, Takes(ConvolutionAlgorithm.Auto, s, 1, 3));
            Assert.False(Takes(ConvolutionAlgorithm.Auto, s, 1, 2));                           // 7×6 outputs are four tiles an image
            Assert.Equal(kernel == 3 && stride == 1, Takes(ConvolutionAlgorithm.Winograd, s, 16, 1));
            Assert.Equal(kernel == 3 && stride == 1, Takes(ConvolutionAlgorithm.Winograd, s, 1, 1));
            Assert.False(Takes(ConvolutionAlgorithm.Direct, s, 16, 16));
            Assert.False(Takes(ConvolutionAlgorithm.Direct, s, 1, 8));
        }
        Conv2dShape dilated = new(1, 16, 19, 18, 16, new(3, dilation: 2));
        Assert.True(Takes(ConvolutionAlgorithm.Winograd, dilated, 16, 16));
        Assert.False(Takes(ConvolutionAlgorithm.Winograd, dilated, 1, 8));

        static bool Takes(ConvolutionAlgorithm algorithm, Conv2dShape shape, int lanes, int images) =>
            algorithm.TakesWinograd(shape, new LaneTensor<float>(lanes, new(1, 1, 1)).Resize(images));
    }

    static (float[] Y, float[] Dx, float[] Dw) Run(Conv2dShape s, float[] x, float[] w, float[] b, float[] dy, int lanes, int width)
    {
        Conv2d layer = Layer(s);
        w.CopyTo(layer.Weight.ValueAs<float>());
        b.CopyTo(layer.Bias!.ValueAs<float>());
        LayerContext<float> context = new() { Training = true, Algorithm = ConvolutionAlgorithm.Winograd };
        LayerBench bench = LayerBench.Run(
            layer, new(s.InputChannels, s.Rows.Input, s.Columns.Input), s.Batch, x, dy, lanes, width, context: context);
        return (bench.Y, bench.Dx, layer.Weight.GradientAs<float>().ToArray());
    }

    static Conv2d Layer(Conv2dShape s) => new(
        s.InputChannels, s.OutputChannels, s.Window.KernelSize, s.Window.Stride, s.Window.Padding, s.Window.Dilation, s.Groups, true, s.Window.PaddingMode);

    static double[] Doubles(float[] values) => Array.ConvertAll(values, v => (double)v);
}
