using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>The gradient check finds and names common mistakes in the gradients of a convolution.</summary>
public class GradientDiagnosisTests
{
    const int Batch = 3, Inputs = 2, Outputs = 4, Height = 6, Width = 5;

    [Fact]
    public void The_sign_is_turned()
    {
        Expect("weight: analytic = −1 × numeric everywhere: the sign is wrong", (_, dw, _) => Scale(dw, -1));
        Expect("input: analytic = −1 × numeric everywhere: the sign is wrong", (dx, _, _) => Scale(dx, -1));
    }

    [Fact]
    public void A_constant_factor()
    {
        Expect("weight: analytic = 2 × numeric everywhere: counted twice", (_, dw, _) => Scale(dw, 2));
        Expect("bias: analytic = 1/3 × numeric everywhere: divided by the batch size", (_, _, db) => Scale(db, 1f / Batch));
        Expect("weight: analytic = 3 × numeric everywhere: not divided by the batch size, or multiplied by it", (_, dw, _) => Scale(dw, Batch));
        Expect("input: analytic = 0.04 × numeric everywhere: a factor is missing or too many", (dx, _, _) => Scale(dx, 0.04f));
    }

    [Fact]
    public void H_and_W_are_swapped()
    {
        Expect("weight: analytic = numeric with its last two axes swapped: H and W are mixed up", (_, dw, _) => Swapped(dw, 3, 2).CopyTo(dw, 0));
        Expect("weight: analytic = numeric with its last two axes swapped: H and W are mixed up", (_, dw, _) => Swapped(dw, 2, 3).CopyTo(dw, 0));
        Expect("input: analytic = numeric with its last two axes swapped: H and W are mixed up", (dx, _, _) => Swapped(dx, Height, Width).CopyTo(dx, 0));
        Expect("input: Backward uses weight with its last two axes swapped: H and W are mixed up", turnForInput: w => Swapped(w, 3, 2));
        Expect("input: Backward uses weight with its last two axes swapped: H and W are mixed up", turnForInput: w => Swapped(w, 2, 3));
    }

    [Fact]
    public void The_kernel_is_flipped()
    {
        Expect("weight: analytic = numeric with its last two axes turned by 180°: the kernel is flipped", (_, dw, _) => Flipped(dw).CopyTo(dw, 0));
        Expect("input: Backward uses weight with its last two axes turned by 180°: the kernel is flipped", turnForInput: Flipped);
    }

    [Fact]
    public void Only_the_borders_are_wrong()
    {
        Expect("input: only the borders are wrong: 108 elements in a border of width 1; the 72 inside are correct", (dx, _, _) => Spoil(dx, (y, x) => y % (Height - 1) == 0 || x % (Width - 1) == 0));
        Expect("input: only the borders are wrong: 36 elements in a border of width 1; the 72 inside are correct", (dx, _, _) => Spoil(dx, (_, x) => x == Width - 1));

        static void Spoil(float[] dx, Func<int, int, bool> where)
        {
            for (int i = 0; i < dx.Length; i++)
                dx[i] *= where(i / Width % Height, i % Width) ? 0.5f + i % 3 : 1;
        }
    }

    [Fact]
    public void It_overwrites_where_it_should_add()
    {
        GradientReport report = GradientCheck.Run(new PlainConv(Inputs, Outputs, overwrites: true), [Batch, Inputs, Height, Width]);
        Assert.Equal(["weight: Backward overwrites the gradient: it must add to the existing values", "bias: Backward overwrites the gradient: it must add to the existing values"], report.Findings);
        Assert.All(report.Tensors, tensor => Assert.InRange(tensor.Error, 0, 2e-3));

        int calls = 0;
        Expect(
            "weight: Backward does not add to the existing gradient: the gradient that it adds depends on the start values",
            (_, dw, _) => Scale(dw, ++calls == 2 ? 0 : 1));
    }

    [Fact]
    public void A_gradient_is_missing_or_has_a_constant_too_many()
    {
        Expect("bias: no gradient at all: analytic = 0 everywhere", (_, _, db) => Array.Clear(db));
        Expect("input: no gradient at all: analytic = 0 everywhere", (dx, _, _) => Array.Clear(dx));
        Expect("weight: analytic = numeric + 0.5 everywhere: a constant is added", (_, dw, _) => Array.ForEach([.. Enumerable.Range(0, dw.Length)], i => dw[i] += 0.5f));
    }

    [Fact]
    public void Parameters_are_moved_so_that_a_one_hides_nothing()
    {
        GradientReport report = GradientCheck.Run(new Affine(hidden: true), [2, 5]);
        Assert.StartsWith("input: analytic = ", Assert.Single(report.Findings), StringComparison.Ordinal);
    }

