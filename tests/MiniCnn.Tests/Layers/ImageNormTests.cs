using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Properties that group norm and layer norm share.</summary>
[Collection("Workers")]                                               // some tests turn Workers.Count
public sealed class ImageNormTests
{
    static readonly (string Name, ImageShape Shape, Func<Layer> Layer)[] norms =
    [
        ("group norm", new(6, 7, 5), () => new GroupNorm(3, 6)),
        ("layer norm", new(3, 7, 5), () => new LayerNorm(new ImageShape(3, 7, 5))),
        ("features", ImageShape.Features(70), () => new LayerNorm(70)),
    ];

    public static TheoryData<string> Names => [.. norms.Select(norm => norm.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Results_hang_neither_on_the_vectors_width_nor_on_the_number_of_threads(string name)
    {
        (ImageShape shape, Layer norm) = Named(name);
        float[] x = new Random(1).Reals((int)(19 * shape.Length)), dy = new Random(2).Reals(x.Length);
        foreach (int lanes in (int[])[1, 16])
        {
            float[]? expected = null;
            foreach (int width in (int[])[16, 8, 4, 1])
                for (int threads = 1; width <= lanes && threads <= 3; threads++)
                {
                    float[] results = Threads.Of(threads, () => Results(norm, shape, x, dy, lanes, width));
                    expected ??= results;
                    Assert.Equal(expected, results);
                }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_image_is_normed_by_itself_in_training_and_after_it_among_few_and_among_many(string name)
    {
        (ImageShape shape, Layer norm) = Named(name);
        int length = (int)shape.Length;
        float[] x = new Random(1).Reals(19 * length), dy = new Random(2).Reals(x.Length);
        LayerBench all = LayerBench.Run(norm, shape, 19, x, dy, 16, 4), without = LayerBench.Run(norm, shape, 19, x, dy, 16, 4, training: false);
        Assert.Equal(all.Y, without.Y);
        for (int image = 0; image < 19; image++)
        {
            Range range = (image * length)..((image + 1) * length);
            LayerBench alone = LayerBench.Run(norm, shape, 1, x[range], dy[range], 1, 1);
            Assert.Equal(all.Y[range], alone.Y);
            Assert.Equal(all.Dx[range], alone.Dx);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NaN_in_one_image_is_in_all_of_it_and_in_no_other_one(string name)
    {
        (ImageShape shape, Layer norm) = Named(name);
        int length = (int)shape.Length, set = norm is GroupNorm ? length / 3 : length;
        float[] x = new Random(1).Reals(19 * length), dy = new Random(2).Reals(x.Length);
        x[(2 * length) + 1] = float.NaN;
        LayerBench bench = LayerBench.Run(norm, shape, 19, x, dy, 16, 4);
        for (int i = 0; i < x.Length; i++)
            Assert.Equal((i / set == 2 * length / set, i / set == 2 * length / set), (float.IsNaN(bench.Y[i]), float.IsNaN(bench.Dx[i])));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_frozen_gets_no_gradient(string name)
    {
        (ImageShape shape, Layer norm) = Named(name);
        float[] x = new Random(1).Reals((int)(3 * shape.Length)), both = Results(norm, shape, x, x, 1, 1);
        int length = (int)norm.Parameters[0].Value.FlattenedLength;
        for (int frozen = 0; frozen < 2; frozen++)
        {
            norm.Parameters[frozen].Trainable = false;
            float[] expected = [.. both], results = Results(norm, shape, x, x, 1, 1);
            norm.Parameters[frozen].Trainable = true;
            expected.AsSpan(2 * x.Length + frozen * length, length).Clear();
            Assert.Equal(expected, results);
        }
    }

    [Fact]
    public void Large_images_far_from_zero_are_as_precise_as_small_ones()
    {
        ImageShape shape = new(64, 112, 96);
        ImageNormDefinition.Check(new GroupNorm(8, 64), 8, 1e-5, shape, 1, 1, 1, new Random(1), shift: 3);
        ImageNormDefinition.Check(new LayerNorm(shape), 1, 1e-5, shape, 1, 1, 1, new Random(1), shift: 3);

        // Numbers so much alike that each addition to one long sum would be rounded the same way.
        ImageNormDefinition.Check(new LayerNorm(20_000), 1, 1e-5, ImageShape.Features(20_000), 17, 16, 4, new Random(1), shift: 16.7f, scale: 1f / 1024);
    }

    [Fact]
    public void Weights_begin_at_one_and_are_saved_under_PyTorchs_names_and_no_images_change_nothing()
    {
        Sequential model = new(new GroupNorm(1, 2), new LayerNorm(new ImageShape(2, 3, 4)));
        Assert.Equal(["0.weight [2]", "0.bias [2]", "1.weight [2, 3, 4]", "1.bias [2, 3, 4]"], model.Parameters.Select(p => $"{p}"));
        Assert.Equal(model.Parameters.Select(p => p.Name), model.Stored.Select(tensor => tensor.Name));
        for (int time = 0; time < 2; time++)
        {
            Assert.Equal<float[]>([1, 1, 0, 0], [.. model.Parameters[0].ValueAs<float>(), .. model.Parameters[1].ValueAs<float>()]);
            Assert.All(model.Parameters[2].ValueAs<float>().ToArray(), one => Assert.Equal(1, one));
            Assert.All(model.Parameters[3].ValueAs<float>().ToArray(), zero => Assert.Equal(0, zero));
            foreach (Parameter parameter in model.Parameters)
                parameter.ValueAs<float>().Fill(5);
            model.Initialize(1);
        }
        Assert.Equal(0, model.Forward(Tensor.CreateFromShape<float>([0, 2, 3, 4]), training: true).FlattenedLength);
        model.Backward(Tensor.CreateFromShape<float>([0, 2, 3, 4]));
        Assert.All(model.Gradients, zero => Assert.Equal(0, zero));
    }

    static (ImageShape Shape, Layer Layer) Named(string name)
    {
        (_, ImageShape shape, Func<Layer> layer) = norms.Single(norm => norm.Name == name);
        Layer norm = layer();
        foreach (Parameter parameter in norm.Parameters)
            new Random(parameter.Name.Length).Reals((int)parameter.Value.FlattenedLength).CopyTo(parameter.ValueAs<float>());
        return (shape, norm);
    }

    /// <summary>y, dx, dweight, dbias.</summary>
    static float[] Results(Layer norm, ImageShape shape, float[] x, float[] dy, int lanes, int width)
    {
        norm.ClearGradients();
        LayerBench bench = LayerBench.Run(norm, shape, (int)(x.Length / shape.Length), x, dy, lanes, width);
        return [.. bench.Y, .. bench.Dx, .. norm.Gradients];
    }
}
