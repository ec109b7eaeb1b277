// Trains a small convolutional network on the handwritten digits of MNIST, and shows how its first kernels changed.
// The command "predict" reads a digit in a picture.
using System.CommandLine;
using System.Diagnostics;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Mnist;
using MiniCnn.Reports;

Option<string?> data = Digits.Folder();
Option<bool> fast = new("--fast") { Description = "Use the network that reaches 99 % test accuracy fastest, 2 epochs, and no report" };
Option<int> epochs = TrainingOptions.Epochs(3);
epochs.DefaultValueFactory = given => given.GetValue(fast) ? 2 : 3;
Option<int> batchSize = TrainingOptions.BatchSize(64);
Option<float> learningRate = TrainingOptions.LearningRate(0.05f);
Option<int> seed = TrainingOptions.Seed();
Option<int> threads = TrainingOptions.Threads();
Option<int?> limit = CommandLine.OptionalNumber("--limit", "Use only the first N training images [default: all]", least: 1);
Option<bool> resume = TrainingOptions.Resume();
Option<double> interval = CommandLine.Number("--checkpoint-every", "Minimum time between two checkpoints, in seconds", 10.0, least: 0);
Option<string> output = TrainingOptions.Output("mnist", "model.safetensors, kernels.png, report.html and the checkpoint");
Option<bool> report = TrainingOptions.Report();
report.DefaultValueFactory = given => !given.GetValue(fast);
RootCommand command = new("Trains a small CNN on the handwritten digits of MNIST. Ctrl-C stops the training and saves the model; --resume continues it.")
{
    data, fast, epochs, batchSize, learningRate, seed, threads, limit, resume, interval, output, report,
};
command.SetAction(Train);

Argument<string> picture = new("picture") { Description = "One digit, dark on light or light on dark: JPEG, PNG, WebP, GIF or BMP of any size" };
Option<string> model = TrainingOptions.Model("mnist");
Option<string?> seen = new("--out") { Description = "Folder for seen.png, the image that the network gets [default: not saved]" };
Command predict = new("predict", "Reads a digit in a picture with a trained model.") { picture, model, seen };
predict.SetAction(options => DigitReader.Read(options.GetValue(picture)!, options.GetValue(model)!, options.GetValue(seen)));
command.Add(predict);

return CommandLine.Run(command, args, options => options.CommandResult.Command == predict ? null : options.Unfinished(resume, output));

int Train(ParseResult options)
{
    using CtrlC stop = new();
    Workers.Count = options.GetValue(threads);
    Console.WriteLine($"loading digits; {Workers.Count} threads");
    Task<(LabeledImages Train, LabeledImages Test, string Name)> digits = Task.Run(() => Digits.Load(options.GetValue(data), stop.Token));

    Sequential network = Network.Build(options.GetValue(fast));
    Network.WarmUp(network);                                      // while the digits are loaded
    network.Initialize(options.GetValue(seed));
    FirstLayer firstLayer = new(network);

    (LabeledImages train, LabeledImages test, _) = digits.GetAwaiter().GetResult();
    if (options.GetValue(limit) is int count)
        train = train.Take(count);
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;

    Trainer trainer = new(network, Network.Optimizer(network, options.GetValue(learningRate)))
    {
        Epochs = options.GetValue(epochs),
        BatchSize = options.GetValue(batchSize),
        Seed = options.GetValue(seed),
        Schedule = (step, steps) => LearningRate.OneCycle(step, steps, warmUp: 0.2, linear: true),
        Augmentation = new() { CropPadding = 1 },
        CheckpointPath = TrainingOptions.CheckpointIn(folder),
        CheckpointInterval = TimeSpan.FromSeconds(options.GetValue(interval)),
        Resume = options.GetValue(resume),
    };
    ConsoleProgress progress = new();
    RunReport? page = options.GetValue(report) ? new(TrainingOptions.ReportIn(folder), trainer, train) { Title = "MNIST", Progress = progress } : null;
    TrainingResult result = trainer.Run(train, page ?? (IProgress<TrainingStep>)progress, stop.Token);
    string saved = $"saved in {folder}: model.safetensors, kernels.png{(page is null ? "" : ", report.html")}";
    if (result.EndedBy == TrainingEnd.Cancelled)
    {
        Save();
        Console.WriteLine($"stopped in epoch {result.Epochs.Count + 1} of {trainer.Epochs}; --resume continues; {saved}");
        return 1;
    }

    Evaluation evaluation = page?.Score("test", test) ?? Evaluation.Of(network, test);
    TimeSpan sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
    if (!trainer.Resume)
        Console.WriteLine($"{100 * evaluation.Accuracy:F2} % after {sinceStart.TotalSeconds:F2} s from the start of the process");
    Save();
    Checkpoint.Delete(trainer.CheckpointPath);
    Console.WriteLine(evaluation.ToTable());
    Console.WriteLine(firstLayer.Describe(test));
    Console.WriteLine(saved);
    Console.WriteLine($"test accuracy: {evaluation}");
    return 0;

    void Save()
    {
        new ImageClassifier(network, train).Save(TrainingOptions.ModelIn(folder));
        firstLayer.Save(Path.Combine(folder, "kernels.png"));
    }
}
