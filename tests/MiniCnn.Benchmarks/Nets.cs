using System.Numerics.Tensors;

namespace MiniCnn.Benchmarks;

/// <summary>A network, its batch size in training, and the required speedup of a training step over libtorch.</summary>
sealed record Net(string Name, ImageShape Input, int Classes, int Batch, double Required, Func<Sequential> Build)
{
    public const string TrainingStep = "training step", OneImage = "forward, 1 image", EightImages = "forward, 8 images", ManyImages = "forward, 64 images";

    public static Net LeNet5 { get; } = new("LeNet-5", new(1, 28, 28), 10, 64, 3.6, () => new(
        new Conv2d(1, 6, 5, padding: 2), new ReLU(), new MaxPool2d(2), new Conv2d(6, 16, 5), new ReLU(), new MaxPool2d(2),
        new Flatten(), new Linear(400, 120), new ReLU(), new Linear(120, 84), new ReLU(), new Linear(84, 10)));

    /// <summary>PyTorch's MNIST example.</summary>
    public static Net Mnist { get; } = new("MNIST net", new(1, 28, 28), 10, 64, 1.6, () => new(
        new Conv2d(1, 32, 3), new ReLU(), new Conv2d(32, 64, 3), new ReLU(), new MaxPool2d(2), new Dropout(0.25),
        new Flatten(), new Linear(9216, 128), new ReLU(), new Dropout(0.5), new Linear(128, 10)));

    public static Net CatsAndDogs { get; } = new("cats and dogs net", new(3, 64, 64), 2, 32, 1.6, () => new(
        new Conv2d(3, 32, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Conv2d(32, 64, 3, padding: 1), new ReLU(), new MaxPool2d(2),
        new Conv2d(64, 128, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(8192, 128), new ReLU(), new Linear(128, 2)));

    /// <summary>The network of He et al. for CIFAR-10 with one block per stage and strided convolutions as shortcuts.</summary>
    public static Net ResNet8 { get; } = ResNet("ResNet-8", blocks: 1);

    /// <summary>The same network with two blocks per stage.</summary>
    public static Net ResNet14 { get; } = ResNet("ResNet-14", blocks: 2);

    public static IReadOnlyList<Net> All { get; } = [LeNet5, Mnist, CatsAndDogs, ResNet8, ResNet14];

    /// <summary>Returns the figures of the network.</summary>
    public Group Group()
    {
        Layout[] onnx = OnnxWorks.IsPeer ? [Layout.Onnx] : [];
        Figure Of(string pass) => new(Name, pass, [Layout.Nchw, Layout.Nhwc, .. pass == TrainingStep ? [] : onnx]) { BetterLayoutCounts = true, Images = Images(pass) };
        return new(
            Name, [Of(TrainingStep), Of(OneImage), Of(EightImages), Of(ManyImages)], figure => Pass(figure.Pass, figure.Images));
    }

    /// <summary>Number of images in one call.</summary>
    public int Images(string pass) => pass switch { TrainingStep => Batch, OneImage => 1, EightImages => 8, _ => 64 };

    /// <summary>Creates the work of a pass over a number of images.</summary>
    public Work Pass(string pass, int images) => pass == TrainingStep ? Training(images) : Forward(images);

    /// <summary>A training step as a user writes it, always on the same images.</summary>
    Work Training(int count)
    {
        Sequential model = Build();
        model.Initialize(seed: 0);
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(model.Parameters, learningRate: 0.001f);
        Tensor<float> images = RandomImages.Tensor(count, Input);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % Classes)];
        return new(() =>
        {
            loss.Forward(model.Forward(images, training: true), labels);
            model.Backward(loss.Backward());
            optimizer.Step();
            optimizer.ZeroGrad();
        });
    }

    static Net ResNet(string name, int blocks) => new(name, new(3, 32, 32), 10, 64, 1.5, () => new(
    [
        new Conv2d(3, 16, 3, padding: 1, bias: false), new BatchNorm2d(16), new ReLU(),
        .. Stage(16, 16, stride: 1, blocks), .. Stage(16, 32, stride: 2, blocks), .. Stage(32, 64, stride: 2, blocks),
        new AdaptiveAvgPool2d(1), new Flatten(), new Linear(64, 10),
    ]));

    static IEnumerable<Layer> Stage(int from, int to, int stride, int blocks) =>
        Enumerable.Range(0, blocks).SelectMany(i => (Layer[])[i == 0 ? Block(from, to, stride) : Block(to, to, stride: 1), new ReLU()]);

    static Residual Block(int from, int to, int stride) => new(
        new Sequential(
            new Conv2d(from, to, 3, stride, padding: 1, bias: false), new BatchNorm2d(to), new ReLU(),
            new Conv2d(to, to, 3, padding: 1, bias: false), new BatchNorm2d(to)),
        stride == 1 ? null : new Sequential(new Conv2d(from, to, 1, stride, bias: false), new BatchNorm2d(to)));

    Work Forward(int count)
    {
        Sequential model = Build();
        model.Initialize(seed: 0);
        Tensor<float> images = RandomImages.Tensor(count, Input);
        return new(() => model.Forward(images));
    }
}
