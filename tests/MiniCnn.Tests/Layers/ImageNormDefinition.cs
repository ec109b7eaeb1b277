using static MiniCnn.Tests.Rounded;

namespace MiniCnn.Tests;

/// <summary>
/// Group norm and layer norm by their definition, in double, with a bound on the rounding error of each float result: a sum with k roundings has
/// an error of at most k·ε times the sum of absolute values.
/// </summary>
sealed class ImageNormDefinition
{
    readonly double[] y, dx, dweight, dbias, yBound, dxBound, dweightBound, dbiasBound;

    // sets: of channels in an image; weight: one a channel, or one a number of an image; roundings: of a sum over a set.
    public ImageNormDefinition(
        int sets, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, double epsilon, float[] x, float[] dy, int count, ImageShape shape, int roundings)
    {
        int image = (int)shape.Length, m = image / sets, repeats = image / weight.Length;
        double k = roundings * Epsilon, kWeight = (count * repeats + 16) * Epsilon;
        (y, dx, yBound, dxBound) = (new double[x.Length], new double[x.Length], new double[x.Length], new double[x.Length]);
        (dweight, dbias) = (new double[weight.Length], new double[weight.Length]);
        (dweightBound, dbiasBound) = (new double[weight.Length], new double[weight.Length]);
        for (int first = 0; first < x.Length; first += m)
        {
            ReadOnlySpan<float> numbers = x.AsSpan(first, m);
            double mean = 0, size = 0, variance = 0;
            foreach (float number in numbers)
                (mean, size) = (mean + number / (double)m, size + Math.Abs(number) / (double)m);
            foreach (float number in numbers)
                variance += (number - mean) * (number - mean) / m;
            double inverse = 1 / Math.Sqrt(variance + epsilon), meanError = k * size;
            double scaleError = k + meanError * meanError * inverse * inverse;                      // a share of it
            double sum = 0, products = 0, sumSize = 0, productsSize = 0, productsError = 0;
            for (int i = first; i < first + m; i++)
            {
                (double hat, double hatError, int at) = Hat(i, weight.Length);
                (y[i], yBound[i]) = (hat * weight[at] + bias[at], Math.Abs(weight[at]) * hatError);
                yBound[i] += 4 * Epsilon * (Math.Abs(y[i]) + Math.Abs(bias[at]));
                double gradient = dy[i] * (double)weight[at];
                (sum, sumSize) = (sum + gradient / m, sumSize + Math.Abs(gradient) / m);
                (products, productsSize) = (products + gradient * hat / m, productsSize + Math.Abs(gradient * hat) / m);
                productsError += Math.Abs(gradient) * hatError / m;
                (dbias[at], dbiasBound[at]) = (dbias[at] + dy[i], dbiasBound[at] + kWeight * Math.Abs(dy[i]));
                dweight[at] += dy[i] * hat;
                dweightBound[at] += Math.Abs(dy[i]) * (kWeight * Math.Abs(hat) + hatError);
            }
            productsError += k * productsSize;
            for (int i = first; i < first + m; i++)
            {
                (double hat, double hatError, int at) = Hat(i, weight.Length);
                double gradient = dy[i] * (double)weight[at];
                dx[i] = inverse * (gradient - sum - hat * products);
                dxBound[i] = inverse * ((scaleError + k) * (Math.Abs(gradient) + sumSize + Math.Abs(hat) * productsSize)
                    + hatError * productsSize + (Math.Abs(hat) + hatError) * productsError);
            }

            (double Hat, double Error, int Weight) Hat(int i, int weights)
            {
                double hat = (x[i] - mean) * inverse;
                return (hat, inverse * meanError + scaleError * Math.Abs(hat), i % image / (image / weights));
            }
        }
    }

    /// <summary>Runs a layer with random weights and compares the results with the definition.</summary>
    public static void Check(
        Layer norm, int sets, double epsilon, ImageShape shape, int count, int lanes, int width, Random random, float shift = 0, float scale = 1)
    {
        float[] x = [.. random.Reals((int)(count * shape.Length)).Select(u => scale * u + shift)], dy = random.Reals(x.Length);
        foreach (Parameter parameter in norm.Parameters)
        {
            random.Reals((int)parameter.Value.FlattenedLength).CopyTo(parameter.ValueAs<float>());
            parameter.GradientAs<float>().Clear();
        }
        LayerBench bench = LayerBench.Run(norm, shape, count, x, dy, lanes, width);
        // A row's quarters, its rows, a block of channels, the blocks, and a few more.
        int roundings = shape.Width / 4 + shape.Height + Math.Min(64, shape.Channels / sets) + shape.Channels / sets / 64 + 16;
        new ImageNormDefinition(sets, norm.Parameters[0].Value.AsSpan(), norm.Parameters[1].Value.AsSpan(), epsilon, x, dy, count, shape, roundings)
            .AssertHolds($"{norm} {count}×{shape}, {lanes} lanes of {width}", bench.Y, bench.Dx, norm);
    }

    public void AssertHolds(string what, ReadOnlySpan<float> y, ReadOnlySpan<float> dx, Layer norm)
    {
        Near($"{what}: y", this.y, yBound, y);
        Near($"{what}: dweight", dweight, dweightBound, norm.Parameters[0].GradientAs<float>());
        Near($"{what}: dbias", dbias, dbiasBound, norm.Parameters[1].GradientAs<float>());
        Near($"{what}: dx", this.dx, dxBound, dx);
    }

    static void Near(string what, double[] expected, double[] bound, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (!(Math.Abs(actual[i] - expected[i]) <= bound[i]))
                Assert.Fail($"{what}[{i}] = {actual[i]}, not {expected[i]} ± {bound[i]}");
    }
}
