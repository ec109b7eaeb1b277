namespace MiniCnn.Tests;

/// <summary>The gradients are the adjoints of the forward pass: ⟨conv(x, w), dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩, at the sizes of real networks.</summary>
/// <remarks>
/// The numbers are whole, so their sums below 2²⁴ are exact, the three products are bitwise equal, and a single wrong element is found. With real
/// numbers of both signs, the rounding bound k·ε·Σ|x·w·dy|, with k products in a sum, exceeds the products at these sizes and would prove nothing.
/// </remarks>
public class AdjointTests
{
    [Theory]                                                          // 17 and 33 images: a last group with one
    [InlineData(17, 1, 28, 28, 8, 3, 1, 1, 1, 1, 16)]
    [InlineData(17, 8, 14, 14, 16, 3, 1, 1, 1, 1, 16)]
    [InlineData(17, 1, 28, 28, 32, 3, 1, 0, 1, 1, 16)]
    [InlineData(17, 32, 26, 26, 64, 3, 1, 0, 1, 1, 16)]
    [InlineData(33, 1, 28, 28, 6, 5, 1, 2, 1, 1, 16)]
    [InlineData(33, 6, 14, 14, 16, 5, 1, 0, 1, 1, 16)]
    [InlineData(17, 3, 64, 64, 32, 3, 1, 1, 1, 1, 16)]
    [InlineData(17, 32, 32, 32, 64, 3, 1, 1, 1, 1, 16)]
    [InlineData(16, 64, 56, 56, 64, 3, 1, 1, 1, 1, 16)]
    [InlineData(16, 64, 56, 56, 128, 3, 2, 1, 1, 1, 16)]
    [InlineData(16, 256, 14, 14, 256, 3, 1, 1, 1, 1, 16)]
    [InlineData(16, 64, 56, 56, 256, 1, 1, 0, 1, 1, 16)]
    [InlineData(8, 3, 224, 224, 64, 7, 2, 3, 1, 1, 16)]
    [InlineData(2, 3, 224, 224, 64, 7, 2, 3, 1, 1, 1)]
    [InlineData(16, 64, 28, 28, 64, 3, 1, 2, 2, 1, 16)]
    [InlineData(16, 64, 28, 28, 64, 3, 1, 4, 4, 1, 16)]
    [InlineData(17, 64, 28, 28, 64, 3, 1, 1, 1, 64, 16)]
    [InlineData(1, 1, 224, 224, 1, 3, 1, 1, 1, 1, 1)]
    [InlineData(1, 3, 512, 512, 16, 3, 1, 1, 1, 1, 1)]
    public void Gradients_are_adjoints_at_full_size(
        int n, int ic, int h, int w, int oc, int kernel, int stride, int padding, int dilation, int groups, int lanes)
    {
        Random random = new(1);
        Conv2d layer = new(ic, oc, kernel, stride, padding, dilation, groups);
        Span<float> weight = layer.Weight.ValueAs<float>(), bias = layer.Bias!.ValueAs<float>();
        random.Integers(weight.Length).CopyTo(weight);
        random.Integers(bias.Length).CopyTo(bias);
        ImageShape shape = new(ic, h, w);
        float[] x = random.Integers(n * (int)shape.Length), dy = random.Integers(n * (int)layer.OutputShape(shape).Length);
        LayerBench bench = LayerBench.Run(layer, shape, n, x, dy, lanes, LayerBench.Widest(lanes));

        double product = Dot(x, bench.Dx);
        Assert.Equal(product, Dot(weight, layer.Weight.GradientAs<float>()));
        Assert.Equal(product, Dot(bench.Y, dy) - Dot(bias, layer.Bias.GradientAs<float>()));
    }

    static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
