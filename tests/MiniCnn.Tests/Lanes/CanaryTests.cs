using System.Reflection;
using System.Runtime.CompilerServices;

namespace MiniCnn.Tests;

/// <summary>
/// Parameters, the arrays of a context and the scratch memory of a thread are extended with canaries. The canaries must stay unchanged and must not affect the
/// results.
/// </summary>
public class CanaryTests
{
    const int Beyond = 64;
    const float Canary = 12345.67f;

    static readonly FieldInfo scratch = typeof(Scratch<float>).GetField("kept", BindingFlags.NonPublic | BindingFlags.Static)!;

    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void Weights_gradients_and_scratch_end_where_they_end(int lanes, int width)
    {
        foreach (Conv2dShape s in Geometries.TableAndRandom(100, seed: 12))
        {
            ImageShape shape = new(s.InputChannels, s.Rows.Input, s.Columns.Input);
            Check(Conv, shape, s.Batch, lanes, width);
            if (s.OutputHeight > 1 && s.OutputWidth > 1)
                Check(() => new Sequential(Conv(), new ReLU(), new MaxPool2d(2)), shape, s.Batch, lanes, width);

            Conv2d Conv() => new(
                s.InputChannels, s.OutputChannels, s.Window.KernelSize, s.Window.Stride, s.Window.Padding, s.Window.Dilation, s.Groups,
                paddingMode: s.Window.PaddingMode);
        }
        foreach ((int features, int outputs) in ((int, int)[])[(1, 1), (7, 5), (16, 3), (33, 18), (50, 4)])
            foreach (int batch in (int[])[0, 1, 16, 35])
                Check(() => new Linear(features, outputs), ImageShape.Features(features), batch, lanes, width);
        ImageShape images = new(6, 3, 5);
        foreach (int batch in (int[])[2, 16, 35])
            foreach (Func<Layer> norm in (Func<Layer>[])[() => new BatchNorm2d(6), () => new GroupNorm(3, 6), () => new LayerNorm(images)])
                Check(norm, images, batch, lanes, width);
        foreach (int batch in (int[])[2, 16, 35])
            Check(() => new BatchNorm1d(7), 7, batch, lanes, width);
    }

    static void Check(Func<Layer> create, ImageShape shape, int batch, int lanes, int width)
    {
        // Once with just what it asks for, once with more.
        LayerContext<float> exact = Training(), longer = Training();
        scratch.SetValue(null, null);
        float[] expected = Run(create(), exact);

        (GrowingArray<float>[] numbers, GrowingArray<nint>[] places) = Arrays(longer);
        (GrowingArray<float>[] numbersBefore, GrowingArray<nint>[] placesBefore) = Arrays(exact);
        foreach ((GrowingArray<float> from, GrowingArray<float> to) in numbersBefore.Zip(numbers))
            Array.Fill(to.Take(from.Take(0).Length + Beyond), Canary);
        foreach ((GrowingArray<nint> from, GrowingArray<nint> to) in placesBefore.Zip(places))
            Array.Fill(to.Take(from.Take(0).Length + Beyond), nint.MinValue);
        float[] memory = GC.AllocateUninitializedArray<float>((scratch.GetValue(null) as float[] ?? []).Length + Beyond, pinned: true);
        Array.Fill(memory, Canary);
        scratch.SetValue(null, memory);
        Layer layer = create();
        layer.Initialize(0);                                             // drawn later, weights would take the canaries' place
        foreach (Parameter p in layer.Parameters)
            (Value(p), Gradient(p)) = (Longer(Value(p)), Longer(Gradient(p)));
        Assert.Equal(expected, Run(layer, longer));

        IEnumerable<float[]> all = [memory, .. layer.Parameters.Select(p => Value(p)), .. layer.Parameters.Select(p => Gradient(p))];
        Assert.All([.. all, .. numbers.Select(array => array.Take(0))], array => Assert.False(array.AsSpan()[^Beyond..].ContainsAnyExcept(Canary)));
        Assert.All(places, array => Assert.False(array.Take(0).AsSpan()[^Beyond..].ContainsAnyExcept(nint.MinValue)));

        static LayerContext<float> Training() => new() { Training = true, Algorithm = ConvolutionAlgorithm.Winograd };

        float[] Run(Layer layer, LayerContext<float> context)
        {
            Random random = new(2);
            float[] x = random.Reals(batch * (int)shape.Length), dy = random.Reals(batch * (int)layer.OutputShape(shape).Length);
            LayerBench bench = LayerBench.Run(layer, shape, batch, x, dy, lanes, width, context: context);
            return [.. bench.Y, .. bench.Dx, .. layer.Parameters.SelectMany(p => Gradient(p)[..(int)p.Value.FlattenedLength])];
        }
    }

    /// <summary>The arrays of a convolution, for a convolution on its own and for the first step of a model.</summary>
    static (GrowingArray<float>[] Numbers, GrowingArray<nint>[] Places) Arrays(LayerContext<float> context)
    {
        ConvolutionBuffers<float> alone = context.State<ConvolutionBuffers<float>>(), first = context.Child(0).Child(0).State<ConvolutionBuffers<float>>();
        return ([alone.Weights, alone.Zeros, first.Weights, first.Zeros], [alone.Offsets, alone.Places, first.Offsets, first.Places]);
    }

    static float[] Longer(float[] numbers) => [.. numbers, .. Enumerable.Repeat(Canary, Beyond)];

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "value")]
    static extern ref float[] Value(Parameter parameter);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "gradient")]
    static extern ref float[] Gradient(Parameter parameter);
}
