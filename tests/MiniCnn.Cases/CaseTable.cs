namespace MiniCnn.Cases;

/// <summary>
/// The table of all cases that MiniCnn and TorchSharp both compute. Results come from a live TorchSharp or from a recording.
/// </summary>
static class CaseTable
{
    public static IReadOnlyList<Case> All { get; } = Number(
    [
        .. Conv2dCases.All, .. Layers, .. Nets, .. Losses, .. Optimizers, .. Schedules, .. FirstWeights,
        .. NetTable.Select(net => new TrainingCase(net.Name, net.Make, net.Batch, net.Shape)),
    ]);

    /// <summary>All layers except Conv2d.</summary>
    static IEnumerable<LayerCase> Layers =>
    [
        .. Pools, .. Products, .. Norms, .. Activations,
        Layer<Flatten>(() => new Flatten(), 3, new(2, 5, 4), Rounding.Exact),
        Layer<Unflatten>(() => new Unflatten(new(2, 5, 4)), 3, 40, Rounding.Exact),
        Layer<Unflatten>(() => new Unflatten(new(3, 1, 7)), 17, 21, Rounding.Exact),
        Layer<Identity>(() => new Identity(), 3, new(2, 5, 4), Rounding.Exact),
        Layer<Dropout>(() => new Dropout(0.4), 3, new(2, 5, 4), Rounding.Exact) with { Trains = false },
        Layer<Dropout>(() => new Dropout(0), 3, new(2, 5, 4), Rounding.Exact),
        Layer<Residual>(() => new Residual(new Conv2d(3, 3, (3, 5), padding: (1, 2))), 17, new(3, 5, 4), Whole: 3),
        Layer<Residual>(() => new Residual(new Conv2d(3, 2, 3, (2, 1), padding: 1), new Conv2d(3, 2, 1, (2, 1))), 2, new(3, 7, 6), Whole: 3),
        Layer<Concat>(() => new Concat(new Identity(), new Conv2d(2, 3, (3, 1), padding: (1, 0))), 17, new(2, 5, 4), Whole: 3),
        Layer<Concat>(() => new Concat(new Conv2d(2, 1, 1), new MaxPool2d(3, stride: 1, padding: 1), new Conv2d(2, 2, (3, 5), padding: (1, 2))), 3, new(2, 5, 4), Whole: 3),
        Layer<Sequential>(() => new Sequential(new Conv2d(2, 3, (3, 2)), new ReLU(), new Flatten(), new Linear(27, 4)), 17, new(2, 5, 4), Whole: 1),
    ];

