namespace MiniCnn.Benchmarks;

/// <summary>A convolution to measure. Kernel, stride, padding and dilation are equal on both axes.</summary>
sealed record ConvShape(int Batch, int InputChannels, int Height, int Width, int OutputChannels, int Kernel, int Stride, int Padding, int Dilation, int Groups)
{
    public string Name { get; } = $"{Batch},{InputChannels},{Height},{Width},{OutputChannels},{Kernel},{Stride},{Padding},{Dilation},{Groups}";

    public ImageShape Input => new(InputChannels, Height, Width);

    public Conv2d Layer() => new(InputChannels, OutputChannels, Kernel, Stride, Padding, Dilation, Groups);

    /// <summary>Floating-point operations of a pass, including those on padding: 2·N·OC·OH·OW·IC/groups·k².</summary>
    public double Flops
    {
        get
        {
            ImageShape output = Layer().OutputShape(Input);
            return 2.0 * Batch * output.Length * (InputChannels / Groups) * Kernel * Kernel;
        }
    }
}

/// <summary>The required speedup over libtorch for each pass. NaN for no requirement.</summary>
sealed record Ratios(double Forward, double BackwardData, double BackwardWeights);

/// <summary>A class of shapes and the required geometric means. Without Avx512, those of AVX2 apply to AVX-512 too.</summary>
sealed record ConvClass(string Name, Ratios Avx2, Ratios? Avx512, params ConvShape[] Shapes)
{
    public static IReadOnlyList<ConvClass> All { get; } =
    [
        new("one input channel", new(3.5, double.NaN, 2.8), null,
            new(64, 1, 28, 28, 8, 3, 1, 1, 1, 1), new(64, 1, 28, 28, 32, 3, 1, 0, 1, 1), new(128, 1, 28, 28, 6, 5, 1, 2, 1, 1)),
        new("2 to 4 input channels", new(1.75, double.NaN, 1.4), null,
            new ConvShape(32, 3, 64, 64, 32, 3, 1, 1, 1, 1)),
        new("few channels, 6 to 16", new(1.7, 1.8, 2), new(1.3, 2, 2.5),
            new(64, 8, 14, 14, 16, 3, 1, 1, 1, 1), new(128, 6, 14, 14, 16, 5, 1, 0, 1, 1)),
        new("3×3, 16 channels", new(2.5, double.NaN, double.NaN), null,
            new ConvShape(64, 16, 32, 32, 16, 3, 1, 1, 1, 1)),
        new("3×3, 32 to 64 channels", new(2.3, 2, 1.5), new(2.3, 2, 1.05),
            new(64, 32, 26, 26, 64, 3, 1, 0, 1, 1), new(32, 32, 32, 32, 64, 3, 1, 1, 1, 1), new(16, 64, 56, 56, 64, 3, 1, 1, 1, 1)),
        new("256 channels, 14×14", new(2, 1.8, 1.2), new(2, 1.8, 0.95),
            new ConvShape(16, 256, 14, 14, 256, 3, 1, 1, 1, 1)),
        new("1×1", new(1.2, 1, 1), new(1.2, 1.1, 1.1),
            new ConvShape(16, 64, 56, 56, 256, 1, 1, 0, 1, 1)),
        new("stride 2, 3×3 and 7×7", new(1.1, 1.3, 1.2), new(1.05, 1.5, 1.05),
            new(16, 64, 56, 56, 128, 3, 2, 1, 1, 1), new(8, 3, 224, 224, 64, 7, 2, 3, 1, 1)),
        new("dilated", new(1.5, 0.95, 1.4), new(1.5, 1, 1),
            new(16, 64, 28, 28, 64, 3, 1, 2, 2, 1), new(16, 64, 28, 28, 64, 3, 1, 4, 4, 1)),
        new("depthwise", new(2.5, 3, 3.5), new(3, 3, 3),
            new ConvShape(32, 64, 28, 28, 64, 3, 1, 1, 1, 64)),
        new("one large image", new(1.1, 1.1, 1.1), null,
            new(1, 1, 224, 224, 1, 3, 1, 1, 1, 1), new(1, 3, 512, 512, 16, 3, 1, 1, 1, 1)),
    ];

    public bool Contains(Figure figure) => Shapes.Any(shape => shape.Name == figure.Name);

    /// <summary>Name of this process's vector instructions.</summary>
    public static string Isa => Simd.Width switch { 16 => "AVX-512", 8 => "AVX2", int width => $"vectors of {width} floats" };

    public double Required(string pass)
    {
        Ratios asked = Simd.Width < 16 ? Avx2 : Avx512 ?? Avx2;
        return pass switch { ConvWork.Forward => asked.Forward, ConvWork.BackwardData => asked.BackwardData, _ => asked.BackwardWeights };
    }
}
