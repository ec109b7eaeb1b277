// Trains a small convolutional network to tell cats from dogs, and shows what it looks at; or tells what a photo shows.
using System.CommandLine;
using System.Numerics.Tensors;
using System.Text;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.CatsVsDogs;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Console.OutputEncoding = Encoding.UTF8;
Option<string?> data = new("--data")
{
    Description = "Folder of photos: train/ and validation/, each with a folder a class; or one folder a class, or files cat.0.jpg, dog.0.jpg … "
        + "(a fifth of them is kept for validation). Else MINICNN_DATASETS/cats-vs-dogs, else datasets/cats-vs-dogs",
};
Option<bool> download = new("--download") { Description = "Download Microsoft's 25,000 photos (825 MB) first, if that folder is not there" };
Option<bool> strict = new("--strict") { Description = "A photo that cannot be read is an error, not skipped" };
Option<int> size = new("--size") { Description = "Photos are resized to so many pixels each way, 16 to 512", DefaultValueFactory = _ => 64 };
Option<int> epochs = new("--epochs") { Description = "Times through the training photos", DefaultValueFactory = _ => 60 };
Option<int> batchSize = new("--batch-size") { Description = "Photos in a step", DefaultValueFactory = _ => 32 };
Option<float> learningRate = new("--learning-rate") { Description = "Largest learning rate of the run", DefaultValueFactory = _ => 0.05f };
Option<int> seed = new("--seed") { Description = "Seed of the weights, the order, the augmentation and the split", DefaultValueFactory = _ => 0 };
Option<int> threads = new("--threads") { Description = "Threads that work", DefaultValueFactory = _ => Workers.Count };
Option<int?> limit = new("--limit") { Description = "Take about N photos of each part only, of each class alike" };
Option<bool> resume = new("--resume") { Description = "Go on from the checkpoint in the folder of --out, if there is one" };
Option<string> output = new("--out")
{
    Description = "Folder for model.safetensors, the report and the checkpoint",
    DefaultValueFactory = _ => Path.Combine("runs", "cats-vs-dogs"),
};
Option<bool> report = CommandLine.Report();
RootCommand root = new(
    "Trains a small CNN on photos of cats and dogs, from nothing: no weights are downloaded. Saves the model and a report: how the loss fell, kernels "
    + "before and after, maps, the worst mistakes and where it looks. Ctrl-C saves what has been learnt so far; --resume goes on.")
{
    data, download, strict, size, epochs, batchSize, learningRate, seed, threads, limit, resume, output, report,
};
root.SetAction(Train);

Argument<string> photo = new("photo") { Description = "JPEG, PNG, WebP, GIF or BMP; or a folder of them, of which a CSV is printed" };
Option<string> modelPath = new("--model")
{
    Description = "What a training saved",
    DefaultValueFactory = _ => Path.Combine("runs", "cats-vs-dogs", "model.safetensors"),
};
Option<string?> mapPath = new("--out") { Description = "The picture of where it looked, a .png; PHOTO-where.png here if left out" };
Command predict = new("predict", "Tells what a photo shows, and draws where the network saw it; or what those of a folder show.") { photo, modelPath, mapPath };
predict.SetAction(Predict);
root.Add(predict);

return CommandLine.Run(root, args, options =>
    options.CommandResult.Command == predict
    ? options.GetValue(mapPath)?.EndsWith(".png", StringComparison.OrdinalIgnoreCase) == false ? "--out must end in .png" : null
    : options.Below(1, epochs) ?? options.Below(1, batchSize) ?? options.Below(1, threads) ?? options.Below(16, size)
    ?? (options.GetValue(size) > 512 ? "--size must be at most 512" : options.GetValue(limit) < 1 ? "--limit must be at least 1" : null)
    ?? (options.GetValue(epochs) > 1000 ? "--epochs must be at most 1000" : null)
    ?? (options.GetValue(learningRate) is > 0 and < float.PositiveInfinity ? null : "--learning-rate must be above 0")
    ?? options.Unfinished(resume, output));

