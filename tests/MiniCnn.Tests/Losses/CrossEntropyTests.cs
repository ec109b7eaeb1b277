using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>What the formula and the gradient check do not see: extreme logits, empty batches, calls that are refused.</summary>
public class CrossEntropyTests
{
    [Fact]
    public void Large_logits_do_not_overflow_wherever_the_largest_is()
    {
        float[][] rows = [[1000, 0, -1000], [0, 1000, -1000], [-1000, 0, 1000], [-1000, -1000, -1000]];
        float[][] gradients = [[0, 0, 0], [-1, 1, 0], [-1, 0, 1], [-2 / 3f, 1 / 3f, 1 / 3f]];        // softmax − onehot(0), times 1/4 below
        CrossEntropyLoss loss = new();
        float value = loss.Forward(Tensor.Create(rows.SelectMany(row => row).ToArray(), [4, 3]), [0, 0, 0, 0]);
        Assert.Equal((0 + 1000 + 2000 + MathF.Log(3)) / 4, value, 1e-3f);
        Assert.All(loss.Backward().AsSpan().ToArray().Zip(gradients.SelectMany(row => row)), g => Assert.Equal(g.Second / 4, g.First, 1e-7f));
    }

    [Fact]
    public void The_loss_of_an_empty_batch_is_NaN()
    {
        CrossEntropyLoss loss = new();
        Assert.Equal(float.NaN, loss.Forward(Tensor.CreateFromShape<float>([0, 3]), []));
        Assert.Equal([0, 3], loss.Backward().Lengths.ToArray());
    }

    [Fact]
    public void A_smaller_batch_after_a_larger_one_has_its_own_loss()
    {
        CrossEntropyLoss loss = new();
        loss.Forward(new Random(1).Tensor(33, 3), new int[33]);
        Assert.Equal(MathF.Log(3), loss.Forward(Tensor.CreateFromShape<float>([2, 3]), [0, 2]), 1e-6f);
    }

    [Fact]
    public void Backward_needs_a_forward_and_takes_it_once()
    {
        CrossEntropyLoss loss = new();
        Assert.Throws<InvalidOperationException>(loss.Backward);
        loss.Forward(Tensor.Create(new float[6], [2, 3]), [0, 2]);
        loss.Backward();
        Assert.Throws<InvalidOperationException>(loss.Backward);
    }

    [Fact]
    public void Labels_and_shapes_that_do_not_fit_are_refused()
    {
        Is("label 1 is 3, but there are 3 classes, 0 to 2", [2, 3], [0, 3]);
        Is("label 0 is -1, but there are 3 classes, 0 to 2", [2, 3], [-1, 3]);
        Is("cross-entropy takes logits [N, classes] and N labels, or [N, classes, H, W] and N·H·W labels, not [2, 3] and 1 labels", [2, 3], [0]);
        Is("cross-entropy takes logits [N, classes] or [N, classes, H, W], not [1, 3, 1]", [1, 3, 1], [0]);

        static void Is(string message, nint[] shape, int[] labels) =>
            Assert.Equal(message, Assert.Throws<ArgumentException>(() => new CrossEntropyLoss().Forward(Tensor.CreateFromShape<float>(shape), labels)).Message);
    }
}
