using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public class DigitsTrainingTests
{
    [Fact]
    public void A_net_that_has_seen_only_drawn_digits_reads_digits_it_has_not_seen()
    {
        // Real ones where MNIST is at hand (85 % is asked for, about 94 % come), else other drawn ones.
        LabeledImages test = PublishedData.Has("mnist") ? MnistData.Load().Test : DrawnDigits.Draw(5_000, seed: 2);
        Sequential model = new(
            new Conv2d(1, 8, 5), new ReLU(), new MaxPool2d(2), new Conv2d(8, 16, 5), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(256, 10));
        model.Initialize(seed: 0);
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(model.Parameters, learningRate: 0.05f, momentum: 0.9f);
        for (int epoch = 0; epoch < 3; epoch++)
        {
            optimizer.LearningRate = 0.05f / (epoch + 1);
            foreach ((Tensor<float> images, int[] labels) in DrawnDigits.Draw(12_000, seed: 1).Batches(64, seed: epoch))
            {
                loss.Forward(model.Forward(images, training: true), labels);
                model.Backward(loss.Backward());
                optimizer.Step();
                optimizer.ZeroGrad();
            }
        }
        Assert.InRange(Evaluation.Of(model, test).Accuracy, 0.85, 1);
    }
}
