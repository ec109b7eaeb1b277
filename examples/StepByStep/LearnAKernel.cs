using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.StepByStep;

/// <summary>6. Training finds a kernel.</summary>
static class LearnAKernel
{
    public static readonly ImageFilter[] Truth = [ImageFilters.Sharpen, ImageFilters.GaussianBlur, ImageFilters.Outline, ImageFilters.PrewittHorizontal];

    static readonly int[] Shown = [0, 10, 40, 100, 200, 500];

    /// <summary>Trains a Conv2d to compute the output of four kernels. Returns its weight [4, 1, 3, 3] after the given numbers of steps.</summary>
    public static float[][] Train(float[,] image, int[] shown)
    {
        Conv2d teacher = new(1, Truth.Length, 3), student = new(1, Truth.Length, 3);
        for (int i = 0; i < Truth.Length; i++)
            Truth[i].CopyTo(teacher.Weight, i);
        teacher.Bias!.Value.Fill(0);
        student.Initialize(seed: 0);                             // random weights
        Tensor<float> x = image.Map(v => v / 255 - 0.5f).ToTensor(), target = teacher.Forward(x);
        Adam adam = new(student.Parameters, learningRate: 0.2f);
        MseLoss loss = new();
        List<float[]> weights = [];
        for (int step = 0; step <= shown[^1]; step++)
        {
            if (shown.Contains(step))
                weights.Add([.. student.Weight.Value]);
            adam.LearningRate = 0.2f * LearningRate.Cosine(step, shown[^1] + 1);
            loss.Forward(student.Forward(x, training: true), target);
            student.Backward(loss.Backward());
            adam.Step();
            adam.ZeroGrad();
        }
        return [.. weights];
    }

    static string Small(float error) => Values.N(error, error < 0.001f ? "0e+0" : "0.000");

    public static Figure Learnt(Materials m)
    {
        float[][] weights = Train(m.Square.Shuffle(seed: 1), Shown), slow = Train(m.Square, Shown);
        float[][,] truth = [.. Truth.Select(Values.Of)];
        float Error(float[][] all, int i, int at) => all[at].Skip(9 * i).Zip(truth[i].List(), (a, b) => Math.Abs(a - b)).Max();
        float Largest(float[][] all) => Enumerable.Range(0, Truth.Length).Max(i => Error(all, i, Shown.Length - 1));
        return new(
            "Four kernels learned from random weights",
            "One Conv2d with four output channels starts with random weights. Its input is the photo with shuffled pixels, as in part 1. Its "
            + "target is the output of four known kernels for this input; the layer never gets the kernels. Each step compares output and target "
            + "and moves the weights along the negative gradient (Adam, mean squared error). Each row ends with the true kernel. Above each kernel "
            + $"is the largest error of its nine weights. After {Shown[^1]} steps it is at most {Small(Largest(weights))}. Why shuffled? Neighbors "
            + $"in the photo are similar, so many kernels give nearly the same output. With the original photo, the error after {Shown[^1]} steps "
            + $"is {Small(Largest(slow))}.",
            [.. Truth.Select((filter, i) => Draw.Row(
            [
                .. Shown.Select((step, at) => Draw.Numbers($"step {step}: error {Small(Error(weights, i, at))}",
                    Values.Fill(3, 3, (r, c) => weights[at][9 * i + 3 * r + c]), Draw.Signed(truth[i]), format: "0.00", fine: true)),
                Draw.Sign("→"), Draw.Kernel($"true: {filter.Name}", truth[i], "0.00", fine: true),
            ]))]);
    }
}