    static IEnumerable<LayerCase> Pools =>
    [
        .. from p in ((int N, ImageShape Shape, Size2d Kernel, Size2d? Stride, Padding Padding, Size2d Dilation)[])[
               (2, new(3, 8, 10), 2, null, default, 1), (2, new(3, 7, 9), (2, 3), null, default, 1), (1, new(2, 9, 8), 3, (2, 1), 1, 1),
               (2, new(2, 11, 10), (3, 2), (1, 2), 1, (2, 3)), (2, new(2, 9, 12), (3, 4), null, new(0, 1, 1, 2), 1),
               (17, new(2, 6, 5), 3, null, default, 1), (2, new(1, 5, 7), (5, 7), 1, (2, 3), 1)]
           from whole in (int[])[0, 3]                                   // integers have ties
           select Layer<MaxPool2d>(() => new MaxPool2d(p.Kernel, p.Stride, p.Padding, p.Dilation), p.N, p.Shape, Rounding.Sums, whole, p.Kernel.Height * p.Kernel.Width),
        .. from p in ((int N, ImageShape Shape, Size2d Kernel, Size2d? Stride, Padding Padding)[])[
               (2, new(3, 8, 10), 2, null, default), (2, new(3, 7, 9), (2, 3), null, default), (1, new(2, 9, 8), 3, (2, 1), 1),
               (17, new(2, 6, 5), 3, null, default), (2, new(1, 5, 7), (5, 7), 1, (2, 3)), (2, new(2, 9, 12), (3, 4), null, new(0, 1, 1, 2))]
           from counts in (bool[])[true, false]
           select Layer<AvgPool2d>(() => new AvgPool2d(p.Kernel, p.Stride, p.Padding, counts), p.N, p.Shape, Rounding.Sums, Sum: p.Kernel.Height * p.Kernel.Width),
        // ceilMode: partial windows inside and beyond the padding; windows that are omitted because they would begin in the padding; a kernel larger than
        // the image.
        .. from p in ((int N, ImageShape Shape, Size2d Kernel, Size2d? Stride, Padding Padding, Size2d Dilation)[])[
               (2, new(3, 7, 9), 2, null, default, 1), (3, new(2, 8, 6), 3, 2, 1, 1), (17, new(2, 6, 5), (3, 2), (2, 3), (1, 0), 1),
               (33, new(1, 5, 7), (1, 3), (3, 2), default, (1, 2)), (2, new(2, 3, 2), (4, 3), (2, 3), (1, 0), 1), (1, new(2, 5, 8), 2, (2, 3), (1, 1), 1),
               (2, new(2, 9, 10), (3, 4), (4, 3), new(0, 1, 1, 2), 1)]
           from whole in (int[])[0, 3]
           select Layer<MaxPool2d>(
               () => new MaxPool2d(p.Kernel, p.Stride, p.Padding, p.Dilation, ceilMode: true), p.N, p.Shape, Rounding.Sums, whole, 12),
        .. from p in ((int N, ImageShape Shape, Size2d Kernel, Size2d? Stride, Padding Padding)[])[
               (2, new(3, 7, 9), 2, null, default), (3, new(2, 8, 6), 3, 2, 1), (17, new(2, 6, 5), (3, 2), (2, 3), (1, 0)), (33, new(1, 5, 7), (1, 3), (3, 4), default),
               (2, new(2, 3, 2), (4, 3), (2, 3), (1, 0)), (1, new(2, 5, 8), 2, (2, 3), (1, 1)), (2, new(2, 9, 10), (3, 4), (4, 3), new(0, 1, 1, 2))]
           from counts in (bool[])[true, false]
           select Layer<AvgPool2d>(
               () => new AvgPool2d(p.Kernel, p.Stride, p.Padding, counts, ceilMode: true), p.N, p.Shape, Rounding.Sums, Sum: 12),
        .. from p in Adaptive select Layer<AdaptiveAvgPool2d>(() => new AdaptiveAvgPool2d(p.Size), p.N, p.Shape, Rounding.Sums, Sum: 25),
        .. from p in Adaptive
           from whole in (int[])[0, 3]
           select Layer<AdaptiveMaxPool2d>(() => new AdaptiveMaxPool2d(p.Size), p.N, p.Shape, Rounding.Sums, whole, 25),
        .. from p in ((Padding Padding, PaddingMode Mode, int N, ImageShape Shape)[])[
               (new(1, 2, 0, 3), PaddingMode.Zeros, 3, new(2, 5, 4)), (new(-1, 2, 1, -2), PaddingMode.Zeros, 17, new(2, 5, 7)),
               (new(-2, -1, 0, -3), PaddingMode.Zeros, 1, new(3, 5, 6)), (new(-4, 3, 2, -1), PaddingMode.Zeros, 33, new(1, 5, 2)),
               (new(1, 3, 2, 0), PaddingMode.Reflect, 3, new(2, 5, 4)), ((4, 1), PaddingMode.Reflect, 17, new(1, 5, 2)),
               (new(5, 0, 1, 6), PaddingMode.Replicate, 2, new(2, 3, 4)), ((1, 2), PaddingMode.Replicate, 33, new(1, 1, 2)),
               (new(3, 0, 1, 4), PaddingMode.Circular, 2, new(2, 3, 4)), ((1, 2), PaddingMode.Circular, 17, new(2, 4, 5))]
           from whole in (int[])[0, 3]
           select Layer<Pad2d>(() => new Pad2d(p.Padding, p.Mode), p.N, p.Shape, Rounding.Sums, whole, 25),
        .. from p in ((Size2d Factor, UpsampleMode Mode, int Whole, int N, ImageShape Shape)[])[
               ((2, 3), UpsampleMode.Nearest, 0, 3, new(2, 5, 4)), ((4, 1), UpsampleMode.Nearest, 3, 17, new(1, 2, 3)),
               ((2, 4), UpsampleMode.Bilinear, 3, 3, new(2, 5, 4)), ((8, 2), UpsampleMode.Bilinear, 3, 17, new(2, 1, 3)),
               ((3, 2), UpsampleMode.Bilinear, 0, 2, new(3, 4, 7)), ((1, 5), UpsampleMode.Bilinear, 0, 17, new(1, 3, 2))]
           // PyTorch rounds the position of an output three times, relative to the image size.
           select Layer<Upsample>(() => new Upsample(p.Factor, p.Mode), p.N, p.Shape, Whole: p.Whole, Sum: 4 * p.Factor.Height * p.Factor.Width + 3 * p.Shape.Width),
    ];

