using MathNet.Numerics.LinearAlgebra;

namespace MiniCnn.Tests;

public class Conv2dReferenceTests
{
    static readonly Padding OneAround = 1;

    [Fact]
    public void The_lectures_5x5_image_and_3x3_kernel()
    {
        double[] x = [1, 2, 4, 2, 1, 4, 7, 3, 2, 1, 4, 5, 2, 3, 1, 2, 1, 7, 8, 4, 3, 2, 4, 7, 8], w = [1, 0, 1, 0, 2, 1, 1, 0, 1];
        double[] y = new double[9];
        Conv2dReference.Forward(new(1, 1, 5, 5, 1, new(3)), x, w, [], y);
        Assert.Equal([28, 20, 13, 28, 25, 22, 22, 39, 35], y);
        Conv2dReference.Forward(new(1, 1, 5, 5, 1, new(3)), x, [.. w.Select(v => v / 9)], [0.5], y);
        Assert.Equal(28 / 9.0 + 0.5, y[0], 12);
    }

    [Fact]
    public void The_kernel_is_not_flipped_and_padding_modes_are_PyTorchs()
    {
        double[] row = [1, 2, 3, 4];
        Assert.Equal([2, 4, 6, 3], Slide(row, PaddingMode.Zeros));               // left neighbour + right neighbour
        Assert.Equal([4, 4, 6, 6], Slide(row, PaddingMode.Reflect));
        Assert.Equal([3, 4, 6, 7], Slide(row, PaddingMode.Replicate));
        Assert.Equal([6, 4, 6, 4], Slide(row, PaddingMode.Circular));

        double[] y = new double[4];
        Conv2dReference.Forward(new(1, 1, 1, 4, 1, new((1, 3), 1, (0, 1))), row, [1, 0, 0], [], y);
        Assert.Equal([0, 1, 2, 3], y);                                           // tap 0 looks to the left

        static double[] Slide(double[] row, PaddingMode mode)
        {
            double[] y = new double[row.Length], vertical = new double[row.Length];
            Conv2dReference.Forward(new(1, 1, 1, row.Length, 1, new((1, 3), 1, (0, 1), 1, mode)), row, [1, 0, 1], [], y);
            Conv2dReference.Forward(new(1, 1, row.Length, 1, 1, new((3, 1), 1, (1, 0), 1, mode)), row, [1, 0, 1], [], vertical);
            Assert.Equal(y, vertical);
            return y;
        }
    }

    [Fact]
    public void Forward_is_im2col_times_the_weights()
    {
        Random random = new(1);
        foreach (Conv2dShape s in Geometries.TableAndRandom(60, seed: 1).Where(s => s.Window.PaddingMode == PaddingMode.Zeros && s.Batch > 0))
        {
            double[] x = Doubles(random, s.InputLength), w = Doubles(random, s.WeightLength), b = Doubles(random, s.OutputChannels);
            double[] y = Doubles(random, s.OutputLength);
            Conv2dReference.Forward(s, x, w, b, y);
            int taps = s.Window.Taps, pixels = s.OutputHeight * s.OutputWidth, depth = s.GroupInputChannels * taps;
            (int top, int left, _, _) = s.Window.Padding;
            for (int n = 0; n < s.Batch; n++)
                for (int g = 0; g < s.Groups; g++)
                {
                    // One column an output pixel, one row a tap: written from the formula, not by Conv2dShape's own arithmetic.
                    Matrix<double> columns = Matrix<double>.Build.Dense(depth, pixels, (r, p) =>
                    {
                        int channel = g * s.GroupInputChannels + r / taps, ky = r % taps / s.Columns.Kernel, kx = r % s.Columns.Kernel;
                        int iy = p / s.OutputWidth * s.Window.Stride.Height + ky * s.Window.Dilation.Height - top;
                        int ix = p % s.OutputWidth * s.Window.Stride.Width + kx * s.Window.Dilation.Width - left;
                        bool inside = iy >= 0 && iy < s.Rows.Input && ix >= 0 && ix < s.Columns.Input;
                        return inside ? x[((n * s.InputChannels + channel) * s.Rows.Input + iy) * s.Columns.Input + ix] : 0;
                    });
                    Matrix<double> kernels = Matrix<double>.Build.Dense(s.GroupOutputChannels, depth, (o, r) => w[(g * s.GroupOutputChannels + o) * depth + r]);
                    Matrix<double> product = kernels * columns;
                    for (int o = 0; o < s.GroupOutputChannels; o++)
                        for (int p = 0; p < pixels; p++)
                        {
                            int oc = g * s.GroupOutputChannels + o;
                            Assert.Equal(product[o, p] + b[oc], y[(n * s.OutputChannels + oc) * pixels + p], 1e-12);
                        }
                }
        }
    }

