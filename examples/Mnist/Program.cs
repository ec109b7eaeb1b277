// Trains a small convolutional network on handwritten digits, and shows what its first kernels have learnt; reads a digit that a person drew.
using System.CommandLine;
using System.Diagnostics;
using System.Numerics.Tensors;
using System.Text;
using MiniCnn;
using MiniCnn.Examples;
using MiniCnn.Examples.Mnist;
using MiniCnn.Imaging;

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
Option<string> output = new("--out")
{
    Description = "Folder for model.safetensors and the pictures",
    DefaultValueFactory = _ => Path.Combine("runs", "mnist"),
};
Argument<string> drawing = new("picture") { Description = "PNG, JPEG, PPM or PGM: one digit, dark on light or light on dark, of any size" };
Option<string> weights = new("--model") { Description = "Weights to use", DefaultValueFactory = _ => Path.Combine("runs", "mnist", "model.safetensors") };
Option<string?> seen = new("--out") { Description = "Folder for seen.png, the picture as the network saw it" };
Command predict = new("predict", "Reads a digit that a person drew, by a model that was trained before.") { drawing, weights, seen };
predict.SetAction(options => Prediction.Print(options.GetValue(drawing)!, options.GetValue(weights)!, options.GetValue(seen)));

RootCommand command = new("Trains a small CNN on MNIST's handwritten digits. Ctrl-C ends the training early and saves what there is.")
{
    data, fast, epochs, batchSize, learningRate, seed, threads, limit, output, predict,
};
command.SetAction(Run);
return CommandLine.Run(command, args, options =>
    options.CommandResult.Command == predict ? null
    : options.Below(1, epochs) ?? options.Below(1, batchSize) ?? options.Below(1, threads)
    ?? (options.GetValue(limit) < 1 ? "--limit must be at least 1" : null)
    ?? (options.GetValue(learningRate) is > 0 and < float.PositiveInfinity ? null : "--learning-rate must be above 0"));

int Run(ParseResult options)
{
    using CtrlC stop = new();
    Workers.Count = options.GetValue(threads);
    Console.WriteLine($"looking for digits; {Workers.Count} threads");
    Task<(LabeledImages Train, LabeledImages Test)> digits = Task.Run(() => Digits.Load(options.GetValue(data), stop.Token));

    Sequential model = Network.Build(options.GetValue(fast));
    Conv2d firstLayer = (Conv2d)model.Layers[0];
    // A step on blank images, while the digits are being read: what training needs is compiled by then. Initialize forgets it.
    Learn(model, new(), new(model.Parameters, learningRate: 0), Tensor.CreateFromShape<float>([64, 1, 28, 28]), new int[64]);
    model.Initialize(options.GetValue(seed));

    (LabeledImages train, LabeledImages test) = digits.GetAwaiter().GetResult();
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    if (options.GetValue(limit) is int first)
        train = train.Take(first);
    Tensor<float> initialKernels = Copy(firstLayer.Weight.Value);

    (int done, int steps) = Train(model, train, options, stop.Token);
    if (done < steps)
    {
        Save();
        Console.WriteLine($"stopped after step {done} of {steps}; saved: {Path.Combine(folder, "model.safetensors")} and kernels.png");
        return 1;
    }
    Confusion confusion = Confusion.Of(model, test);
    TimeSpan sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
    Console.WriteLine($"{100 * confusion.Accuracy:F2} % after {sinceStart.TotalSeconds:F2} s from the start of the process");
    confusion.Print();
    Tensor<float> learnedKernels = Copy(firstLayer.Weight.Value);
    Save();

    // What has the first layer learnt? Put its initial kernels back under the trained network and see.
    initialKernels.CopyTo(firstLayer.Weight.Value);
    Confusion without = Confusion.Of(model, test);
    learnedKernels.CopyTo(firstLayer.Weight.Value);
    float moved = Tensor.Norm<float>(Tensor.Subtract<float>(learnedKernels, initialKernels)) / Tensor.Norm<float>(initialKernels);
    Console.WriteLine(
        $"first-layer kernels: moved by {moved:P0} of their initial length; with the initial ones put back the test accuracy is {without.Accuracy:P2}");
    Console.WriteLine($"saved: {Path.Combine(folder, "model.safetensors")} and kernels.png");
    Console.WriteLine($"test accuracy: {confusion}");
    return 0;

    void Save()
    {
        Weights.Save(model, Path.Combine(folder, "model.safetensors"));
        KernelSheet.Draw(initialKernels, firstLayer.Weight.Value).Save(Path.Combine(folder, "kernels.png"));
    }
}

(int Done, int Steps) Train(Sequential model, LabeledImages train, ParseResult options, CancellationToken stop)
{
    int batch = options.GetValue(batchSize), rounds = options.GetValue(epochs), step = 0;
    int steps = rounds * ((train.Count + batch - 1) / batch);
    Random random = new(options.GetValue(seed));
    CrossEntropyLoss loss = new();
    Sgd optimizer = new(model.Parameters, options.GetValue(learningRate), momentum: 0.9f, weightDecay: 5e-4f, nesterov: true);

    TrainingProgress.Show(steps, rounds, progress =>
    {
        for (int epoch = 0; epoch < rounds; epoch++)
        {
            foreach ((Tensor<float> images, int[] labels) in train.Batches(batch, seed: options.GetValue(seed) + epoch))
            {
                // Up for a fifth of the run, then down to nothing.
                float done = step++ / (float)steps;
                optimizer.LearningRate = options.GetValue(learningRate) * Math.Min((done + 0.01f) / 0.2f, (1 - done) / 0.8f);

                Shift(images, random);
                (Tensor<float> logits, float lossValue) = Learn(model, loss, optimizer, images, labels);
                progress.Report(epoch, step, lossValue, Confusion.Right(logits, labels), labels.Length);
                if (stop.IsCancellationRequested)
                    return;
            }
        }
    });
    return (step, steps);
}

static (Tensor<float> Logits, float Loss) Learn(Sequential model, CrossEntropyLoss loss, Sgd optimizer, Tensor<float> images, int[] labels)
{
    Tensor<float> logits = model.Forward(images, training: true);
    float lossValue = loss.Forward(logits, labels);
    model.Backward(loss.Backward());
    optimizer.Step();
    optimizer.ZeroGrad();
    return (logits, lossValue);
}

// Moves each image by up to a pixel across and down: other digits in each epoch. (Rows run on into each other; digits keep clear of the edges.)
static void Shift(Tensor<float> images, Random random)
{
    int width = (int)images.Lengths[3], pixels = (int)images.Lengths[2] * width;
    for (int n = 0; n < images.Lengths[0]; n++)
    {
        Span<float> image = images.GetSpan([n, 0, 0, 0], pixels);
        int by = width * random.Next(-1, 2) + random.Next(-1, 2);
        image[Math.Max(0, -by)..^Math.Max(0, by)].CopyTo(image[Math.Max(0, by)..]);
    }
}

static Tensor<float> Copy(Tensor<float> tensor)
{
    Tensor<float> copy = Tensor.CreateFromShape<float>(tensor.Lengths);
    tensor.CopyTo(copy);
    return copy;
}