    [Fact]
    public void One_element_is_wrong()
    {
        GradientReport report = Expect("weight: 1 of 48 elements are wrong, all at [1, 0, 2, 1]", (_, dw, _) => dw[17] *= 1.02f);
        Assert.Contains("\n    at [1, 0, 2, 1]: analytic ", report.ToString(), StringComparison.Ordinal);
        Expect("input: 1 of 180 elements are wrong, all at [0, 0, 0, 2]", (dx, _, _) => dx[2] += 1);
        Expect("input: 180 of 180 elements are wrong", (dx, _, _) => Array.ForEach([.. Enumerable.Range(0, dx.Length)], i => dx[i] += 1 + i));
        Expect("weight: 12 of 48 elements are wrong, all at [2, *, *, *]", (_, dw, _) => Array.ForEach([.. Enumerable.Range(24, 12)], i => dw[i] *= 1 + i));
    }

    [Fact]
    public void NaN_fails()
    {
        Expect("weight: analytic is NaN, infinite or never written, first at [1, 0, 2, 1]", (_, dw, _) => dw[17] = float.NaN);
        Assert.Equal(double.PositiveInfinity, Expect("weight: analytic is NaN, infinite or never written, first at [3, 1, 2, 1]", (_, dw, _) => dw[^1] = float.NaN).Tensors[1].Error);
        Expect("input: analytic is NaN, infinite or never written, first at [0, 0, 0, 2]", (dx, _, _) => dx[2] = float.PositiveInfinity);
    }

    [Fact]
    public void The_report_names_the_layer_and_the_parameter_in_its_model()
    {
        Sequential model = new(new Conv2d(1, 2, (2, 3)), new PlainConv(2, 1, (_, dw, _) => Scale(dw, -1)), new Flatten());
        string message = Assert.Throws<InvalidOperationException>(() => GradientCheck.Verify(model, [2, 1, 5, 6])).Message;
        Assert.StartsWith("gradient check FAILED: Sequential(3 layers), input [2, 1, 5, 6], in float\n  input [2, 1, 5, 6]: 60 elements, error ", message, StringComparison.Ordinal);
        Assert.Contains("  WRONG, layer 1, PlainConv\n    analytic = −1 × numeric everywhere: the sign is wrong\n    at [0, ", message, StringComparison.Ordinal);
        Assert.Contains("\n  1.weight [1, 2, 3, 2]: 12 elements", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forward_pass_that_cannot_be_differentiated_is_told_so()
    {
        Assert.Equal("Forward returns different outputs for the same input, so it has no derivative", Assert.Single(GradientCheck.Run(new Count(1), [1, 3]).Findings));
        Assert.Equal("y contains NaN or infinity", Assert.Single(GradientCheck.Run(new Count(float.NaN), [1, 3]).Findings));
    }

    [Fact]
    public void Bad_input_is_refused()
    {
        Assert.Throws<ArgumentNullException>(() => GradientCheck.Run(null!, [1, 3]));
        foreach (int[] shape in (int[][])[[], [3], [1, 2, 3], [0, 3], [1, 1, -4, 4]])
            Assert.Contains($"not [{string.Join(", ", shape)}]", Assert.Throws<ArgumentException>(() => GradientCheck.Run(new ReLU(), shape)).Message, StringComparison.Ordinal);
        Assert.StartsWith("Linear(4→2): takes 4 features", Assert.Throws<ArgumentException>(() => GradientCheck.Run(new Linear(4, 2), [1, 3])).Message, StringComparison.Ordinal);
    }

    static GradientReport Expect(string finding, Action<float[], float[], float[]>? spoil = null, Func<float[], float[]>? turnForInput = null)
    {
        GradientReport report = GradientCheck.Run(new PlainConv(Inputs, Outputs, spoil, turnForInput: turnForInput), [Batch, Inputs, Height, Width]);
        Assert.False(report.Passed);
        Assert.Equal([finding], report.Findings);
        return report;
    }

    static void Scale(float[] gradient, float factor)
    {
        foreach (ref float value in gradient.AsSpan())
            value *= factor;
    }

    /// <summary>Each plane [height, width] with the elements at index x·height + y instead of y·width + x.</summary>
    static float[] Swapped(float[] values, int height, int width)
    {
        float[] swapped = new float[values.Length];
        for (int i = 0; i < values.Length; i++)
            swapped[i / (height * width) * height * width + i % width * height + i / width % height] = values[i];
        return swapped;
    }

    static float[] Flipped(float[] kernels) => [.. kernels.Chunk(6).SelectMany(kernel => kernel.Reverse())];

    /// <summary>y = number of forward passes so far.</summary>
    sealed class Count(float step) : CustomLayer
    {
        float calls;

        public override ImageShape OutputShape(ImageShape input) => input;

        protected override Tensor<float> ForwardCore(Tensor<float> x, bool training) => x + (calls += step);

        protected override Tensor<float> BackwardCore(Tensor<float> dy) => dy;
    }
}
