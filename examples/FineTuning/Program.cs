// 500 photos are few: learnt by a network that has learnt from CIFAR-10 before, and from nothing. dotnet run -c Release --project examples/FineTuning
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Argument<string[]> records = new("records") { Description = "CIFAR-10 records to learn from first; else all, downloaded", Arity = new(0, 9) };
Option<string> data = new("--data") { Description = "train/, validation/, each a folder a class", DefaultValueFactory = _ => Datasets.Locate("cats-vs-dogs") };
Option<string> file = new("--model") { Description = "The first network's file, made if it is not there", DefaultValueFactory = _ => "cifar10.safetensors" };
Option<int> count = new("--count") { Description = "Photos to learn from, at most", DefaultValueFactory = _ => 500 };
Option<int> epochs = new("--epochs") { Description = "Times through these photos", DefaultValueFactory = _ => 5 };
Option<int> seed = new("--seed") { Description = "Seed of weights, photos, shuffling and augmentation", DefaultValueFactory = _ => 0 };
RootCommand command = new("Tunes a network to new classes by a new head alone, and trains one from nothing.") { records, data, file, count, epochs, seed };
command.SetAction(Run);
return CommandLine.Run(command, args, given => given.Below(1, epochs) ?? given.Below(2, count));

void Run(ParseResult given)
{
    (string folder, string path, int times, int s) = (given.GetValue(data)!, given.GetValue(file)!, given.GetValue(epochs), given.GetValue(seed));
    ImageSplits photos = new(folder, validation: 0.2, test: 0, s);
    ImageFolder all = photos.Train, others = photos.Validation!;
    ImageFolder some = all.Split(Math.Max(1 - (double)given.GetValue(count) / all.Files.Count, 1.0 / all.Files.Count), s).Train;
    if (!File.Exists(path))
    {
        LabeledImages images = given.GetValue(records) is { Length: > 0 } files ? Cifar10Data.Read(files) : Cifar10Data.Load().Train;
        Console.WriteLine($"a network for {path} learns from {images.Count} images");
        new ImageClassifier(Train(Network(images.Classes, s), images, 25, s), images).Save(path);
    }
    ImageClassifier model = ImageClassifier.Load(path);
    LabeledImages train = Read(some), validation = Read(others);
    Sequential tuned = (Sequential)model.Network;
    tuned.Freeze();                                             // its weights, and the batch norms' statistics, which belong to them
    Linear head = new((int)((Linear)tuned.Layers[^1]).Weight.Value.Lengths[1], train.Classes);
    head.Initialize(s);
    tuned.Replace(^1, head);                                    // this one learns
    Console.WriteLine($"it learns {string.Join(" and ", train.ClassNames)} from {train.Count} photos; then another does, from nothing");
    Evaluation fine = Evaluation.Of(Train(tuned, train, times, s), validation);
    Evaluation fresh = Evaluation.Of(Train(Network(train.Classes, s), train, times, s), validation);
    Console.WriteLine($"validation accuracy: fine-tuned {fine}, from nothing {fresh}");
    LabeledImages Read(ImageFolder photos) => photos.Load(model.Input.Height, model.Input.Width).Images.WithNormalization(model.Mean, model.Std);
}

static Sequential Network(int classes, int seed)
{
    Sequential network = new([
        .. Block(3, 16), .. Block(16, 32), .. Block(32, 64), .. Block(64, 128), new AdaptiveAvgPool2d(1), new Flatten(), new Linear(128, classes)]);
    network.Initialize(seed);
    return network;
}
static Layer[] Block(int from, int to) => [new Conv2d(from, to, 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU(), new MaxPool2d(2)];
static Sequential Train(Sequential network, LabeledImages images, int epochs, int seed)
{
    Augmentation augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 };
    Sgd optimizer = new(network.Parameters, learningRate: 0.1f, momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);
    Func<int, int, float> rate = (step, steps) => LearningRate.OneCycle(step, steps);
    Trainer trainer = new(network, optimizer) { Epochs = epochs, BatchSize = 32, Seed = seed, Augmentation = augmentation, Schedule = rate };
    trainer.Run(images, new ConsoleProgress());
    return network;
}
