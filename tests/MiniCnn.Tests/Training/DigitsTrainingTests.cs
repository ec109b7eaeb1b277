using System.Numerics.Tensors;

namespace MiniCnn.Tests;

public class DigitsTrainingTests
{
    [Fact]
    public void A_net_that_has_seen_only_drawn_digits_reads_digits_it_has_not_seen()
    {
        // Real ones where MNIST is at hand (85 % is asked for, about 94 % come), else other drawn ones.
        string? datasets = Environment.GetEnvironmentVariable("MINICNN_DATASETS");
        LabeledImages test = datasets is { Length: > 0 } && Directory.Exists(Path.Combine(datasets, "mnist"))
            ? MnistData.Load().Test : DrawnDigits.Draw(5_000, seed: 2);
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
        int right = 0;
        foreach ((Tensor<float> images, int[] labels) in test.Batches(500))
            right += model.Forward(images).AsSpan().ToArray().Chunk(10).Zip(labels).Count(p => TensorPrimitives.IndexOfMax<float>(p.First) == p.Second);
        Assert.InRange(right / (double)test.Count, 0.85, 1);
    }
}