    [Fact]
    public void Gradients_are_adjoints()
    {
        // The convolution is linear in x and in w, so <conv(x, w), dy> = <x, dx> = <w, dw>; and <b, db> is what the bias adds.
        Random random = new(2);
        foreach (Conv2dShape s in Geometries.TableAndRandom(300, seed: 2))
        {
            double[] x = Doubles(random, s.InputLength), w = Doubles(random, s.WeightLength), b = Doubles(random, s.OutputChannels);
            double[] dy = Doubles(random, s.OutputLength), y = Doubles(random, s.OutputLength), dx = Doubles(random, s.InputLength);
            double[] dw = new double[s.WeightLength], db = new double[s.OutputChannels];
            Conv2dReference.Forward(s, x, w, [], y);
            Conv2dReference.BackwardInput(s, dy, w, dx);
            Conv2dReference.BackwardWeight(s, x, dy, dw);
            Conv2dReference.BackwardBias(s, dy, db);
            Assert.Equal(Dot(y, dy), Dot(x, dx), 1e-9);
            Assert.Equal(Dot(y, dy), Dot(w, dw), 1e-9);
            double[] biased = new double[s.OutputLength];
            Conv2dReference.Forward(s, x, w, b, biased);
            Assert.Equal(Dot(biased, dy) - Dot(y, dy), Dot(b, db), 1e-9);
        }
    }

    [Fact]
    public void Forward_and_dx_overwrite_while_dw_and_db_accumulate()
    {
        Random random = new(3);
        Conv2dShape s = new(2, 3, 6, 8, 4, new((2, 3), (2, 1), OneAround));
        float[] x = random.Integers(s.InputLength), w = random.Integers(s.WeightLength), dy = random.Integers(s.OutputLength);
        float[] y = RandomNumbers.Rubbish(s.OutputLength), dx = RandomNumbers.Rubbish(s.InputLength), dw = new float[s.WeightLength], db = new float[4];
        Conv2dReference.Forward(s, x, w, [], y);
        Conv2dReference.BackwardInput(s, dy, w, dx);
        Assert.DoesNotContain(y, float.IsNaN);
        Assert.DoesNotContain(dx, float.IsNaN);
        Conv2dReference.BackwardWeight(s, x, dy, dw);
        Conv2dReference.BackwardBias(s, dy, db);
        (float[] dwOnce, float[] dbOnce) = ([.. dw], [.. db]);
        Conv2dReference.BackwardWeight(s, x, dy, dw);
        Conv2dReference.BackwardBias(s, dy, db);
        Assert.Equal(dwOnce.Select(v => 2 * v), dw);
        Assert.Equal(dbOnce.Select(v => 2 * v), db);
    }

