// Trains a small convolutional network on photos of cats and dogs.
// The command "predict" classifies a photo and draws where the network looked, or classifies the photos of a folder.
using System.CommandLine;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.CatsVsDogs;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Option<string?> data = new("--data")
{
    Description = "Folder of photos: train/ and validation/ with a subfolder for each class; or subfolders only, or files such as cat.0.jpg, of which 20 % "
        + "become the validation photos [default: $MINICNN_DATASETS/cats-vs-dogs; without this variable datasets/cats-vs-dogs]",
};
Option<bool> download = new("--download") { Description = "If this folder does not exist, download Microsoft's 25,000 photos into it (825 MB)" };
Option<bool> strict = new("--strict") { Description = "Stop at a photo that cannot be read, instead of skipping it" };
Option<int> size = CommandLine.Number("--size", "Height and width of the network's input in pixels, 16 to 512; photos are resized to it", 64, least: 16);
Option<int> epochs = TrainingOptions.Epochs(60);
Option<int> batchSize = TrainingOptions.BatchSize(32);
Option<float> learningRate = TrainingOptions.LearningRate(0.05f);
Option<int> seed = TrainingOptions.Seed();
Option<int> threads = TrainingOptions.Threads();
Option<int?> limit = CommandLine.OptionalNumber(
    "--limit", "Use only about N training photos and N validation photos, equally many of each class [default: all]", least: 1);
Option<bool> resume = TrainingOptions.Resume();
Option<string> output = TrainingOptions.Output("cats-vs-dogs", "model.safetensors, report.html and the checkpoint");
Option<bool> report = TrainingOptions.Report();
RootCommand command = new(
    "Trains a small CNN on photos of cats and dogs, without pretrained weights. Without photos, it uses cats and dogs that the program draws. Ctrl-C stops the "
    + "training and saves the model; --resume continues it.")
{
    data, download, strict, size, epochs, batchSize, learningRate, seed, threads, limit, resume, output, report,
};
command.SetAction(Train);

Argument<string> photo = new("photo") { Description = "JPEG, PNG, WebP, GIF or BMP; or a folder of photos, for which a CSV table is printed" };
Option<string> model = TrainingOptions.Model("cats-vs-dogs");
Option<string?> drawing = new("--out") { Description = "PNG file for the drawing of where the network looked [default: PHOTO-where.png]" };
Command predict = new("predict", "Classifies a photo and draws where the network looked, or classifies the photos of a folder.") { photo, model, drawing };
predict.SetAction(Predict);
command.Add(predict);

return CommandLine.Run(command, args, options =>
    options.CommandResult.Command == predict
    ? options.GetValue(drawing)?.EndsWith(".png", StringComparison.OrdinalIgnoreCase) == false ? "--out must end in .png" : null
    : options.GetValue(size) > 512 ? "--size must be at most 512" : options.Unfinished(resume, output));

int Train(ParseResult options)
{
    using CtrlC stop = new();
    Workers.Count = options.GetValue(threads);
    LoadedSplits photos = Photos.Load(
        options.GetValue(data), options.GetValue(download), options.GetValue(strict), options.GetValue(size), options.GetValue(limit),
        options.GetValue(seed), stop.Token);
    (LabeledImages train, LabeledImages validation) = (photos.Train.Images, photos.Validation!.Images);
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;

    Sequential network = PetNetwork.Build(options.GetValue(size), train.Classes);
    network.Initialize(options.GetValue(seed));
    Sgd optimizer = new(network.Parameters, options.GetValue(learningRate), momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);
    Trainer trainer = new(network, optimizer)
    {
        Epochs = options.GetValue(epochs),
        BatchSize = options.GetValue(batchSize),
        Seed = options.GetValue(seed),
        Schedule = (step, steps) => Schedule(step / (float)steps),
        Augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 },
        CheckpointPath = TrainingOptions.CheckpointIn(folder),
        Resume = options.GetValue(resume),
    };
    ConsoleProgress progress = new();
    RunReport? page = options.GetValue(report) ? new(TrainingOptions.ReportIn(folder), trainer, photos) { Title = "Cats and dogs", Progress = progress } : null;
    TrainingResult result = trainer.Run(train, page ?? (IProgress<TrainingStep>)progress, stop.Token);

    new ImageClassifier(network, train).Save(TrainingOptions.ModelIn(folder));
    string saved = $"saved in {folder}: model.safetensors{(page is null ? "" : ", report.html")}";
    if (result.EndedBy == TrainingEnd.Cancelled)
    {
        Console.WriteLine($"stopped in epoch {result.Epochs.Count + 1} of {trainer.Epochs}; --resume continues; {saved}");
        return 1;
    }

    Checkpoint.Delete(trainer.CheckpointPath);
    Evaluation evaluation = page?.Score("validation", validation) ?? Evaluation.Of(network, validation);
    for (int label = 0; label < validation.Classes; label++)
        Console.WriteLine($"{validation.ClassNames[label]}: {evaluation.Confusion[label, label]} of {evaluation.Support(label)} correct");
    Console.WriteLine(saved);
    Console.WriteLine($"validation accuracy: {evaluation}");
    return 0;
}

// The learning rate rises over the first fifth of the run and then falls to 0. Argument: the completed part of the run, from 0 to 1.
static float Schedule(float done) => Math.Min((done + 0.01f) / 0.2f, (1 - done) / 0.8f);

void Predict(ParseResult options)
{
    ImageClassifier classifier = TrainingOptions.LoadModel(options.GetValue(model)!);
    string path = options.GetValue(photo)!;
    if (Directory.Exists(path))
        PetPrediction.PrintFolder(classifier, path);
    else
        PetPrediction.Print(classifier, path, options.GetValue(drawing) ?? $"{Path.GetFileNameWithoutExtension(path)}-where.png");
}
