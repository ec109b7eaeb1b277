namespace MiniCnn.Benchmarks;

/// <summary>A convolution to measure; height, width and kernel as they are, everything else alike on both axes.</summary>
sealed record ConvShape(int Batch, int InputChannels, int Height, int Width, int OutputChannels, int Kernel, int Stride, int Padding, int Dilation, int Groups)
{
    public string Name { get; } = $"{Batch},{InputChannels},{Height},{Width},{OutputChannels},{Kernel},{Stride},{Padding},{Dilation},{Groups}";

    public ImageShape Input => new(InputChannels, Height, Width);

    public Conv2d Layer() => new(InputChannels, OutputChannels, Kernel, Stride, Padding, Dilation, Groups);

    /// <summary>Floating-point operations of a pass, with those on the padding's zeros: 2·N·OC·OH·OW·IC/groups·k².</summary>
    public double Flops
    {
        get
        {
            ImageShape output = Layer().OutputShape(Input);
            return 2.0 * Batch * output.Length * (InputChannels / Groups) * Kernel * Kernel;
        }
    }
}

/// <summary>
/// Shapes of one kind, and by what factor MiniCnn should be faster than libtorch on them, in the geometric mean. NaN: nothing is asked.
/// </summary>
sealed record ConvClass(string Name, double Forward, double BackwardData, double BackwardWeights, params ConvShape[] Shapes)
{
    public static IReadOnlyList<ConvClass> All { get; } =
    [
        new("one input channel", 3.5, double.NaN, 2.8,
            new(64, 1, 28, 28, 8, 3, 1, 1, 1, 1), new(64, 1, 28, 28, 32, 3, 1, 0, 1, 1), new(128, 1, 28, 28, 6, 5, 1, 2, 1, 1)),
        new("2 to 4 input channels", 1.75, double.NaN, 1.4,
            new ConvShape(32, 3, 64, 64, 32, 3, 1, 1, 1, 1)),
        new("few channels, 6 to 16", 1.5, 2, 3.5,
            new(64, 8, 14, 14, 16, 3, 1, 1, 1, 1), new(128, 6, 14, 14, 16, 5, 1, 0, 1, 1)),
        new("3×3, 32 to 64 channels", 1.1, 1.1, 1.15,
            new(64, 32, 26, 26, 64, 3, 1, 0, 1, 1), new(32, 32, 32, 32, 64, 3, 1, 1, 1, 1), new(16, 64, 56, 56, 64, 3, 1, 1, 1, 1)),
        new("256 channels, 14×14", 1, 1, 1,
            new ConvShape(16, 256, 14, 14, 256, 3, 1, 1, 1, 1)),
        new("1×1", 1.4, 1.25, 1.1,
            new ConvShape(16, 64, 56, 56, 256, 1, 1, 0, 1, 1)),
        new("stride 2, 3×3 and 7×7", 1.1, 1.5, 1.05,
            new(16, 64, 56, 56, 128, 3, 2, 1, 1, 1), new(8, 3, 224, 224, 64, 7, 2, 3, 1, 1)),
        new("dilated", 1, 1, 1,
            new(16, 64, 28, 28, 64, 3, 1, 2, 2, 1), new(16, 64, 28, 28, 64, 3, 1, 4, 4, 1)),
        new("depthwise", 2.5, 2.5, 4,
            new ConvShape(32, 64, 28, 28, 64, 3, 1, 1, 1, 64)),
        new("one large image", 1.1, 1.1, 1.1,
            new(1, 1, 224, 224, 1, 3, 1, 1, 1, 1), new(1, 3, 512, 512, 16, 3, 1, 1, 1, 1)),
    ];

    public bool Contains(Figure figure) => Shapes.Any(shape => shape.Name == figure.Name);

    public double Required(string pass) => pass switch
    {
        ConvWork.Forward => Forward,
        ConvWork.BackwardData => BackwardData,
        _ => BackwardWeights,
    };
}