    [Fact]
    public void A_stride_takes_every_nth_output_and_a_dilation_is_a_kernel_stuffed_with_zeros()
    {
        Random random = new(5);
        foreach (Conv2dShape s in Geometries.TableAndRandom(100, seed: 5))
        {
            float[] x = random.Integers(s.InputLength), w = random.Integers(s.WeightLength), y = new float[s.OutputLength];
            Conv2dReference.Forward(s, x, w, [], y);
            Size2d stuffed = (s.Rows.Span, s.Columns.Span);
            Conv2dShape dense = new(
                s.Batch, s.InputChannels, s.Rows.Input, s.Columns.Input, s.OutputChannels,
                new(stuffed, 1, s.Window.Padding, 1, s.Window.PaddingMode), s.Groups);
            float[] kernel = new float[dense.WeightLength], full = new float[dense.OutputLength];
            for (int i = 0; i < w.Length; i++)
            {
                int kx = i % s.Columns.Kernel, ky = i / s.Columns.Kernel % s.Rows.Kernel, channel = i / s.Window.Taps;
                kernel[(channel * stuffed.Height + ky * s.Rows.Dilation) * stuffed.Width + kx * s.Columns.Dilation] = w[i];
            }
            Conv2dReference.Forward(dense, x, kernel, [], full);
            for (int i = 0; i < y.Length; i++)
            {
                int ox = i % s.OutputWidth * s.Columns.Stride, oy = i / s.OutputWidth % s.OutputHeight * s.Rows.Stride;
                int plane = i / (s.OutputWidth * s.OutputHeight);
                Assert.Equal(full[(plane * dense.OutputHeight + oy) * dense.OutputWidth + ox], y[i]);
            }
        }
    }

    [Fact]
    public void Padding_is_convolving_the_padded_image_and_groups_are_convolutions_of_their_own()
    {
        Random random = new(6);
        foreach (Conv2dShape s in Geometries.TableAndRandom(100, seed: 6))
        {
            float[] x = random.Integers(s.InputLength), w = random.Integers(s.WeightLength), y = new float[s.OutputLength];
            Conv2dReference.Forward(s, x, w, [], y);
            (int top, int left, int bottom, int right) = s.Window.Padding;
            int h = s.Rows.Input, wide = s.Columns.Input, height = top + h + bottom, width = left + wide + right;
            int inputs = s.GroupInputChannels, outputs = s.GroupOutputChannels, plane = s.OutputHeight * s.OutputWidth;
            Conv2dShape one = new(1, inputs, height, width, outputs, new(s.Window.KernelSize, s.Window.Stride, 0, s.Window.Dilation));
            for (int n = 0; n < s.Batch; n++)
                for (int g = 0; g < s.Groups; g++)
                {
                    float[] padded = new float[one.InputLength], part = new float[one.OutputLength];
                    for (int i = 0; i < padded.Length; i++)
                    {
                        int row = Geometries.Source(s.Window.PaddingMode, i / width % height - top, h), column = Geometries.Source(s.Window.PaddingMode, i % width - left, wide);
                        int channel = g * inputs + i / (width * height);
                        padded[i] = row < 0 || column < 0 ? 0 : x[((n * s.InputChannels + channel) * h + row) * wide + column];
                    }
                    Conv2dReference.Forward<float>(one, padded, w.AsSpan(g * one.WeightLength, one.WeightLength), [], part);
                    Assert.Equal(part, y.AsSpan((n * s.OutputChannels + g * outputs) * plane, outputs * plane).ToArray());
                }
        }
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Conv2dShape s = new(1, 1, 4, 5, 2, new((2, 3)));
        ArgumentException e = Assert.Throws<ArgumentException>(() => Conv2dReference.Forward<float>(s, new float[20], new float[12], new float[3], new float[18]));
        Assert.Equal("b must hold 2 numbers for this convolution, not 3", e.Message);
        Assert.Throws<ArgumentException>(() => Conv2dReference.Forward<float>(s, new float[19], new float[12], [], new float[18]));
        Assert.Throws<ArgumentException>(() => Conv2dReference.BackwardInput<float>(s, new float[18], new float[12], new float[21]));
        Assert.Throws<ArgumentException>(() => Conv2dReference.BackwardWeight<float>(s, new float[20], new float[18], new float[11]));
        Assert.Throws<ArgumentException>(() => Conv2dReference.BackwardBias<float>(s, new float[18], new float[1]));
    }

    static double[] Doubles(Random random, int length) => [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() * 2 - 1)];

    static double Dot(double[] a, double[] b) => a.Zip(b, (p, q) => p * q).Sum();
}
