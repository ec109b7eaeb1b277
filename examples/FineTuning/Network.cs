using MiniCnn.Reports;

namespace MiniCnn.Examples.FineTuning;

/// <summary>The network, and its training: the same for pretraining, fine-tuning and training from scratch.</summary>
static class Network
{
    public static Sequential Build(int classes, int seed)
    {
        Sequential network = new([
            .. Block(3, 16), .. Block(16, 32), .. Block(32, 64), .. Block(64, 128), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(128, classes)]);
        network.Initialize(seed);
        return network;
    }

    public static Sequential Train(Sequential network, LabeledImages images, int epochs, int seed)
    {
        Sgd optimizer = new(network.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);
        Trainer trainer = new(network, optimizer)
        {
            Epochs = epochs,
            BatchSize = 32,
            Seed = seed,
            Augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 },
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
        };
        trainer.Run(images, new ConsoleProgress());
        return network;
    }

    static Layer[] Block(int from, int to) => [new Conv2d(from, to, 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU(), new MaxPool2d(2)];
}
