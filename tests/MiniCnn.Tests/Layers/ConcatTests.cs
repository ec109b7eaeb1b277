using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Concat and Identity.</summary>
public sealed class ConcatTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_its_branches_one_behind_the_other_at_every_width(int lanes, int width)
    {
        Random random = new(2);
        foreach (int count in (int[])[0, 1, 3, 16, 17, 33])
            foreach ((Func<Layer[]> branches, ImageShape shape) in Branches())
            {
                Concat layer = new(branches());
                ImageShape output = layer.OutputShape(shape);
                float[] x = random.Reals((int)(count * shape.Length)), dy = random.Reals((int)(count * output.Length));
                LayerBench whole = LayerBench.Run(layer, shape, count, x, dy, lanes, width);
                float[] y = new float[dy.Length], dx = new float[x.Length];
                List<float[]> gradients = [];
                int image = (int)output.Length, first = 0;
                foreach (Layer branch in branches())
                {
                    int length = (int)branch.OutputShape(shape).Length;
                    float[] slice = new float[count * length];
                    for (int n = 0; n < count; n++)
                        dy.AsSpan(n * image + first, length).CopyTo(slice.AsSpan(n * length));
                    foreach ((Parameter alone, Parameter inside) in branch.Parameters.Zip(layer.Parameters.Skip(gradients.Count)))
                        inside.Value.CopyTo(alone.Value);
                    LayerBench part = LayerBench.Run(branch, shape, count, x, slice, lanes, width);
                    for (int n = 0; n < count; n++)
                        part.Y.AsSpan(n * length, length).CopyTo(y.AsSpan(n * image + first));
                    dx = first == 0 ? part.Dx : [.. dx.Zip(part.Dx, (a, b) => a + b)];
                    gradients.AddRange(branch.Parameters.Select(Gradient));
                    first += length;
                }
                Assert.Equal(image, first);
                Assert.Equal(y, whole.Y);
                Assert.Equal(dx, whole.Dx);
                Assert.Equal(gradients, layer.Parameters.Select(Gradient));
            }
    }

    static IEnumerable<(Func<Layer[]> Branches, ImageShape Shape)> Branches() =>
    [
        (() => [new Conv2d(2, 3, (3, 5), padding: (1, 2)), new Identity(), new Conv2d(2, 1, (5, 1), padding: new(4, 0, 0, 0))], new(2, 5, 4)),
        (() => [new Sequential(new MaxPool2d(2), new Conv2d(3, 4, 3, padding: 1), new ReLU()), new Conv2d(3, 2, (2, 4), stride: 2, padding: (0, 1))],
            new(3, 4, 6)),
        (() => [new Linear(5, 3), new Identity(), new ReLU(), new Linear(5, 1, bias: false)], ImageShape.Features(5)),
        (() => [new Conv2d(1, 2, (2, 3))], new(1, 3, 4)),
    ];

    [Fact]
    public void Its_gradient_is_right_in_double_when_nested()
    {
        Concat inner = new(new Identity(), new Conv2d(2, 1, 1));
        GradientCheck.Verify(new Concat(inner, new Residual(new Conv2d(2, 2, 3, padding: 1)), new Concat(new Identity())), [3, 2, 3, 4]);
    }

    [Fact]
    public void It_asks_for_the_largest_margin_on_each_side_so_that_no_branch_copies() =>
        Assert.Equal(new(4, 2, 1, 2), new Concat(Branches().First().Branches()).InputMargin(new(2, 5, 4)));

    [Fact]
    public void Without_dx_all_parameters_get_the_same_gradients()
    {
        foreach (int count in (int[])[3, 17])
        {
            (Concat with, Concat without) = (new(Branches().First().Branches()), new(Branches().First().Branches()));
            Tensor<float> x = new Random(1).Tensor(count, 2, 5, 4), y = with.Forward(x, training: true);
            without.Forward(x, training: true);
            Tensor<float> dy = new Random(2).Tensor(y.Lengths);
            with.BackwardToInput(dy);
            without.Backward(dy);
            Assert.Equal(with.Parameters.Select(Gradient), without.Parameters.Select(Gradient));
            Assert.All(without.Parameters, p => Assert.Contains(Gradient(p), g => g != 0));
            Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], without.Parameters.Select(p => p.Name));
        }
    }

    [Fact]
    public void An_identity_hands_on_every_bit()
    {
        float[] x = [1, float.NaN, -0f, float.NegativeInfinity], dy = [float.NaN, 2, -0f, float.Epsilon];
        LayerBench bench = LayerBench.Run(new Identity(), new(1, 2, 2), 1, x, dy, 16, 4);
        Assert.Equal(x.Select(BitConverter.SingleToInt32Bits), bench.Y.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(dy.Select(BitConverter.SingleToInt32Bits), bench.Dx.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal("Identity", new Identity().ToString());
    }

    [Fact]
    public void Branches_of_unequal_sizes_are_refused_by_both_names_both_shapes_and_the_way_out()
    {
        Is("layer 1, Concat(3 branches): branch 0, Conv2d(2→3, 1×1), outputs 3×5×7 for an input of 2×5×7, but branch 2, Conv2d(2→4, 3×3), outputs 4×3×5; "
            + "heights and widths must be equal: use the same stride and Padding.Same in all branches, and image sizes divisible by the factor of a pool and upsample",
            () => new Sequential(new ReLU(), new Concat(new Conv2d(2, 3, 1), new Identity(), new Conv2d(2, 4, 3))).OutputShape(new(2, 5, 7)));
        Is("branch 0, Identity, outputs 1×4×5 for an input of 1×4×5, but branch 1, Sequential(2 layers), outputs 1×4×4",
            () => new Concat(new Identity(), new Sequential(new MaxPool2d(2), new Upsample(2))).OutputShape(new(1, 4, 5)));
        Is("branch 0, Flatten, outputs 3 features for an input of 3×1×1, but branch 1, Identity, outputs 3×1×1",
            () => new Concat(new Flatten(), new Identity()).OutputShape(new(3, 1, 1)));
        Is("layer 1.0, Linear(3→2): takes 3 features, not 4",
            () => new Concat(new ReLU(), new Sequential(new Linear(3, 2))).OutputShape(ImageShape.Features(4)));
        Is("Concat(2 branches): an output of 2400000000×1×1 has more elements than an array can hold",
            () => new Concat(new Identity(), new ReLU()).OutputShape(ImageShape.Features(1_200_000_000)));
        Is("a Concat needs at least one branch", () => new Concat());
        Is("layer 1 is null", () => new Concat(new ReLU(), null!));
        ReLU once = new();
        Is("is already part of a model", () => new Concat(once, new ReLU(), once));
        Assert.Equal(new(9, 5, 7), new Concat(new Conv2d(2, 3, 1), new Conv2d(2, 4, 3, padding: 1), new Identity()).OutputShape(new(2, 5, 7)));

        static void Is(string message, Func<object> action) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    static float[] Gradient(Parameter parameter) => parameter.Gradient.AsSpan().ToArray();
}