    static (Size2d Size, int N, ImageShape Shape)[] Adaptive =>
        [(1, 2, new(3, 5, 4)), ((3, 2), 17, new(2, 7, 5)), ((4, 6), 2, new(2, 3, 5)), ((5, 3), 1, new(1, 5, 9))];

    static IEnumerable<LayerCase> Products =>
    [
        .. from p in ((int N, int In, int Out, bool Bias, int Whole)[])[
               (1, 1, 1, true, 0), (3, 5, 7, true, 0), (17, 33, 10, true, 0), (64, 20, 16, true, 3), (2, 9, 4, false, 0)]
           select Layer<Linear>(() => new Linear(p.In, p.Out, p.Bias), p.N, ImageShape.Features(p.In), Rounding.Sums, p.Whole),
        .. from c in ((int N, ImageShape Shape, Func<ConvTranspose2d> Make)[])[
               (3, new(3, 4, 5), () => new(3, 2, (2, 3), (2, 3))),
               (2, new(4, 5, 3), () => new(4, 6, (3, 2), (2, 1), (1, 0), (1, 0), groups: 2)),
               (17, new(2, 3, 4), () => new(2, 2, 3, padding: 1, bias: false)),
               (2, new(3, 4, 3), () => new(3, 3, (2, 3), (1, 2), (2, 1), (2, 1), (3, 2), 3)),
               (1, new(5, 5, 7), () => new(5, 4, 4, 2, 1)),
               (2, new(4, 5, 6), () => new(4, 6, (3, 2), (2, 3), (1, 0), (0, 2), bias: false)),
               (2, new(2, 3, 4), () => new(2, 3, 2, outputPadding: (1, 2), dilation: (2, 3))),
               (2, new(2, 5, 4), () => new(2, 3, (3, 2), (1, 2), new(1, 0, 2, 1)))]
           from whole in (int[])[3, 0]
           select Layer<ConvTranspose2d>(c.Make, c.N, c.Shape, Rounding.Sums, whole),
    ];

    static IEnumerable<LayerCase> Norms =>
    [
        .. from b in ((int N, ImageShape Shape, double Epsilon, double Momentum, int Steps)[])[
               (3, new(2, 5, 4), 1e-5, 0.1, 3), (17, new(3, 3, 2), 1e-3, 0.3, 2), (16, new(1, 1, 7), 1e-5, 0.1, 2), (1, new(5, 6, 9), 1e-5, 1, 2),
               (33, new(4, 2, 3), 1e-5, 0, 2)]
           select Layer<BatchNorm2d>(() => new BatchNorm2d(b.Shape.Channels, b.Epsilon, b.Momentum), b.N, b.Shape, Sum: b.N * b.Shape.Height * b.Shape.Width)
               with { Steps = b.Steps, Shift = 2 },
        .. from b in ((int N, int Features, double Epsilon, double Momentum, int Steps)[])[
               (3, 5, 1e-5, 0.1, 3), (17, 3, 1e-3, 0.3, 2), (33, 17, 1e-5, 1, 2), (16, 1, 1e-5, 0, 2)]
           select Layer<BatchNorm1d>(() => new BatchNorm1d(b.Features, b.Epsilon, b.Momentum), b.N, b.Features, Sum: b.N) with { Steps = b.Steps, Shift = 2 },
        .. from g in ((int N, ImageShape Shape, int Groups, double Epsilon, float Shift)[])[
               (3, new(6, 5, 4), 2, 1e-5, 0), (17, new(3, 2, 3), 1, 0.1, 10), (1, new(5, 7, 3), 5, 1e-5, 0), (33, ImageShape.Features(12), 3, 1e-3, 1)]
           select Layer<GroupNorm>(() => new GroupNorm(g.Groups, g.Shape.Channels, g.Epsilon), g.N, g.Shape, Sum: g.N * (int)g.Shape.Length) with { Shift = g.Shift },
        .. from l in ((int N, ImageShape Shape, double Epsilon, float Shift)[])[
               (3, new(3, 5, 4), 1e-5, 0), (17, new(2, 3, 7), 0.1, 10), (1, new(4, 1, 6), 1e-5, 0)]
           select Layer<LayerNorm>(() => new LayerNorm(l.Shape, l.Epsilon), l.N, l.Shape, Sum: l.N + (int)l.Shape.Length) with { Shift = l.Shift },
        Layer<LayerNorm>(() => new LayerNorm(37, 1e-3), 33, ImageShape.Features(37), Sum: 70),
    ];

