using System.Runtime.CompilerServices;

namespace MiniCnn.Tests;

/// <summary>
/// What is not in a lane tensor, parameters and the arrays of a pass, goes on beyond its end with numbers: the same ones afterwards, and in no result.
/// </summary>
public class CanaryTests
{
    const int Beyond = 64;
    const float Canary = 12345.67f;

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Weights_gradients_and_scratch_end_where_they_end(int lanes, int width)
    {
        foreach (Conv2dShape s in Geometries.TableAndRandom(100, seed: 12))
        {
            Check(
                () => new Conv2d(
                    s.InputChannels, s.OutputChannels, s.Window.KernelSize, s.Window.Stride, s.Window.Padding, s.Window.Dilation, s.Groups,
                    paddingMode: s.Window.PaddingMode),
                new(s.InputChannels, s.Rows.Input, s.Columns.Input), s.Batch, lanes, width);
        }
        foreach ((int features, int outputs) in ((int, int)[])[(1, 1), (7, 5), (16, 3), (33, 18), (50, 4)])
            foreach (int batch in (int[])[0, 1, 16, 35])
                Check(() => new Linear(features, outputs), ImageShape.Features(features), batch, lanes, width);
    }

    static void Check(Func<Layer> create, ImageShape shape, int batch, int lanes, int width)
    {
        Pass<float> pass = new() { Training = true }, longer = new() { Training = true };
        float[] expected = Run(create(), pass);

        for (int i = 0; i < 2; i++)
        {
            Array.Fill(longer.Numbers(i, pass.Numbers(i, 0).Length + Beyond), Canary);
            Array.Fill(longer.Places(i, pass.Places(i, 0).Length + Beyond), nint.MinValue);
        }
        Layer layer = create();
        foreach (Parameter p in layer.Parameters)
            (Value(p), Gradient(p)) = (Longer(Value(p)), Longer(Gradient(p)));
        Assert.Equal(expected, Run(layer, longer));
        foreach (Parameter p in layer.Parameters)
            Assert.All((float[])[.. Value(p)[^Beyond..], .. Gradient(p)[^Beyond..]], v => Assert.Equal(Canary, v));
        for (int i = 0; i < 2; i++)
        {
            Assert.All(longer.Numbers(i, 0)[^Beyond..], v => Assert.Equal(Canary, v));
            Assert.All(longer.Places(i, 0)[^Beyond..], v => Assert.Equal(nint.MinValue, v));
        }

        float[] Run(Layer layer, Pass<float> pass)
        {
            Random random = new(2);
            float[] x = random.Reals(batch * (int)shape.Length), dy = random.Reals(batch * (int)layer.OutputShape(shape).Length);
            LayerBench bench = LayerBench.Run(layer, shape, batch, x, dy, lanes, width, pass: pass);
            return [.. bench.Y, .. bench.Dx, .. layer.Parameters.SelectMany(p => Gradient(p)[..(int)p.Value.FlattenedLength])];
        }
    }

    static float[] Longer(float[] numbers) => [.. numbers, .. Enumerable.Repeat(Canary, Beyond)];

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "value")]
    static extern ref float[] Value(Parameter parameter);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "gradient")]
    static extern ref float[] Gradient(Parameter parameter);
}
