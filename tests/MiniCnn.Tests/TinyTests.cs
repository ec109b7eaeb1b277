using System.Numerics.Tensors;

namespace MiniCnn.Tests;

/// <summary>Read this file first: the library in a few numbers that can be verified by hand. Takes two seconds: --filter TinyTests.</summary>
public sealed class TinyTests
{
    static Tensor<float> Image(int height, int width, params float[] pixels) => Tensor.Create(pixels, [1, 1, height, width]);

    static float[] Numbers(Tensor<float> tensor) => [.. tensor];

    static Conv2d Conv(Size2d kernelSize, float bias, params float[] weight)
    {
        Conv2d conv = new(1, 1, kernelSize);
        weight.CopyTo(conv.Weight.Value.AsSpan());
        conv.Bias!.Value[0] = bias;
        return conv;
    }

    [Fact]
    public void A_convolution_is_a_sum_under_a_window()
    {
        Conv2d conv = Conv((2, 1), bias: 10, 1, 2);
        //  1 2 3     1·1 + 2·4   1·2 + 2·5   1·3 + 2·6
        //  4 5 6
        Assert.Equal([19f, 22, 25], Numbers(conv.Forward(Image(2, 3, 1, 2, 3, 4, 5, 6))));
    }

    [Fact]
    public void Its_gradients_are_the_sum_turned_around()
    {
        Conv2d conv = Conv((2, 1), bias: 10, 1, 2);
        conv.Forward(Image(2, 3, 1, 2, 3, 4, 5, 6), training: true);
        // Every dy[x] goes to the two pixels under its window, times the weight that met them.
        Assert.Equal([7f, 8, 9, 14, 16, 18], Numbers(conv.BackwardToInput(Image(1, 3, 7, 8, 9))));
        Assert.Equal([7f * 1 + 8 * 2 + 9 * 3, 7 * 4 + 8 * 5 + 9 * 6], Numbers(conv.Weight.Gradient));
        Assert.Equal([7f + 8 + 9], Numbers(conv.Bias!.Gradient));
    }

    [Fact]
    public void Layers_follow_one_another()
    {
        Sequential model = new(Conv(1, bias: -3, 1), new ReLU(), new MaxPool2d((1, 2)), new Flatten());
        //  1 5 2 9  less 3, not below 0:  0 2 0 6,  the larger of each two
        Assert.Equal([2f, 6], Numbers(model.Forward(Image(1, 4, 1, 5, 2, 9))));
    }

    [Fact]
    public void Cross_entropy_is_the_logarithm_of_the_probability_of_the_right_class()
    {
        CrossEntropyLoss loss = new();
        // exp(0) = 1 and exp(ln 3) = 3: probabilities 1/4 and 3/4. The gradient is these, less 1 at the right class.
        Assert.Equal(Math.Log(4 / 3.0), loss.Forward(Tensor.Create([0, MathF.Log(3)], [1, 2]), [1]), 1e-6);
        Assert.All(loss.Backward().Zip([0.25f, -0.25f]), pair => Assert.Equal(pair.Second, pair.First, 1e-6f));
    }

    [Fact]
    public void Sgd_steps_down_the_gradient_and_keeps_some_of_its_velocity()
    {
        Conv2d conv = Conv(1, bias: 0, 1);
        Sgd sgd = new(conv.Parameters, learningRate: 0.5f, momentum: 0.5f);
        conv.Weight.Gradient.Fill(2);
        sgd.Step();                                                // velocity 2
        Assert.Equal([1 - 0.5f * 2], Numbers(conv.Weight.Value));
        sgd.Step();                                                // velocity 0.5 · 2 + 2
        Assert.Equal([0 - 0.5f * 3], Numbers(conv.Weight.Value));
    }

    [Fact]
    public void The_gradient_check_finds_a_wrong_gradient()
    {
        Assert.True(GradientCheck.Run(new Sequential(new Conv2d(2, 3, (3, 2)), new Tanh()), [2, 2, 4, 5]).Passed);
        Assert.False(GradientCheck.Run(new Affine(hidden: true), [2, 2, 4, 5]).Passed);
    }

    [Fact]
    public void A_network_learns_drawn_digits_and_comes_back_from_its_file()
    {
        LabeledImages digits = DrawnDigits.Draw(600, seed: 1);
        Sequential model = new(new Conv2d(1, 8, 5, padding: 2), new ReLU(), new MaxPool2d(4), new Flatten(), new Linear(392, 10));
        new Trainer(model, new Sgd(model.Parameters, learningRate: 0.05f, momentum: 0.9f)) { Epochs = 4 }.Run(digits);
        Assert.InRange(Evaluation.Of(model, DrawnDigits.Draw(200, seed: 2)).Accuracy, 0.8, 1);
        string path = Path.GetTempFileName();
        Weights.Save(model, path);
        Sequential other = new(new Conv2d(1, 8, 5, padding: 2), new ReLU(), new MaxPool2d(4), new Flatten(), new Linear(392, 10));
        Weights.Load(other, path);
        File.Delete(path);
        Tensor<float> images = digits.Batches(30).First().Images;
        Assert.Equal(Numbers(model.Forward(images)), Numbers(other.Forward(images)));
    }
}
