using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// The gradient of a convolution as a layer of its own: it takes images of the size that the convolution gives to the size that it takes.
/// y[oc,oy,ox] = b[oc] + Σ w[ic,oc,ky,kx] · x[ic,iy,ix] over ic and all taps with iy·stride + ky·dilation − top = oy, and so for ox.
/// </summary>
/// <remarks>
/// Forward is <see cref="Conv2dBackwardInput"/>, and the gradients are that convolution's forward pass and its weights' gradient, dy in x's place
/// and x in dy's. OH = (H − 1)·stride − top − bottom + dilation·(kH − 1) + outputPadding + 1; the output padding says which of the sizes that the
/// convolution takes to H is meant. Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html.
/// </remarks>
public sealed class ConvTranspose2d : WindowLayer
{
    Conv2dShape? latest;

    /// <summary>An int stands for both axes, a tuple for (height, width).</summary>
    /// <param name="inputChannels">Channels of x.</param>
    /// <param name="outputChannels">Channels of y.</param>
    /// <param name="kernelSize">Taps on each axis.</param>
    /// <param name="stride">Pixels of y from one pixel of x to the next; 1 if not given.</param>
    /// <param name="padding">Pixels taken off around y.</param>
    /// <param name="outputPadding">Rows and columns added below and to the right of y; 0 if not given.</param>
    /// <param name="dilation">Pixels from one tap to the next; 1 if not given.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <param name="bias">Whether a learnt number is added to each output channel.</param>
    /// <exception cref="ArgumentException">
    /// Sizes below 1, groups that do not divide the channels, or an output padding that is neither below the stride nor below the dilation.
    /// </exception>
    public ConvTranspose2d(
        int inputChannels, int outputChannels, Size2d kernelSize, Size2d? stride = null, Padding padding = default, Size2d? outputPadding = null,
        Size2d? dilation = null, int groups = 1, bool bias = true)
        : base(new(kernelSize, stride, padding, dilation))
    {
        Conv2dShape.CheckChannels(inputChannels, outputChannels, groups);
        (InputChannels, OutputChannels, Groups, OutputPadding) = (inputChannels, outputChannels, groups, outputPadding ?? 0);
        (int rows, int columns) = OutputPadding;
        if (rows < 0 || columns < 0 || rows >= Math.Max(Stride.Height, Dilation.Height) || columns >= Math.Max(Stride.Width, Dilation.Width))
        {
            throw new ArgumentException(
                $"the output padding must be at least 0 and below the stride or the dilation, {Stride} and {Dilation}, not {OutputPadding}");
        }
        Weight = new(this, "weight", inputChannels, outputChannels / groups, kernelSize.Height, kernelSize.Width);
        Bias = bias ? new(this, "bias", outputChannels) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Init.Default(Weight, Bias);
    }

    /// <summary>Channels of x.</summary>
    public int InputChannels { get; }

    /// <summary>Channels of y.</summary>
    public int OutputChannels { get; }

    /// <summary>Groups of channels that do not see each other.</summary>
    public int Groups { get; }

    /// <summary>Rows and columns added below and to the right of y.</summary>
    public Size2d OutputPadding { get; }

    /// <summary>[IC, OC/groups, kH, kW].</summary>
    public Parameter Weight { get; }

    /// <summary>[OC], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        Conv2dShape shape = Geometry(input);
        return new(OutputChannels, shape.Rows.Input, shape.Columns.Input);
    }

    /// <summary>“ConvTranspose2d(16→8, 2×2, stride 2)”.</summary>
    public override string ToString() =>
        $"ConvTranspose2d({InputChannels}→{OutputChannels}, {Window}{(OutputPadding == 0 ? "" : $", output padding {OutputPadding}")}"
        + $"{(Groups == 1 ? "" : $", groups {Groups}")}{(Bias is null ? ", no bias" : "")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("inputChannels", InputChannels), ("outputChannels", OutputChannels), ("kernelSize", KernelSize.ToJson()), ("stride", Stride.ToJson()),
        ("padding", Padding.ToJson()), ("outputPadding", OutputPadding.ToJson()), ("dilation", Dilation.ToJson()), ("groups", Groups),
        ("bias", Bias is not null),
    ];

    internal override long MultiplyAdds(ImageShape input) => input.Length * (Weight.Length / InputChannels);

    internal override Padding InputMargin(ImageShape input) => Margin(Geometry(input));

    internal override Padding GradientMargin(ImageShape input) => Padding;

    internal override unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
    {
        Conv2dShape shape = Geometry(x.Shape);
        ConvolutionBuffers<T> buffers = context.State<ConvolutionBuffers<T>>();         // named by the convolution: x is its dy
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            Conv2dBackwardInput.Run(shape, buffers.WideGradient.Widen(x, Margin(shape)), w, y, buffers, b, context.Algorithm);
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        Conv2dShape shape = Geometry(x.Shape);
        ConvolutionBuffers<T> buffers = context.State<ConvolutionBuffers<T>>();
        LaneTensor<T> padded = buffers.Padded.Widen(dy, Padding);
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Bias is { Trainable: true })
                BiasGradient.Run(dy, db);
            if (dx is not null)
                Conv2dForward.Run(shape, padded, w, dx, buffers, algorithm: context.Algorithm);
            if (Weight.Trainable)
                Conv2dBackwardWeight.Run(shape, padded, x, dw, buffers, context.Algorithm);
        }
    }

    static Padding Margin(Conv2dShape shape) => Conv2dBackwardInput.Margin(shape.Rows, shape.Columns);

    /// <summary>The convolution that takes y to x, for one image; kept while images keep their size.</summary>
    Conv2dShape Geometry(ImageShape input)
    {
        Conv2dShape? shape = latest;                                    // read once: another run of this layer may change it
        if (input.IsFlat || input.Channels != InputChannels)
            Refuse($"takes images of {InputChannels} channels, not {input}");
        if (shape is not null && (shape.OutputHeight, shape.OutputWidth) == (input.Height, input.Width))
            return shape;
        Padding p = Padding;
        long height = Length(input.Height, Stride.Height, Dilation.Height, KernelSize.Height, (long)p.Top + p.Bottom, OutputPadding.Height);
        long width = Length(input.Width, Stride.Width, Dilation.Width, KernelSize.Width, (long)p.Left + p.Right, OutputPadding.Width);
        if (height < 1 || width < 1)
            Refuse($"an image of {input} leaves {height}×{width} pixels; use less padding or a larger kernel");
        if (height > Array.MaxLength || width > Array.MaxLength || height * width > Array.MaxLength / OutputChannels)
            Refuse($"an output of {OutputChannels}×{height}×{width} has more numbers than an array holds");
        try
        {
            return latest = new Conv2dShape(1, OutputChannels, (int)height, (int)width, InputChannels, Window, Groups).WithOutput(input.Height, input.Width);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Description}: {e.Message}", e);
        }

        static long Length(int input, int stride, int dilation, int kernel, long padding, int more) =>
            (input - 1L) * stride - padding + (long)dilation * (kernel - 1) + more + 1;
    }
}
