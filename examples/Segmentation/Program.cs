// A U-Net that tells disks, squares, triangles and crosses apart, pixel by pixel: dotnet run -c Release --project examples/Segmentation
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Option<string> folder = new("--out") { Description = "Where photos, masks, model and overlays go", DefaultValueFactory = _ => "runs/segmentation" };
Option<int> count = new("--count") { Description = "Photos to draw and learn from", DefaultValueFactory = _ => 1500 };
Option<int> epochs = new("--epochs") { Description = "Times through them", DefaultValueFactory = _ => 12 };
Option<int> seed = new("--seed") { Description = "Seed of photos, weights and shuffling", DefaultValueFactory = _ => 0 };
RootCommand command = new("Trains a U-Net, and the same without its skips, on photos and masks that it draws.") { folder, count, epochs, seed };
command.SetAction(Run);
return CommandLine.Run(command, args, given => given.Below(1, epochs) ?? given.Below(1, count));

void Run(ParseResult given)
{
    (string path, int s) = (given.GetValue(folder)!, given.GetValue(seed));
    MaskedImages train = Read(given.GetValue(count), 2 * s, out _), test = Read(100, 2 * s + 1, out string held);
    (Sequential net, Evaluation whole) = Train(skips: true);
    (_, Evaluation without) = Train(skips: false);
    new ImageSegmenter(net, train).Save(Path.Combine(path, "model.safetensors"));
    MaskPredictor predictor = ImageSegmenter.Load(Path.Combine(path, "model.safetensors")).CreatePredictor();
    string[] photos = [.. Directory.GetFiles(Path.Combine(held, "photos")).Order(StringComparer.Ordinal).Take(6)];
    ContactSheet.Draw([.. photos.Select(Picture.Load).Select(photo => ("", MaskOverlay.Draw(photo, predictor.Predict(photo))))], 3, scale: 4)
        .Save(Path.Combine(path, "overlays.png"));
    Console.WriteLine($"{"IoU, %",-10}  with skips  without");
    for (int c = 0; c < train.Classes; c++)
        Console.WriteLine($"{train.ClassNames[c],-10}  {100 * whole.IoU(c),10:F1}  {100 * without.IoU(c),7:F1}");
    Console.WriteLine($"{"mean",-10}  {100 * whole.MeanIoU,10:F1}  {100 * without.MeanIoU,7:F1}");

    MaskedImages Read(int photos, int drawing, out string drawn)
    {
        Shapes.Draw(drawn = Path.Combine(path, $"drawn-{drawing}-{photos}"), photos, drawing);
        return new MaskedImageFolder(Path.Combine(drawn, "photos"), Path.Combine(drawn, "masks"), Shapes.Names).Load(48, 64, channels: 1).Images;
    }

    (Sequential, Evaluation) Train(bool skips)
    {
        Sequential model = new(Level(1, 12, depth: 3, skips), new Conv2d(12, train.Classes, 1));
        model.Initialize(s);
        Trainer trainer = new(model, new Adam(model.Parameters, 0.01f))
        {
            Epochs = given.GetValue(epochs),
            BatchSize = 32,
            Seed = s,
            Augmentation = new() { HorizontalFlip = true, CropPadding = 4 },
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
        };
        trainer.Run(train, new ConsoleProgress(skips ? "with skips" : "without"));
        return (model, Evaluation.Of(model, test));
    }
}

// A level of the U: what it sees goes on beside what the level below, at half the size, makes of it.
static Sequential Level(int from, int to, int depth, bool skips)
{
    Sequential Block(int channels) => new(new Conv2d(channels, to, 3, padding: 1, bias: false), new BatchNorm2d(to), new ReLU());
    if (depth == 0)
        return Block(from);
    Sequential below = new(new MaxPool2d(2), Level(to, 2 * to, depth - 1, skips), new ConvTranspose2d(2 * to, to, kernelSize: 2, stride: 2));
    return new(Block(from), skips ? new Concat(new Identity(), below) : below, Block(skips ? 2 * to : to));
}