    static IEnumerable<LayerCase> Activations =>
    [
        .. from scale in (float[])[0.01f, 1, 6]
           from curve in ((string Name, Func<Layer> Make)[])[
               (nameof(ReLU), () => new ReLU()), (nameof(LeakyReLU), () => new LeakyReLU(0.3)), (nameof(GELU), () => new GELU()),
               (nameof(SiLU), () => new SiLU()), (nameof(Sigmoid), () => new Sigmoid()), (nameof(Tanh), () => new Tanh())]
           select new LayerCase(curve.Name, curve.Make, 3, new(2, 5, 4)) { Scale = scale },
        .. from s in ((int N, ImageShape Shape)[])[(3, new(5, 4, 2)), (17, ImageShape.Features(10))]
           from curve in ((string Name, Func<Layer> Make)[])[(nameof(Softmax), () => new Softmax()), (nameof(LogSoftmax), () => new LogSoftmax())]
           select new LayerCase(curve.Name, curve.Make, s.N, s.Shape) { Scale = 4, Sum = s.Shape.Channels },
    ];

    /// <summary>Nets of many layers as one: those of whole numbers are exact.</summary>
    static IEnumerable<LayerCase> Nets =>
    [
        new(nameof(Residual), BasicBlocks, 17, new(3, 7, 10)) { Real = Rounding.Training, Sum = 17 * 7 * 10 },
        new(nameof(Concat), Inception, 3, new(2, 7, 9)) { Whole = 1 },
        new(nameof(Concat), UNet, 10, new(2, 8, 12)) { Whole = 1 },
    ];

    /// <summary>Nets that are trained, smaller than people have them, of as many layers.</summary>
    public static IReadOnlyList<(string Name, Func<Sequential> Make, int Batch, ImageShape Shape)> NetTable =>
    [
        ("LeNet-5", () => new(
            new Conv2d(1, 6, 5, padding: 2), new ReLU(), new MaxPool2d(2), new Conv2d(6, 16, 5), new ReLU(), new MaxPool2d(2),
            new Flatten(), new Linear(400, 120), new ReLU(), new Linear(120, 84), new ReLU(), new Linear(84, 10)), 20, new(1, 28, 28)),
        ("MNIST net, without dropout", () => new(
            new Conv2d(1, 32, 3), new ReLU(), new Conv2d(32, 64, 3), new ReLU(), new MaxPool2d(2), new Dropout(0),
            new Flatten(), new Linear(64 * 4 * 5, 128), new ReLU(), new Dropout(0), new Linear(128, 10)), 17, new(1, 12, 14)),
        ("ResNet", () => new(
            new Conv2d(3, 4, 3, padding: 1, bias: false), new BatchNorm2d(4), new ReLU(), BasicBlocks(4),
            new AdaptiveAvgPool2d(1), new Flatten(), new Linear(4, 5)), 17, new(3, 9, 14)),
        ("Inception", () => new(Inception(), new ReLU(), new AdaptiveAvgPool2d((2, 3)), new Flatten(), new Linear(12, 5)), 17, new(2, 7, 9)),
        ("U-Net", UNet, 10, new(2, 8, 12)),
    ];

    /// <summary>A block of a ResNet that halves the image, and one that keeps it.</summary>
    static Sequential BasicBlocks(int channels)
    {
        return new(
            new Residual(Body(channels, stride: 2), new Sequential(new Conv2d(channels, 4, 1, stride: 2, bias: false), new BatchNorm2d(4))), new ReLU(),
            new Residual(Body(4, stride: 1)), new ReLU());

        static Sequential Body(int from, int stride) => new(
            new Conv2d(from, 4, 3, stride, padding: 1, bias: false), new BatchNorm2d(4), new ReLU(),
            new Conv2d(4, 4, 3, padding: 1, bias: false), new BatchNorm2d(4));
    }

    public static Sequential BasicBlocks() => BasicBlocks(3);

