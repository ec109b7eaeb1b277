// A U-Net that tells disks, squares, triangles and crosses apart, pixel by pixel: dotnet run -c Release --project examples/Segmentation
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Option<string> output = new("--out") { Description = "Where photos, masks, model and overlays go", DefaultValueFactory = _ => "runs/segmentation" };
Option<int> count = new("--count") { Description = "Photos to draw and learn from", DefaultValueFactory = _ => 1500 };
Option<int> epochs = new("--epochs") { Description = "Times through them", DefaultValueFactory = _ => 8 };
Option<int> seed = new("--seed") { Description = "Seed of photos, weights and shuffling", DefaultValueFactory = _ => 0 };
Option<bool> report = CommandLine.Report();
RootCommand command = new("Trains a U-Net, and the same without its skips, on photos and masks that it draws.") { output, count, epochs, seed, report };
command.SetAction(Run);
return CommandLine.Run(command, args, given => given.Below(1, epochs) ?? given.Below(1, count));

void Run(ParseResult given)
{
    (string folder, int s, int times) = (given.GetValue(output)!, given.GetValue(seed), given.GetValue(epochs));
    string model = Path.Combine(folder, "model.safetensors"), held = Path.Combine(folder, $"held-out-{s}");
    MaskedImages train = Read(Path.Combine(folder, $"train-{s}-{given.GetValue(count)}"), given.GetValue(count), 2 * s), test = Read(held, 200, 2 * s + 1);
    (Sequential Net, Evaluation Scores)[] nets = [Train(skips: true), Train(skips: false)];
    new ImageSegmenter(nets[0].Net, train).Save(model);
    MaskPredictor predictor = ImageSegmenter.Load(model).CreatePredictor();
    IEnumerable<Picture> photos = Enumerable.Range(0, 6).Select(i => Picture.Load(Path.Combine(held, "photos", $"{i:D4}.png")));
    ContactSheet.Draw([.. photos.Select(photo => ("", MaskOverlay.Draw(photo, predictor.Predict(photo))))], 3, 4).Save(Path.Combine(folder, "overlays.png"));
    Console.WriteLine($"saved: {model}, and beside it overlays.png");
    Console.WriteLine($"{"IoU, %",-10}{"with skips",12}{"without",12}");
    for (int c = 0; c < train.Classes; c++)
        Console.WriteLine($"{train.ClassNames[c],-10}{100 * nets[0].Scores.IoU(c),12:F1}{100 * nets[1].Scores.IoU(c),12:F1}");
    Console.WriteLine($"{"mean",-10}{100 * nets[0].Scores.MeanIoU,12:F1}{100 * nets[1].Scores.MeanIoU,12:F1}");

    (Sequential, Evaluation) Train(bool skips)
    {
        Sequential net = new(Level(1, 12, depth: 3, skips), new Conv2d(12, train.Classes, kernelSize: 1));
        net.Initialize(s);
        Augmentation moved = new() { HorizontalFlip = true, CropPadding = 4 };
        Func<int, int, float> rate = (step, steps) => LearningRate.OneCycle(step, steps);
        Trainer trainer = new(net, new Adam(net.Parameters, 0.01f)) { Epochs = times, BatchSize = 32, Seed = s, Augmentation = moved, Schedule = rate };
        ConsoleProgress told = new(skips ? "with skips" : "without");
        RunReport? page = skips && given.GetValue(report) ? new(CommandLine.ReportIn(folder), trainer, train) { Title = "U-Net", Progress = told } : null;
        trainer.Run(train, page ?? (IProgress<TrainingStep>)told);
        return (net, page?.Score("test", test) ?? Evaluation.Of(net, test));
    }
}

static MaskedImages Read(string folder, int count, int seed)
{
    Shapes.Draw(folder, count, seed);
    return new MaskedImageFolder(Path.Combine(folder, "photos"), Path.Combine(folder, "masks"), Shapes.Names).Load(48, 64, channels: 1).Images;
}

// A level of the U: what it sees goes on, beside what the levels below, at half the size, make of it.
static Sequential Level(int from, int to, int depth, bool skips)
{
    Sequential Block(int channels) => new(new Conv2d(channels, to, 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU());
    if (depth == 0) return Block(from);
    Sequential below = new(new MaxPool2d(2), Level(to, 2 * to, depth - 1, skips), new ConvTranspose2d(2 * to, to, kernelSize: 2, stride: 2));
    return new(Block(from), skips ? new Concat(new Identity(), below) : below, Block(skips ? 2 * to : to));
}
