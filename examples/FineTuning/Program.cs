// Fine-tunes a network that was pretrained on CIFAR-10 with 500 photos of cats and dogs. Trains the same network from scratch for comparison.
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.FineTuning;
using MiniCnn.Imaging;

Argument<string[]> records = new("records")
{
    Description = "CIFAR-10 files to pretrain on [default: its training set in $MINICNN_DATASETS/cifar10; without this variable downloaded (170 MB)]",
    Arity = new(0, 9),
};
Option<string?> data = new("--data")
{
    Description = "Folder of photos: train/ and validation/ with a subfolder for each class [default: $MINICNN_DATASETS/cats-vs-dogs; without this variable "
        + "datasets/cats-vs-dogs]",
};
Option<string> model = new("--model")
{
    Description = "File of the pretrained model; if it does not exist, the model is trained and saved",
    DefaultValueFactory = _ => Path.Combine("runs", "fine-tuning", "cifar10.safetensors"),
};
Option<int> count = CommandLine.Number("--count", "Maximum number of training photos", 500, least: 2);
Option<int> epochs = TrainingOptions.Epochs(5);
Option<int> seed = TrainingOptions.Seed();
RootCommand command = new("Fine-tunes the last layer of a pretrained network, and trains the same network from scratch for comparison.")
{
    records, data, model, count, epochs, seed,
};
command.SetAction(options => Run(
    options.GetValue(records)!, options.GetValue(data), options.GetValue(model)!, options.GetValue(count), options.GetValue(epochs), options.GetValue(seed)));
return CommandLine.Run(command, args);

static void Run(string[] records, string? data, string path, int count, int epochs, int seed)
{
    ImageSplits photos = new(Datasets.Locate("cats-vs-dogs", data), validation: 0.2, test: 0, seed);
    if (!File.Exists(path))
    {
        LabeledImages images = records is [] ? Cifar10Data.Load().Train : Cifar10Data.Read(records);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Console.WriteLine($"pretraining {path} on {images.Count} images");
        new ImageClassifier(Network.Train(Network.Build(images.Classes, seed), images, epochs: 25, seed), images).Save(path);
    }
    ImageClassifier model = ImageClassifier.Load(path);
    int all = photos.Train.Files.Count;
    LabeledImages train = Read(photos.Train.Split(Math.Max(1 - (double)count / all, 1.0 / all), seed).Train), validation = Read(photos.Validation!);

    Sequential network = (Sequential)model.Network;
    network.Freeze();                                           // fixes the weights, and the running statistics of batch norm
    Linear head = new(128, train.Classes);                      // 128 features for each image
    head.Initialize(seed);
    network.Replace(^1, head);                                  // only the new head is trained
    Console.WriteLine($"training on {train.Count} photos of {string.Join(" and ", train.ClassNames)}: fine-tuning, then from scratch");
    Evaluation tuned = Evaluation.Of(Network.Train(network, train, epochs, seed), validation);
    Evaluation fresh = Evaluation.Of(Network.Train(Network.Build(train.Classes, seed), train, epochs, seed), validation);
    Console.WriteLine($"validation accuracy: fine-tuned {tuned}, from scratch {fresh}");

    LabeledImages Read(ImageFolder folder) => folder.Load(model.Input.Height, model.Input.Width).Images.WithNormalization(model.Mean, model.Std);
}
