// Trains a small residual network on Fashion-MNIST, or on files of CIFAR-10.
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Reports;

Argument<string[]> files = new("files") { Description = "CIFAR-10 files, one for training and one for testing [default: Fashion-MNIST]", Arity = new(0, 2) };
Option<string?> data = new("--data")
{
    Description = "Folder with the four IDX files of Fashion-MNIST [default: $MINICNN_DATASETS/fashion-mnist; without this variable "
        + "datasets/fashion-mnist, downloaded if missing (30.9 MB)]",
};
Option<int> epochs = TrainingOptions.Epochs(8);
Option<int> seed = TrainingOptions.Seed();
Option<bool> report = TrainingOptions.Report();
Option<string> output = TrainingOptions.Output("resnet", "report.html");
RootCommand command = new("Trains a small residual network on Fashion-MNIST, or on files of CIFAR-10.") { files, data, epochs, seed, report, output };
command.SetAction(Run);
return CommandLine.Run(command, args, options => options.GetValue(files) is [_] ? "expected two files, one for training and one for testing; got one" : null);

void Run(ParseResult options)
{
    Console.WriteLine("loading images");
    (LabeledImages train, LabeledImages test) = options.GetValue(files) is [string trainFile, string testFile]
        ? (Cifar10Data.Read(trainFile), Cifar10Data.Read(testFile)) : FashionMnistData.Load(options.GetValue(data));

    Sequential model = new(
        new Conv2d(train.Shape.Channels, 24, 3, padding: 1, bias: false), new BatchNorm2d(24), new ReLU(), new MaxPool2d(2),
        Block(24, 48), new ReLU(), Block(48, 96, stride: 2), new ReLU(),
        new AdaptiveAvgPool2d(1), new Flatten(), new Linear(96, train.Classes));
    model.Initialize(options.GetValue(seed));
    Console.WriteLine(model.Summary(train.Shape));

    Trainer trainer = new(model, new Sgd(model.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 5e-4f, nesterov: true))
    {
        Epochs = options.GetValue(epochs),
        Seed = options.GetValue(seed),
        Augmentation = new() { HorizontalFlip = true },
        Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
    };
    ConsoleProgress progress = new();
    string path = TrainingOptions.ReportIn(options.GetValue(output)!);
    RunReport? page = options.GetValue(report) ? new(path, trainer, train) { Title = "ResNet", Progress = progress } : null;
    trainer.Run(train, page ?? (IProgress<TrainingStep>)progress);
    Console.WriteLine($"test accuracy: {page?.Score("test", test) ?? Evaluation.Of(model, test)}");
}

// y = body(x) + shortcut(x). The shortcut is the identity, or a 1×1 convolution if the number of channels or the size changes.
static Residual Block(int from, int to, int stride = 1) => new(
    new Sequential(
        new Conv2d(from, to, 3, stride, padding: 1, bias: false), new BatchNorm2d(to), new ReLU(),
        new Conv2d(to, to, 3, padding: 1, bias: false), new BatchNorm2d(to)),
    from == to && stride == 1 ? null : new Sequential(new Conv2d(from, to, 1, stride, bias: false), new BatchNorm2d(to)));