    public static Sequential Inception() => new(
        new Conv2d(2, 3, (3, 2)),
        new Concat(
            new Sequential(new Conv2d(3, 2, 1), new ReLU()),
            new Sequential(new Conv2d(3, 2, 1), new ReLU(), new Conv2d(2, 3, 3, padding: 1), new ReLU()),
            new Sequential(new Conv2d(3, 1, 1), new ReLU(), new Conv2d(1, 2, 5, padding: 2), new ReLU()),
            new Sequential(new MaxPool2d(3, stride: 1, padding: 1), new Conv2d(3, 1, 1), new ReLU())),
        new Conv2d(8, 2, (1, 2)));

    public static Sequential UNet() => new(
        new Conv2d(2, 3, 3, padding: 1), new ReLU(),
        new Concat(new Identity(), new Sequential(
            new MaxPool2d(2), new Conv2d(3, 4, 3, padding: 1), new ReLU(),
            new Concat(new Identity(), new Sequential(
                new MaxPool2d(2), new Conv2d(4, 5, 3, padding: 1), new ReLU(), new Upsample(2, UpsampleMode.Bilinear), new Conv2d(5, 4, 3, padding: 1), new ReLU())),
            new Conv2d(8, 4, 3, padding: 1), new ReLU(), new Upsample(2), new Conv2d(4, 3, 3, padding: 1), new ReLU())),
        new Conv2d(6, 2, 1));

    static IEnumerable<Case> Losses =>
    [
        new CrossEntropyCase(1, 2), new CrossEntropyCase(5, 3), new CrossEntropyCase(7, 10), new CrossEntropyCase(33, 5), new CrossEntropyCase(17, 10, Weighted: true),
        new CrossEntropyCase(16, 7, Ignored: [0, 3, 15]), new CrossEntropyCase(33, 4, Smoothing: 0.125f),
        new CrossEntropyCase(1, 2, Weighted: true, Smoothing: 0.5f), new CrossEntropyCase(19, 5, Weighted: true, Ignored: [1, 17, 18]),
        new CrossEntropyCase(18, 6, Smoothing: 0.25f, Ignored: [2, 16]),
        new CrossEntropyCase(37, 9, Weighted: true, Smoothing: 0.125f, Ignored: [0, 4, 31, 36]) { Scale = 20 },
        new CrossEntropyCase(20, 3, Weighted: true, Smoothing: 0.25f, Ignored: [5, 6, 19], IgnoreIndex: 1),          // all labels 1 are ignored
        new CrossEntropyCase(4, 3, Ignored: [0, 1, 2, 3]),                                                           // mean over no samples: NaN, gradient 0
        new CrossEntropyCase(4, 3, Weighted: true, Smoothing: 0.125f, Ignored: [0, 1, 2, 3]), new CrossEntropyCase(15, 2, Smoothing: 1),
        new BceCase([7]), new BceCase([5, 3], Soft: true), new BceCase([33, 4], PositiveWeights: 4), new BceCase([17, 5], PositiveWeights: 1, Soft: true),
        new BceCase([2, 1, 5, 3]), new BceCase([40]) { Scale = 60 }, new BceCase([6, 19], PositiveWeights: 19, Soft: true) { Scale = 60 },
        new MseCase(9), new MseCase(5, 7), new MseCase(2, 3, 5, 4), new MseCase(33, 1) { Scale = 1000 },
        new CrossEntropyCase(1, 3, Soft: true), new CrossEntropyCase(19, 10, Weighted: true, Soft: true), new CrossEntropyCase(33, 4, Smoothing: 0.125f, Soft: true),
        new CrossEntropyCase(18, 6, Weighted: true, Smoothing: 0.25f, Soft: true) { Scale = 20 },
        .. from reduction in (Reduction?[])[Reduction.Sum, null]
           from loss in (LossCase[])[
               new CrossEntropyCase(33, 5), new CrossEntropyCase(19, 5, Weighted: true, Smoothing: 0.25f, Ignored: [1, 17, 18]),
               new CrossEntropyCase(4, 3, Ignored: [0, 1, 2, 3]), new CrossEntropyCase(17, 7, Weighted: true, Smoothing: 0.125f, Soft: true),
               new BceCase([17, 5], PositiveWeights: 5, Soft: true), new MseCase(5, 7), new MseCase(2, 3, 5, 4)]
           select loss with { Reduction = reduction },
        .. from reduction in (Reduction?[])[Reduction.Mean, Reduction.Sum, null]
           from loss in (LossCase[])[
               new CrossEntropyCase(2, 3, Plane: (4, 5)), new CrossEntropyCase(3, 4, true, 0.125f, [0, 7, 34, 104], Plane: (5, 7)),
               new CrossEntropyCase(1, 5, Weighted: true, Smoothing: 0.25f, Soft: true, Plane: (3, 17)),
               new MaskCase(nameof(BceWithLogitsLoss), 2, (5, 7), [0, 3, 69]), new MaskCase(nameof(DiceLoss), 3, (4, 9), [1, 5, 107]),
               new MaskCase(nameof(DiceLoss), 3, (2, 3), [6, 7, 8, 9, 10, 11], Smooth: 0.5f),                        // all pixels of the second image are ignored
               new MaskCase(nameof(DiceLoss), 2, (3, 4), [], Smooth: 0.25f, Soft: true)]
           select loss with { Reduction = reduction },
        new CrossEntropyCase(2, 3, IgnoreIndex: 1, Plane: (3, 5)), new MaskCase(nameof(DiceLoss), 3, (2, 3), [0, 1, 2], Smooth: 0),
    ];

