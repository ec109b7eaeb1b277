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
public sealed class ConvTranspose2d : Layer
{
    readonly int inputChannels, outputChannels, groups;
    readonly Window2d window;
    readonly Size2d outputPadding;
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
    {
        Conv2dShape.CheckChannels(inputChannels, outputChannels, groups);
        (this.inputChannels, this.outputChannels, this.groups) = (inputChannels, outputChannels, groups);
        (window, this.outputPadding) = (new(kernelSize, stride, padding, dilation), outputPadding ?? 0);
        (int rows, int columns) = this.outputPadding;
        if (rows < 0 || columns < 0
            || rows >= Math.Max(window.Stride.Height, window.Dilation.Height) || columns >= Math.Max(window.Stride.Width, window.Dilation.Width))
        {
            throw new ArgumentException(
                $"the output padding must be at least 0 and below the stride or the dilation, {window.Stride} and {window.Dilation}, not {this.outputPadding}");
        }
        Weight = new(this, "weight", inputChannels, outputChannels / groups, kernelSize.Height, kernelSize.Width);
        Bias = bias ? new(this, "bias", outputChannels) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Init.Default(Weight, Bias);
    }

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
        return new(outputChannels, shape.Rows.Input, shape.Columns.Input);
    }

    /// <summary>“ConvTranspose2d(16→8, 2×2, stride 2)”.</summary>
    public override string ToString() =>
        $"ConvTranspose2d({inputChannels}→{outputChannels}, {window}{(outputPadding == 0 ? "" : $", output padding {outputPadding}")}"
        + $"{(groups == 1 ? "" : $", groups {groups}")}{(Bias is null ? ", no bias" : "")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("inputChannels", inputChannels), ("outputChannels", outputChannels), ("kernelSize", window.KernelSize.ToJson()), ("stride", window.Stride.ToJson()),
        ("padding", window.Padding.ToJson()), ("outputPadding", outputPadding.ToJson()), ("dilation", window.Dilation.ToJson()), ("groups", groups),
        ("bias", Bias is not null),
    ];

    internal override long MultiplyAdds(ImageShape input) => input.Length * (Weight.Length / inputChannels);

    internal override Padding InputMargin(ImageShape input) => Margin(Geometry(input));

    internal override Padding GradientMargin(ImageShape input) => window.Padding;

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
        LaneTensor<T> padded = buffers.Padded.Widen(dy, window.Padding);
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Bias is { Trainable: true })
                BiasGradient.Run(dy, db);
            if (dx is not null)
                Conv2dForward.Run(shape, padded, w, dx, buffers, algorithm: context.Algorithm);
            if (Weight.Trainable)
                Conv2dBackwardWeight.Run(shape, padded, x, dw, buffers);
        }
    }

    static Padding Margin(Conv2dShape shape) => Conv2dBackwardInput.Margin(shape.Rows, shape.Columns);

    /// <summary>The convolution that takes y to x, for one image; kept while images keep their size.</summary>
    Conv2dShape Geometry(ImageShape input)
    {
        Conv2dShape? shape = latest;                                    // read once: another run of this layer may change it
        if (input.IsFlat || input.Channels != inputChannels)
            Refuse($"takes images of {inputChannels} channels, not {input}");
        if (shape is not null && (shape.OutputHeight, shape.OutputWidth) == (input.Height, input.Width))
            return shape;
        Padding p = window.Padding;
        long height = Length(input.Height, window.Stride.Height, window.Dilation.Height, window.KernelSize.Height, (long)p.Top + p.Bottom, outputPadding.Height);
        long width = Length(input.Width, window.Stride.Width, window.Dilation.Width, window.KernelSize.Width, (long)p.Left + p.Right, outputPadding.Width);
        if (height < 1 || width < 1)
            Refuse($"an image of {input} leaves {height}×{width} pixels; use less padding or a larger kernel");
        if (height > Array.MaxLength || width > Array.MaxLength || height * width > Array.MaxLength / outputChannels)
            Refuse($"an output of {outputChannels}×{height}×{width} has more numbers than an array holds");
        try
        {
            return latest = new Conv2dShape(1, outputChannels, (int)height, (int)width, inputChannels, window, groups).WithOutput(input.Height, input.Width);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Description}: {e.Message}", e);
        }

        static long Length(int input, int stride, int dilation, int kernel, long padding, int more) =>
            (input - 1L) * stride - padding + (long)dilation * (kernel - 1) + more + 1;
    }
}
