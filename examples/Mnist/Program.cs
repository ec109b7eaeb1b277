// Trains a small convolutional network on handwritten digits, and shows what its first kernels have learnt; reads a digit that a person drew.
using System.CommandLine;
using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Mnist;
using MiniCnn.Imaging;
using MiniCnn.Reports;

Console.OutputEncoding = Encoding.UTF8;
Option<string?> data = new("--data")
{
    Description = "Folder of MNIST's four IDX files; else MINICNN_DATASETS/mnist, else datasets/mnist, downloaded on first use",
};
Option<bool> fast = new("--fast") { Description = "Take the network that has 99 % of the test digits soonest, and its two epochs" };
Option<int> epochs = new("--epochs") { Description = "Times through the training images", DefaultValueFactory = given => given.GetValue(fast) ? 2 : 3 };
Option<int> batchSize = new("--batch-size") { Description = "Images in a step", DefaultValueFactory = _ => 64 };
Option<float> learningRate = new("--learning-rate") { Description = "Largest learning rate of the run", DefaultValueFactory = _ => 0.05f };
Option<int> seed = new("--seed") { Description = "Seed of the initial weights and of the shuffling", DefaultValueFactory = _ => 0 };
Option<int> threads = new("--threads") { Description = "Threads that work", DefaultValueFactory = _ => Workers.Count };
Option<int?> limit = new("--limit") { Description = "Train on the first N training images only" };
Option<bool> resume = new("--resume") { Description = "Go on from the checkpoint in the folder of --out, if there is one" };
Option<double> every = new("--checkpoint-every") { Description = "Seconds between two checkpoints, at least", DefaultValueFactory = _ => 10 };
Option<string> output = new("--out")
{
    Description = "Folder for model.safetensors, the pictures and the checkpoint",
    DefaultValueFactory = _ => Path.Combine("runs", "mnist"),
};
Option<bool> report = CommandLine.Report(given => !given.GetValue(fast));
Argument<string> drawing = new("picture") { Description = "JPEG, PNG, WebP, GIF or BMP: one digit, dark on light or light on dark, of any size" };
Option<string> weights = new("--model") { Description = "Weights to use", DefaultValueFactory = _ => Path.Combine("runs", "mnist", "model.safetensors") };
Option<string?> seen = new("--out") { Description = "Folder for seen.png, the picture as the network saw it" };
Command predict = new("predict", "Reads a digit that a person drew, by a model that was trained before.") { drawing, weights, seen };
predict.SetAction(options => DigitReading.Print(options.GetValue(drawing)!, options.GetValue(weights)!, options.GetValue(seen)));

RootCommand command = new("Trains a small CNN on MNIST's handwritten digits. Ctrl-C ends the training early and saves what there is; --resume goes on.")
{
    data, fast, epochs, batchSize, learningRate, seed, threads, limit, resume, every, output, report, predict,
};
command.SetAction(Run);
return CommandLine.Run(command, args, options =>
    options.CommandResult.Command == predict ? null
    : options.Below(1, epochs) ?? options.Below(1, batchSize) ?? options.Below(1, threads)
    ?? (options.GetValue(limit) < 1 ? "--limit must be at least 1" : null)
    ?? (options.GetValue(every) is >= 0 and <= 1e6 ? null : "--checkpoint-every must be at least 0")
    ?? (options.GetValue(learningRate) is > 0 and < float.PositiveInfinity ? null : "--learning-rate must be above 0")
    ?? options.Unfinished(resume, output));

int Run(ParseResult options)
{
    using CtrlC stop = new();
    Workers.Count = options.GetValue(threads);
    Console.WriteLine($"looking for digits; {Workers.Count} threads");
    Task<(LabeledImages Train, LabeledImages Test, string Name)> digits = Task.Run(() => Digits.Load(options.GetValue(data), stop.Token));

    Sequential model = Network.Build(options.GetValue(fast));
    Conv2d firstLayer = (Conv2d)model.Layers[0];
    // A step on blank images, while the digits are being read: what training needs is compiled by then. Initialize forgets it.
    new Trainer(model, Optimizer(model, 0.05f)).Run(new LabeledImages(new byte[64 * 784], [0, 1, .. new int[62]], new(1, 28, 28), classes: 10));
    model.Initialize(options.GetValue(seed));

    (LabeledImages train, LabeledImages test, _) = digits.GetAwaiter().GetResult();
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    if (options.GetValue(limit) is int first)
        train = train.Take(first);
    Tensor<float> initialKernels = Copy(firstLayer.Weight.Value);

    Trainer trainer = new(model, Optimizer(model, options.GetValue(learningRate)))
    {
        Epochs = options.GetValue(epochs),
        BatchSize = options.GetValue(batchSize),
        Seed = options.GetValue(seed),
        Schedule = (step, steps) => LearningRate.OneCycle(step, steps, warmUp: 0.2, linear: true),
        Augmentation = new() { CropPadding = 1 },                 // other digits in each epoch
        CheckpointPath = CommandLine.CheckpointIn(folder),
        CheckpointInterval = TimeSpan.FromSeconds(options.GetValue(every)),
        Resume = options.GetValue(resume),
    };
    ConsoleProgress progress = new();
    RunReport? page = options.GetValue(report) ? new(CommandLine.ReportIn(folder), trainer, train) { Title = "MNIST", Progress = progress } : null;
    TrainingResult result = trainer.Run(train, page ?? (IProgress<TrainingStep>)progress, stop.Token);
    string saved = $"saved: {Path.Combine(folder, "model.safetensors")} and beside it kernels.png{(page is null ? "" : ", report.html")}";
    if (result.EndedBy == TrainingEnd.Cancelled)
    {
        Save();
        Console.WriteLine($"stopped in epoch {result.Epochs.Count + 1} of {trainer.Epochs}; --resume goes on; {saved}");
        return 1;
    }
    Evaluation evaluation = page?.Score("test", test) ?? Evaluation.Of(model, test);
    TimeSpan sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
    if (!trainer.Resume)
        Console.WriteLine($"{100 * evaluation.Accuracy:F2} % after {sinceStart.TotalSeconds:F2} s from the start of the process");
    Console.WriteLine(evaluation.ToTable());
    Tensor<float> learnedKernels = Copy(firstLayer.Weight.Value);
    Save();

    // What has the first layer learnt? Put its initial kernels back under the trained network and see.
    initialKernels.CopyTo(firstLayer.Weight.Value);
    double without = Evaluation.Of(model, test, batchSize: 500).Accuracy;
    learnedKernels.CopyTo(firstLayer.Weight.Value);
    float moved = Tensor.Norm<float>(Tensor.Subtract<float>(learnedKernels, initialKernels)) / Tensor.Norm<float>(initialKernels);
    Console.WriteLine(
        $"first-layer kernels: moved by {moved:P0} of their initial length; with the initial ones put back the test accuracy is {without:P2}");
    Checkpoint.Delete(trainer.CheckpointPath);                    // the run has ended, and its model is saved
    Console.WriteLine(saved);
    Console.WriteLine($"test accuracy: {evaluation}");
    return 0;

    void Save()
    {
        Weights.Save(model, Path.Combine(folder, "model.safetensors"));
        KernelSheet.Draw(initialKernels, firstLayer.Weight.Value).Save(Path.Combine(folder, "kernels.png"));
    }
}

static Sgd Optimizer(Sequential model, float rate) => new(model.Parameters, rate, momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);

static Tensor<float> Copy(Tensor<float> tensor)
{
    Tensor<float> copy = Tensor.CreateFromShape<float>(tensor.Lengths);
    tensor.CopyTo(copy);
    return copy;
}