    static IEnumerable<Case> Optimizers =>
    [
        new SgdCase(), new SgdCase(WeightDecay: 0.1f), new SgdCase(Momentum: 0.9f), new SgdCase(0.8f, 0.3f, 0.1f), new SgdCase(0.9f, 0, 0.1f, Nesterov: true),
        new AdamCase(false), new AdamCase(false, 0.02f, WeightDecay: 0.1), new AdamCase(false, 0.02f, 0.8, 0.95, 0.01),
        new AdamCase(true), new AdamCase(true, WeightDecay: 0.01), new AdamCase(true, 0.02f, 0.8, 0.95, WeightDecay: 0.5), new AdamCase(true, 0.02f, WeightDecay: 0.5, Groups: true),
        new ClipNormCase(1), new ClipNormCase(0.5f), new ClipNormCase(100),
    ];

    static IEnumerable<Case> Schedules =>
    [
        new StepCase(35, 10), new StepCase(20, 3, 0.7), new CosineCase(31), new CosineCase(41, WarmUp: 7, Final: 0.002),
        new OneCycleCase(100), new OneCycleCase(33, IsLinear: true), new OneCycleCase(17, 0.45, 5, 20), new OneCycleCase(9, WarmUp: 0),
        new PlateauCase(60), new PlateauCase(50, Factor: 0.5, Patience: 1, Threshold: 0.02), new PlateauCase(40, true, 0.7, 0, 0.01, Cooldown: 3, MinRate: 0.001),
        new PlateauCase(50, true, 0.25, 2, Cooldown: 1),
    ];

    static IEnumerable<Case> FirstWeights =>
    [
        .. from kaiming in (bool[])[true, false]
           from normal in (bool[])[false, true]
           from weight in ((int[] Shape, double Slope, FanMode Mode)[])[
               ([8, 3, 5, 3], 0, FanMode.FanIn), ([7, 5], 0.3, FanMode.FanOut), ([3, 2, 1, 2], 2.236, FanMode.FanOut), ([16, 1, 3, 3], 0.3, FanMode.FanIn),
               ([4, 4], 0, FanMode.FanOut), ([5, 3], 2.236, FanMode.FanIn), ([1, 33], 0, FanMode.FanIn), ([5, 6, 3, 1], 0.3, FanMode.FanOut)]
           select new InitCase(kaiming, normal, weight.Shape, kaiming ? weight.Slope : 1 + weight.Slope, kaiming ? weight.Mode : FanMode.FanIn),
        .. from net in NetTable select new InitializeCase(net.Make),
        new InitializeCase(() => new ConvTranspose2d(4, 6, (3, 2), groups: 2)), new InitializeCase(() => new Conv2d(4, 6, (3, 2), groups: 2, bias: false)),
        new PermutationCase(1), new PermutationCase(100), new PermutationCase(1009),
    ];

    static LayerCase Layer<L>(Func<L> make, int batch, ImageShape shape, Rounding real = Rounding.Formula, int Whole = 0, int Sum = 1) where L : Layer =>
        new(typeof(L).Name, make, batch, shape) { Real = real, Whole = Whole, Sum = Sum };

    static Case[] Number(IEnumerable<Case> cases)
    {
        Dictionary<string, int> counts = [];
        Case[] all = [.. cases];
        for (int i = 0; i < all.Length; i++)
        {
            int number = counts[all[i].Subject] = counts.GetValueOrDefault(all[i].Subject) + 1;
            (all[i].Id, all[i].Seed) = ($"{all[i].Subject}.{number}", i + 1);
        }
        return all;
    }
}
