using System.CommandLine;

namespace MiniCnn.Examples;

/// <summary>The options that several training programs share, and the files of a run.</summary>
static class TrainingOptions
{
    public static Option<int> Epochs(int count) => CommandLine.Number("--epochs", "Number of epochs: passes through the training images", count, least: 1);

    public static Option<int> BatchSize(int count) => CommandLine.Number("--batch-size", "Number of images in a batch", count, least: 1);

    public static Option<float> LearningRate(float rate) => CommandLine.Number("--learning-rate", "Largest learning rate of the run", rate, least: 1e-6f);

    public static Option<int> Seed() => CommandLine.Number("--seed", "Seed of all random numbers", 0, least: int.MinValue);

    public static Option<int> Threads() => CommandLine.Number("--threads", "Number of threads", Workers.Count, least: 1);

    public static Option<bool> Resume() => new("--resume") { Description = "Resume from the checkpoint in the --out folder, if there is one" };

    public static Option<string> Output(string folder, string files) => new("--out")
    {
        Description = $"Folder for {files}",
        DefaultValueFactory = _ => Path.Combine("runs", folder),
    };

    public static Option<bool> Report() => new("--report")
    {
        Description = "Write report.html into the --out folder, a page that follows the run in a browser; --report false writes none",
        DefaultValueFactory = _ => true,
    };

    public static Option<string> Model(string folder) => new("--model")
    {
        Description = "Model file that a training run of this program saved",
        DefaultValueFactory = _ => ModelIn(Path.Combine("runs", folder)),
    };

    public static string CheckpointIn(string folder) => Path.Combine(folder, "checkpoint.safetensors");

    public static string ModelIn(string folder) => Path.Combine(folder, "model.safetensors");

    public static string ReportIn(string folder) => Path.Combine(folder, "report.html");

    /// <summary>Loads the model that a training run saved.</summary>
    public static ImageClassifier LoadModel(string path) => File.Exists(path) ? ImageClassifier.Load(path)
        : throw new FileNotFoundException($"{path}: there is no such model; train one first, or name another one with --model");

    /// <summary>The usage error of a new run into a folder that has the checkpoint of an unfinished run.</summary>
    public static string? Unfinished(this ParseResult options, Option<bool> resume, Option<string> output)
    {
        string checkpoint = CheckpointIn(options.GetValue(output)!);
        return options.GetValue(resume) || !Checkpoint.Exists(checkpoint) ? null
            : $"{checkpoint}: this run is unfinished; --resume resumes it, another --out starts a new run";
    }
}
