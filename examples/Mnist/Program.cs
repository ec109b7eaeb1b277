// Trains a small convolutional network on handwritten digits, and shows what its first kernels have learnt.
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
Option<bool> fast = new("--fast") { Description = "A network, and the epochs that it needs for 99 % of the test digits" };
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
RootCommand command = new("Trains a small CNN on MNIST's handwritten digits.")
{
    data, fast, epochs, batchSize, learningRate, seed, threads, limit, output,
};
command.SetAction(Run);
return CommandLine.Run(command, args, options =>
    options.Below(1, epochs) ?? options.Below(1, batchSize) ?? options.Below(1, threads)
    ?? (options.GetValue(limit) < 1 ? "--limit must be at least 1" : null)
    ?? (options.GetValue(learningRate) is > 0 and < float.PositiveInfinity ? null : "--learning-rate must be above 0"));

int Run(ParseResult options)
{
    Workers.Count = options.GetValue(threads);
    Console.WriteLine($"looking for digits; {Workers.Count} threads");
    Task<(LabeledImages Train, LabeledImages Test)> digits = Task.Run(() => Digits.Load(options.GetValue(data)));

    (int padding, int channels, int features) = options.GetValue(fast) ? (0, 32, 512) : (2, 16, 400);
    Conv2d firstLayer = new(1, 8, kernelSize: 5, padding: padding);
    Sequential model = new(
        firstLayer, new ReLU(), new MaxPool2d(2),
        new Conv2d(8, channels, kernelSize: 5), new ReLU(), new MaxPool2d(2),
        new Flatten(), new Linear(features, 10));
    // A step on blank images, while the digits are being read: what training needs is compiled by then. Initialize forgets it.
    Learn(model, new(), new(model.Parameters, learningRate: 0), Tensor.CreateFromShape<float>([64, 1, 28, 28]), new int[64]);
    model.Initialize(options.GetValue(seed));

    (LabeledImages train, LabeledImages test) = digits.GetAwaiter().GetResult();
    string folder = Directory.CreateDirectory(options.GetValue(output)!).FullName;
    if (options.GetValue(limit) is int first)
        train = train.Take(first);
    Tensor<float> initialKernels = Copy(firstLayer.Weight.Value);

    Train(model, train, options);

    Confusion confusion = Confusion.Of(model, test);
    TimeSpan sinceStart = DateTime.Now - Process.GetCurrentProcess().StartTime;
    Console.WriteLine($"{100 * confusion.Accuracy:F2} % after {sinceStart.TotalSeconds:F2} s from the start of the process");
    confusion.Print();
    Tensor<float> learnedKernels = Copy(firstLayer.Weight.Value);
    Weights.Save(model, Path.Combine(folder, "model.safetensors"));
    Png.Write(Path.Combine(folder, "kernels.png"), KernelSheet.Draw(initialKernels, learnedKernels));

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
}

void Train(Sequential model, LabeledImages train, ParseResult options)
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
            }
        }
    });
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
