using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// A transposed 2-D convolution, [N, IC, H, W] → [N, OC, OH, OW]. It computes the input gradient of a convolution with the same kernel, stride, padding
/// and dilation: y[oc,oy,ox] = b[oc] + Σ w[ic,oc,ky,kx] · x[ic,iy,ix], over the ic of the group of oc and over all iy, ix, ky, kx with
/// iy·stride + ky·dilation − top = oy and ix·stride + kx·dilation − left = ox.
/// </summary>
/// <remarks>
/// OH = (H − 1)·stride − top − bottom + dilation·(kH − 1) + outputPadding + 1, and OW in the same way. With a stride above 1 a convolution maps several
/// input sizes to the same output size; the output padding selects one of them. Forward is <see cref="Conv2dBackwardInput"/>. Backward uses the forward
/// pass and the weight gradient of that convolution, with the roles of x and dy exchanged.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html.
/// </remarks>
public sealed class ConvTranspose2d : WindowLayer
{
    Conv2dShape? latest;

    /// <summary>Creates a transposed convolution. An int is used for both axes, a tuple for (height, width).</summary>
    /// <param name="inputChannels">Number of channels of x.</param>
    /// <param name="outputChannels">Number of channels of y.</param>
    /// <param name="kernelSize">Rows and columns of the kernel.</param>
    /// <param name="stride">Pixels of y from one pixel of x to the next. The default is 1.</param>
    /// <param name="padding">Pixels removed from each side of y.</param>
    /// <param name="outputPadding">Rows added at the bottom and columns added at the right of y. The default is 0.</param>
    /// <param name="dilation">Pixels of y from one kernel element to the next. The default is 1.</param>
    /// <param name="groups">Number of channel groups, each convolved separately; both channel numbers must be divisible by it.</param>
    /// <param name="bias">Whether a learned bias is added to each output channel.</param>
    /// <exception cref="ArgumentException">
    /// A size is below 1, a padding is negative, a channel number is not divisible by groups, or the output padding is neither smaller than the stride nor
    /// smaller than the dilation.
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
                $"the output padding must be at least 0 and smaller than the stride, {Stride}, or the dilation, {Dilation}, not {OutputPadding}");
        }
        Weight = new(this, "weight", inputChannels, outputChannels / groups, kernelSize.Height, kernelSize.Width);
        Bias = bias ? new(this, "bias", outputChannels) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Init.Default(Weight, Bias);
    }

    /// <summary>Number of channels of x.</summary>
    public int InputChannels { get; }

    /// <summary>Number of channels of y.</summary>
    public int OutputChannels { get; }

    /// <summary>Number of channel groups, each convolved separately.</summary>
    public int Groups { get; }

    /// <summary>Rows added at the bottom and columns added at the right of y.</summary>
    public Size2d OutputPadding { get; }

    /// <summary>[IC, OC/groups, kH, kW]. The kernels.</summary>
    public Parameter Weight { get; }

    /// <summary>[OC]; null if the layer has no bias.</summary>
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
        ConvolutionBuffers<T> buffers = context.State<ConvolutionBuffers<T>>();         // its names are those of the convolution: x is its dy
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

    /// <summary>Geometry of the convolution from y to x, for one image; cached until the image size changes.</summary>
    Conv2dShape Geometry(ImageShape input)
    {
        Conv2dShape? shape = latest;                                    // read once: a call on another thread may change it
        if (input.IsFlat || input.Channels != InputChannels)
            Refuse($"takes images of {InputChannels} channels, not {input}");
        if (shape is not null && (shape.OutputHeight, shape.OutputWidth) == (input.Height, input.Width))
            return shape;
        Padding p = Padding;
        long height = Length(input.Height, Stride.Height, Dilation.Height, KernelSize.Height, (long)p.Top + p.Bottom, OutputPadding.Height);
        long width = Length(input.Width, Stride.Width, Dilation.Width, KernelSize.Width, (long)p.Left + p.Right, OutputPadding.Width);
        if (height < 1 || width < 1)
            Refuse($"an input of {input} gives an output of {height}×{width} pixels; use less padding or a larger kernel");
        Output(OutputChannels, height, width);                          // refuses too many elements
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
