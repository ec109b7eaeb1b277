// Trains a U-Net that labels each pixel of a photo as ground, disk, square, triangle or cross. Trains it without skip connections too, for comparison.
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Segmentation;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Option<string> output = TrainingOptions.Output("segmentation", "photos, masks, model.safetensors, overlays.png and report.html");
Option<int> count = CommandLine.Number("--count", "Number of training photos to draw", 1500, least: 1);
Option<int> epochs = TrainingOptions.Epochs(8);
Option<int> seed = TrainingOptions.Seed();
Option<bool> report = TrainingOptions.Report();
RootCommand command = new("Trains a U-Net with and without skip connections on photos and masks that the program draws.")
{
    output, count, epochs, seed, report,
};
command.SetAction(Run);
return CommandLine.Run(command, args);

void Run(ParseResult options)
{
    (string folder, int photos, int s) = (options.GetValue(output)!, options.GetValue(count), options.GetValue(seed));
    string testFolder = Path.Combine(folder, $"held-out-{s}"), model = TrainingOptions.ModelIn(folder);
    MaskedImages train = Shapes.Load(Path.Combine(folder, $"train-{s}-{photos}"), photos, seed: 2 * s);
    MaskedImages test = Shapes.Load(testFolder, 200, seed: 2 * s + 1);

    Sequential unet = UNet.Build(train.Classes, skips: true, s);
    Evaluation scores = Train(unet, "with skips", options.GetValue(report));
    Evaluation without = Train(UNet.Build(train.Classes, skips: false, s), "without", report: false);

    new ImageSegmenter(unet, train).Save(model);
    MaskPredictor predictor = ImageSegmenter.Load(model).CreatePredictor();
    Picture[] first = [.. Enumerable.Range(0, 6).Select(i => Picture.Load(Path.Combine(testFolder, "photos", $"{i:D4}.png")))];
    ContactSheet.Draw([.. first.Select(photo => ("", MaskOverlay.Draw(photo, predictor.Predict(photo))))], 3, 4).Save(Path.Combine(folder, "overlays.png"));
    Console.WriteLine($"saved in {folder}: model.safetensors, overlays.png");

    Console.WriteLine($"{"IoU, %",-10}{"with skips",12}{"without",12}");
    for (int c = 0; c < train.Classes; c++)
        Console.WriteLine($"{train.ClassNames[c],-10}{100 * scores.IoU(c),12:F1}{100 * without.IoU(c),12:F1}");
    Console.WriteLine($"{"mean",-10}{100 * scores.MeanIoU,12:F1}{100 * without.MeanIoU,12:F1}");

    Evaluation Train(Sequential net, string name, bool report)
    {
        Trainer trainer = new(net, new Adam(net.Parameters, 0.01f))
        {
            Epochs = options.GetValue(epochs),
            BatchSize = 32,
            Seed = s,
            Augmentation = new() { HorizontalFlip = true, CropPadding = 4 },
            Schedule = (step, steps) => LearningRate.OneCycle(step, steps),
        };
        ConsoleProgress progress = new(name);
        RunReport? page = report ? new(TrainingOptions.ReportIn(folder), trainer, train) { Title = "U-Net", Progress = progress } : null;
        trainer.Run(train, page ?? (IProgress<TrainingStep>)progress);
        return page?.Score("test", test) ?? Evaluation.Of(net, test);
    }
}