int Train(ParseResult options)
{
    using CtrlC stop = new();
    Workers.Count = options.GetValue(threads);
    LoadedSplits photos = Photos.Load(
        options.GetValue(data), options.GetValue(download), options.GetValue(strict), options.GetValue(size), options.GetValue(limit),
        options.GetValue(seed), stop.Token);
    (LabeledImages train, LabeledImages validation) = (photos.Train.Images, photos.Validation!.Images);
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    PetClassifier classifier = PetClassifier.Create(train, options.GetValue(seed));

    Sgd optimizer = new(classifier.Network.Parameters, options.GetValue(learningRate), momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);
    Trainer trainer = new(classifier.Network, optimizer)
    {
        Epochs = options.GetValue(epochs),
        BatchSize = options.GetValue(batchSize),
        Seed = options.GetValue(seed),
        Schedule = (step, steps) => Schedule(step / (float)steps),
        Augmentation = new() { HorizontalFlip = true, Scale = 0.5, Brightness = 0.3, Contrast = 0.3 },      // photos are few
        CheckpointPath = CommandLine.CheckpointIn(folder),
        Resume = options.GetValue(resume),
    };
    ConsoleProgress progress = new();
    RunReport? page = options.GetValue(report) ? new(CommandLine.ReportIn(folder), trainer, photos) { Title = "Cats and dogs", Progress = progress } : null;
    TrainingResult result = trainer.Run(train, page ?? (IProgress<TrainingStep>)progress, stop.Token);

    string model = Path.Combine(folder, "model.safetensors"), saved = $"saved: {model}{(page is null ? "" : ", and beside it report.html")}";
    classifier.Model.Save(model);
    if (result.EndedBy == TrainingEnd.Cancelled)
    {
        Console.WriteLine($"stopped after {result.Epochs.Count} of {options.GetValue(epochs)} epochs; --resume goes on; {saved}");
        return 1;
    }

    Checkpoint.Delete(trainer.CheckpointPath);                    // the run has ended, and its model is saved
    Evaluation evaluation = page?.Score("validation", validation) ?? Evaluation.Of(classifier.Network, validation);
    for (int label = 0; label < validation.Classes; label++)
        Console.WriteLine($"{validation.ClassNames[label]}: {evaluation.Confusion[label, label]} of {evaluation.Support(label)} right");
    Console.WriteLine(saved);
    Console.WriteLine($"validation accuracy: {evaluation}");
    return 0;
}

int Predict(ParseResult options)
{
    PetClassifier classifier = PetClassifier.Load(options.GetValue(modelPath)!);
    string path = options.GetValue(photo)!;
    if (Directory.Exists(path))
    {
        using CtrlC stop = new();
        IEnumerable<FilePrediction> files = classifier.Predictor.PredictFolder(path, new ConsoleProgress(toError: true), stop.Token);
        Console.WriteLine(FilePrediction.CsvHeader);
        foreach (FilePrediction file in files)
            Console.WriteLine(file.ToCsv());
        return 0;
    }
    Picture picture = Picture.Load(path);
    Tensor<float> x = classifier.Model.ToInput(picture);
    Prediction prediction = classifier.Predictor.Predict(x)[0];
    string where = options.GetValue(mapPath) ?? $"{Path.GetFileNameWithoutExtension(path)}-where.png";
    string found = $"{prediction.ClassName} ({100 * prediction.Probability:F1} %)";
    double scale = Math.Min(1, 400.0 / Math.Max(picture.Width, picture.Height));
    picture = picture.Resize((int)Math.Ceiling(scale * picture.Width), (int)Math.Ceiling(scale * picture.Height));
    ContactSheet.Draw([(Path.GetFileName(path), picture), (found, HeatMap.Over(picture, classifier.ActivationMap(x, prediction.Label)))], columns: 2).Save(where);
    Console.WriteLine($"where it looked: {where}");
    Console.WriteLine($"{path}: {found}");
    return 0;
}

// Up for a fifth of the run, then down to nothing.
static float Schedule(float done) => Math.Min((done + 0.01f) / 0.2f, (1 - done) / 0.8f);
