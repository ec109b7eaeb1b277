using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public sealed class ResidualTests
{
    [Theory]
    [MemberData(nameof(LayerBench.Widths), MemberType = typeof(LayerBench))]
    public void It_is_the_sum_of_its_branches_at_every_width(int lanes, int width)
    {
        Random random = new(2);
        foreach (int count in (int[])[0, 1, 3, 16, 17, 33])
            foreach ((Func<Layer> body, Func<Layer>? shortcut, ImageShape shape) in Branches())
            {
                Residual layer = new(body(), shortcut?.Invoke());
                float[] x = random.Reals((int)(count * shape.Length)), dy = random.Reals((int)(count * layer.OutputShape(shape).Length));
                LayerBench both = LayerBench.Run(layer, shape, count, x, dy, lanes, width);
                Layer learnt = body(), passed = shortcut?.Invoke() ?? new Identity();
                foreach ((Parameter alone, Parameter inside) in learnt.Parameters.Concat(passed.Parameters).Zip(layer.Parameters))
                    inside.Value.CopyTo(alone.Value);
                LayerBench first = LayerBench.Run(learnt, shape, count, x, dy, lanes, width);
                LayerBench second = LayerBench.Run(passed, shape, count, x, dy, lanes, width);
                Assert.Equal(first.Y.Zip(second.Y, (a, b) => a + b), both.Y);
                Assert.Equal(first.Dx.Zip(second.Dx, (a, b) => a + b), both.Dx);
                Assert.Equal([.. learnt.Parameters.Concat(passed.Parameters).Select(Gradient)], layer.Parameters.Select(Gradient));
            }
    }

    /// <summary>Includes padded convolutions with unequal kernels: the branches ask for different margins on every side.</summary>
    static IEnumerable<(Func<Layer> Body, Func<Layer>? Shortcut, ImageShape Shape)> Branches() =>
    [
        (() => new Conv2d(3, 3, (3, 5), padding: (1, 2)), null, new(3, 5, 4)),
        (() => Tall(), () => Wide(), new(3, 6, 7)),
        (() => new Sequential(new Conv2d(2, 5, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(5, 4, 3, padding: 1)),
            () => new Conv2d(2, 4, 2, stride: 2), new(2, 4, 6)),
        (() => new Linear(7, 7), null, ImageShape.Features(7)),
        (() => new Sequential(new Linear(7, 9), new ReLU(), new Linear(9, 5)), () => new Linear(7, 5, bias: false), ImageShape.Features(7)),
        (() => new ReLU(), () => new MaxPool2d(3, 1, 1), new(2, 3, 4)),
        (() => new Conv2d(2, 3, 1), () => new Sequential(new Conv2d(2, 3, (1, 3), padding: (0, 1)), new Tanh()), new(2, 2, 5)),
    ];

    static Conv2d Tall() => new(3, 4, (3, 2), stride: (2, 1), padding: new(2, 0, 0, 1));

    static Conv2d Wide() => new(3, 4, (1, 3), stride: (2, 1), padding: new(0, 1, 0, 1));

    [Fact]
    public void It_asks_for_the_larger_margin_on_each_side_so_that_no_branch_copies()
    {
        ImageShape shape = new(3, 6, 7);
        Assert.Equal(new(2, 1, 0, 1), new Residual(Tall(), Wide()).InputMargin(shape));
        Assert.Equal(new(2, 1, 0, 1), new Residual(Wide(), Tall()).InputMargin(shape));
        Assert.Equal(new(2, 0, 0, 1), new Residual(Tall()).InputMargin(shape));
        Padding tall = Tall().GradientMargin(shape), wide = Wide().GradientMargin(shape);
        Assert.NotEqual(tall, wide);
        Padding both = new Residual(Tall(), Wide()).GradientMargin(shape);
        Assert.True(both.Covers(tall) && both.Covers(wide));
        Assert.Equal(tall, new Residual(Tall()).GradientMargin(shape));
    }

    [Fact]
    public void Its_gradient_is_right_in_double_when_nested()
    {
        Residual inner = new(new Residual(new Conv2d(2, 2, 3, padding: 1)));
        GradientCheck.Verify(new Residual(inner, new Residual(new Conv2d(2, 2, 1))), [3, 2, 3, 4]);
    }

    [Fact]
    public void Without_dx_all_parameters_get_the_same_gradients_and_frozen_ones_none()
    {
        Residual Build(bool frozen)
        {
            Conv2d body = new(2, 3, (3, 2), stride: 2, padding: new(1, 0, 1, 1)), shortcut = new(2, 3, 1, stride: 2);
            body.Weight.Trainable = shortcut.Bias!.Trainable = !frozen;
            return new(body, shortcut);
        }
        foreach (int count in (int[])[3, 17])
            foreach (bool frozen in (bool[])[false, true])
            {
                (Residual with, Residual without) = (Build(frozen), Build(frozen));
                Tensor<float> x = new Random(1).Tensor(count, 2, 5, 7), y = with.Forward(x, training: true);
                without.Forward(x, training: true);
                Tensor<float> dy = new Random(2).Tensor(y.Lengths);
                with.BackwardToInput(dy);
                without.Backward(dy);
                Assert.Equal(with.Parameters.Select(Gradient), without.Parameters.Select(Gradient));
                Assert.Equal(["body.weight", "body.bias", "shortcut.weight", "shortcut.bias"], without.Parameters.Select(p => p.Name));
                Assert.All(without.Parameters, p => Assert.Equal(p.Trainable, Gradient(p).Any(g => g != 0)));
            }
    }

    [Fact]
    public void Branches_of_unequal_shapes_are_refused_by_both_names_both_shapes_and_the_way_out()
    {
        Is("layer 1, Residual(Conv2d(4→8, 3×3, stride 2, padding 1)): the body, Conv2d(4→8, 3×3, stride 2, padding 1), outputs 8×3×4 for an "
            + "input of 4×6×8, but the shortcut, Identity, outputs 4×6×8; use a shortcut such as Conv2d(4→8, 1×1) with the stride of the body",
            () => new Sequential(new ReLU(), new Residual(new Conv2d(4, 8, 3, stride: 2, padding: 1))).OutputShape(new(4, 6, 8)));
        Is("the body, ReLU, outputs 2×5×5 for an input of 2×5×5, but the shortcut, Conv2d(2→2, 3×3), outputs 2×3×3; use a shortcut such as Conv2d(2→2, 1×1)",
            () => new Residual(new ReLU(), new Conv2d(2, 2, 3)).OutputShape(new(2, 5, 5)));
        Is("Linear(4→3), outputs 3 features for an input of 4 features, but the shortcut, Identity, outputs 4 features; use a shortcut that also outputs "
            + "3 features, such as a Linear",
            () => new Residual(new Linear(4, 3)).OutputShape(ImageShape.Features(4)));
        Is("the body, Flatten, outputs 3 features for an input of 3×1×1, but the shortcut, Identity, outputs 3×1×1",
            () => new Residual(new Flatten()).OutputShape(new(3, 1, 1)));
        Is("layer body.1, Conv2d(3→1, 1×1): takes 3 channels, not 2",
            () => new Residual(new Sequential(new ReLU(), new Conv2d(3, 1, 1))).OutputShape(new(2, 3, 3)));
        Is("layer body is null", () => new Residual(null!));
        ReLU once = new();
        Is("is already part of a model", () => new Residual(once, once));
        Assert.Equal("Residual(ReLU, Conv2d(2→2, 3×3))", new Residual(once, new Conv2d(2, 2, 3)).ToString());

        static void Is(string message, Func<object> action) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    static float[] Gradient(Parameter parameter) => parameter.Gradient.AsSpan().ToArray();
}
