namespace MiniCnn.Tests;

/// <summary>Compares the three passes of Linear with plain loops, on whole numbers: their sums are exact in any order.</summary>
public class LinearTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Every_form_agrees_with_plain_loops(int lanes, int width)
    {
        Random random = new(lanes + width);
        foreach ((int input, int output) in ((int, int)[])[(1, 1), (7, 3), (16, 8), (64, 5), (65, 17), (135, 21), (300, 12)])
            foreach (int count in (int[])[0, 1, 2, 15, 17, 64, 65, 100])
                foreach (bool margins in (bool[])[true, false])
                    Check(new(input, output, bias: margins), input, output, count, random, lanes, width, margins);
    }

    static void Check(Linear layer, int input, int output, int count, Random random, int lanes, int width, bool margins)
    {
        float[] x = random.Integers(count * input), dy = random.Integers(count * output), w = random.Integers(output * input), b = random.Integers(output);
        float[] dw = random.Integers(output * input), db = random.Integers(output);
        w.CopyTo(layer.Weight.ValueAs<float>());
        dw.CopyTo(layer.Weight.GradientAs<float>());                                                  // gradients are added to
        if (layer.Bias is { } given)
        {
            b.CopyTo(given.ValueAs<float>());
            db.CopyTo(given.GradientAs<float>());
        }
        else
        {
            Array.Clear(b);
        }
        LayerBench bench = LayerBench.Run(layer, ImageShape.Features(input), count, x, dy, lanes, width, margins: margins);

        float[] y = new float[count * output], dx = new float[count * input];
        for (int n = 0; n < count; n++)
            for (int o = 0; o < output; o++)
            {
                float g = dy[n * output + o];
                y[n * output + o] = b[o];
                db[o] += g;
                for (int i = 0; i < input; i++)
                {
                    y[n * output + o] += w[o * input + i] * x[n * input + i];
                    dx[n * input + i] += w[o * input + i] * g;
                    dw[o * input + i] += x[n * input + i] * g;
                }
            }
        Assert.Equal(y, bench.Y);
        Assert.Equal(dx, bench.Dx);
        Assert.Equal(dw, layer.Weight.GradientAs<float>());
        if (layer.Bias is not null)
            Assert.Equal(db, layer.Bias.GradientAs<float>());
    }
}
