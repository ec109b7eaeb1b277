// A small residual network on Fashion-MNIST, or on two files of CIFAR-10 records: dotnet run -c Release --project examples/ResNet -- train.bin test.bin
using System.CommandLine;
using System.Text;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Reports;

Console.OutputEncoding = Encoding.UTF8;
Argument<string[]> files = new("files") { Description = "CIFAR-10 records to train on, and to test on, instead of Fashion-MNIST", Arity = new(0, 2) };
Option<string?> data = new("--data") { Description = "Folder of Fashion-MNIST's four files; else found as MNIST is, or downloaded" };
Option<int> epochs = new("--epochs") { Description = "Times through the training images", DefaultValueFactory = _ => 8 };
Option<int> seed = new("--seed") { Description = "Seed of weights, shuffling and flips", DefaultValueFactory = _ => 0 };
Option<bool> report = CommandLine.Report();
Option<string> output = new("--out") { Description = "Folder of the report", DefaultValueFactory = _ => Path.Combine("runs", "resnet") };
RootCommand command = new("Trains a small residual network.") { files, data, epochs, seed, report, output };
command.SetAction(Run);
return CommandLine.Run(command, args, given => given.GetValue(files) is [_] ? "one file to train on and one to test on" : given.Below(1, epochs));

void Run(ParseResult options)
{
    Console.WriteLine("looking for images");
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
    string path = CommandLine.ReportIn(options.GetValue(output)!);
    RunReport? page = options.GetValue(report) ? new(path, trainer, train) { Title = "ResNet", Progress = progress } : null;
    trainer.Run(train, page ?? (IProgress<TrainingStep>)progress);
    Console.WriteLine($"test accuracy: {page?.Score("test", test) ?? Evaluation.Of(model, test)}");
}

// y = body(x) + shortcut(x); where channels or size change, the shortcut is a 1×1 convolution.
static Residual Block(int from, int to, int stride = 1) => new(
    new Sequential(
        new Conv2d(from, to, 3, stride, padding: 1, bias: false), new BatchNorm2d(to), new ReLU(),
        new Conv2d(to, to, 3, padding: 1, bias: false), new BatchNorm2d(to)),
    from == to && stride == 1 ? null : new Sequential(new Conv2d(from, to, 1, stride, bias: false), new BatchNorm2d(to)));
