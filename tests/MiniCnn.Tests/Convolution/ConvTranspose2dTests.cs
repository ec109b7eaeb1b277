using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Compares the transposed convolution with its definition and with the gradient of the convolution that it is the transpose of.</summary>
public sealed class ConvTranspose2dTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Integers_agree_with_the_definition_to_the_bit(int lanes, int width)
    {
        Random random = new(5);
        int tried = 0;
        for (int i = 0; i < 300; i++)
        {
            int groups = random.Next(4) == 0 ? 2 : 1, ic = groups * random.Next(1, i % 10 == 0 ? 18 : 4), oc = groups * random.Next(1, i % 10 == 1 ? 18 : 4);
            int h = random.Next(1, 8), w = random.Next(1, i % 10 == 2 ? 40 : 8), count = (int[])[0, 1, 2, 3, 16, 17] is var counts ? counts[random.Next(6)] : 0;
            Size2d kernel = (random.Next(1, 5), random.Next(1, 5)), stride = (random.Next(1, 4), random.Next(1, 4));
            Size2d dilation = (random.Next(1, 4), random.Next(1, 4));
            Size2d more = (random.Next(Math.Max(stride.Height, dilation.Height)), random.Next(Math.Max(stride.Width, dilation.Width)));
            Padding padding = new(random.Next(4), random.Next(4), random.Next(4), random.Next(4));
            int oh = (h - 1) * stride.Height - padding.Top - padding.Bottom + dilation.Height * (kernel.Height - 1) + more.Height + 1;
            int ow = (w - 1) * stride.Width - padding.Left - padding.Right + dilation.Width * (kernel.Width - 1) + more.Width + 1;
            if (oh < 1 || ow < 1)
                continue;
            tried++;
            ConvTranspose2d layer = new(ic, oc, kernel, stride, padding, more, dilation, groups, bias: i % 3 > 0);
            Assert.Equal(new(oc, oh, ow), layer.OutputShape(new(ic, h, w)));
            float[] x = random.Integers(count * ic * h * w), dy = random.Integers(count * oc * oh * ow);
            float[] weight = random.Integers((int)layer.Weight.Value.FlattenedLength), bias = i % 3 > 0 ? random.Integers(oc) : new float[oc];
            weight.CopyTo(layer.Weight.ValueAs<float>());
            if (layer.Bias is not null)
                bias.CopyTo(layer.Bias.ValueAs<float>());
            layer.Weight.GradientAs<float>().Fill(5);                                    // gradients add to what is there
            LayerBench bench = LayerBench.Run(layer, new(ic, h, w), count, x, dy, lanes, width);

            float[] y = new float[dy.Length], dx = new float[x.Length], dw = [.. Enumerable.Repeat(5f, weight.Length)], db = new float[oc];
            for (int o = 0; o < y.Length; o++)
            {
                y[o] = bias[o / (oh * ow) % oc];
                db[o / (oh * ow) % oc] += dy[o];
            }
            for (int at = 0; at < x.Length; at++)                                        // every pixel of x spreads over the kernel's taps in y
                for (int tap = 0; tap < weight.Length / ic; tap++)
                {
                    int ix = at % w, iy = at / w % h, c = at / (w * h) % ic, n = at / (w * h * ic);
                    int kx = tap % kernel.Width, ky = tap / kernel.Width % kernel.Height, k = tap / kernel.Width / kernel.Height;
                    int ox = ix * stride.Width + kx * dilation.Width - padding.Left, oy = iy * stride.Height + ky * dilation.Height - padding.Top;
                    if (ox < 0 || ox >= ow || oy < 0 || oy >= oh)
                        continue;
                    int to = ((n * oc + c / (ic / groups) * (oc / groups) + k) * oh + oy) * ow + ox, weightAt = c * (weight.Length / ic) + tap;
                    y[to] += weight[weightAt] * x[at];
                    dx[at] += weight[weightAt] * dy[to];
                    dw[weightAt] += x[at] * dy[to];
                }
            Holds("y", y, bench.Y);
            Holds("dx", dx, bench.Dx);
            Holds("dw", dw, layer.Weight.GradientAs<float>());
            if (layer.Bias is not null)
                Holds("db", db, layer.Bias.GradientAs<float>());

            void Holds(string name, float[] expected, ReadOnlySpan<float> actual)
            {
                int wrong = expected.AsSpan().CommonPrefixLength(actual);
                if (wrong < expected.Length)
                    Assert.Fail($"{layer} of {count} × {ic}×{h}×{w}: {name}[{wrong}] is {actual[wrong]}, not {expected[wrong]}");
            }
        }
        Assert.True(tried > 200, $"{tried} geometries only");
    }

    [Theory]                                                                             // sizes of real nets; 17 images: a last group with one
    [InlineData(17, 64, 14, 12, 32, 2, 2, 0, 0, 1, 1)]
    [InlineData(17, 32, 16, 18, 16, 4, 2, 1, 0, 1, 1)]
    [InlineData(3, 16, 15, 20, 24, 3, 2, 1, 1, 1, 1)]
    [InlineData(16, 24, 13, 17, 24, 3, 1, 2, 0, 2, 24)]
    public void It_is_a_convolutions_gradient_turned_into_a_layer(
        int n, int ic, int h, int w, int oc, int kernel, int stride, int padding, int more, int dilation, int groups)
    {
        Random random = new(2);
        ConvTranspose2d layer = new(ic, oc, kernel, stride, padding, more, dilation, groups, bias: false);
        Conv2d convolution = new(oc, ic, kernel, stride, padding, dilation, groups, bias: false);
        ImageShape from = new(ic, h, w), to = layer.OutputShape(from);
        Assert.Equal(from, convolution.OutputShape(to));
        Tensor<float> x = Numbers(from), dy = Numbers(to);
        random.Integers((int)layer.Weight.Value.FlattenedLength).CopyTo(layer.Weight.ValueAs<float>());
        layer.Weight.Value.AsSpan().CopyTo(convolution.Weight.ValueAs<float>());

        Tensor<float> y = layer.Forward(x, training: true), dx = layer.BackwardToInput(dy);
        Tensor<float> forward = convolution.Forward(dy, training: true), backward = convolution.BackwardToInput(x);
        Assert.Equal(backward.AsSpan(), y.AsSpan());
        Assert.Equal(forward.AsSpan(), dx.AsSpan());
        Assert.Equal(convolution.Weight.Gradient.AsSpan(), layer.Weight.Gradient.AsSpan());

        Tensor<float> Numbers(ImageShape shape) => Tensor.Create(random.Integers(n * (int)shape.Length), [n, shape.Channels, shape.Height, shape.Width]);
    }

    [Fact]
    public void A_frozen_parameter_and_a_first_layer_leave_out_what_nobody_needs()
    {
        foreach (int count in (int[])[1, 17])
        {
            (float[] whole, float[] part) = (Gradient(true), Gradient(false));
            Assert.Equal(whole, part);

            // The weight's gradient with dx and without: with one lane the columns of dy are then split for it alone.
            float[] Gradient(bool wantsInput)
            {
                ConvTranspose2d layer = new(3, 2, (3, 2), (2, 3));
                Random random = new(3);
                Tensor<float> x = random.Tensor(count, 3, 4, 5), y = layer.Forward(x, training: true);
                Tensor<float> dy = random.Tensor(y.Lengths);
                if (wantsInput)
                    layer.BackwardToInput(dy);
                else
                    layer.Backward(dy);
                return layer.Weight.Gradient.AsSpan().ToArray();
            }
        }
        ConvTranspose2d frozen = new(3, 2, 2);
        frozen.Weight.Trainable = frozen.Bias!.Trainable = false;
        frozen.Forward(new Random(1).Tensor(1, 3, 4, 5), training: true);
        frozen.Backward(new Random(1).Tensor(1, 2, 5, 6));
        Assert.All(frozen.Parameters, parameter => Assert.False(parameter.Gradient.AsSpan().ContainsAnyExcept(0)));
    }

    [Fact]
    public void Images_of_another_size_find_their_own_geometry()
    {
        ConvTranspose2d layer = new(1, 1, (2, 3), (2, 1), bias: false);
        foreach ((int h, int w) in ((int, int)[])[(3, 4), (3, 5), (4, 5), (4, 4)])
            Assert.Equal([1, 1, 2 * h, w + 2], layer.Forward(Tensor.Create(new float[h * w], [1, 1, h, w])).Lengths.ToArray());
    }

    [Fact]
    public void It_says_what_it_is_and_what_it_cannot_take()
    {
        Assert.Equal("ConvTranspose2d(16→8, 2×2, stride 2)", new ConvTranspose2d(16, 8, 2, 2).ToString());
        Assert.Equal(
            "ConvTranspose2d(4→2, 3×2, stride 2, padding 1, output padding 1×1, groups 2, no bias)",
            new ConvTranspose2d(4, 2, (3, 2), 2, 1, 1, groups: 2, bias: false).ToString());
        Assert.Equal(3L * 4 * 5 * 2 * 6, new ConvTranspose2d(3, 2, (3, 2)).MultiplyAdds(new(3, 4, 5)));
        Refuses(() => _ = new ConvTranspose2d(3, 2, 2, 2, outputPadding: 2),
            "output padding must be at least 0 and smaller than the stride, 2×2, or the dilation, 1×1, not 2×2");
        Refuses(() => _ = new ConvTranspose2d(3, 2, 2, 2, outputPadding: (0, -1)), "output padding");
        Refuses(() => _ = new ConvTranspose2d(3, 2, 2, groups: 3), "3 groups must divide the channels");
        Refuses(() => new ConvTranspose2d(3, 2, 2).OutputShape(new(2, 4, 5)), "ConvTranspose2d(3→2, 2×2): takes images of 3 channels, not 2×4×5");
        Refuses(() => new ConvTranspose2d(3, 2, 2).OutputShape(ImageShape.Features(3)), "takes images of 3 channels");
        Refuses(() => new ConvTranspose2d(3, 2, 2, padding: 3).OutputShape(new(3, 4, 9)), "an input of 3×4×9 gives an output of -1×4 pixels; use less padding");
        Refuses(() => new ConvTranspose2d(1, 1, 2, int.MaxValue).OutputShape(new(1, 3, 3)), "more elements than an array can hold");
        Refuses(() => new ConvTranspose2d(1, 1, 2, padding: int.MaxValue).OutputShape(new(1, 3, 3)), "use less padding");

        static void Refuses(Action action, string why) => Assert.Contains(why, Assert.Throws<ArgumentException>(action).Message);
    }
}
