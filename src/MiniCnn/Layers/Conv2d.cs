using System.Numerics;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y[oc,oy,ox] = b[oc] + Σ w[oc,ic,ky,kx] · x[g·IC/groups + ic, oy·stride + ky·dilation − top, ox·stride + kx·dilation − left],
/// the sum over ic, ky, kx; what it computes is <see cref="Conv2dReference"/>, how, <see cref="Conv2dForward"/>.
/// </summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.</remarks>
public sealed class Conv2d : WindowLayer
{
    Conv2dShape? latest;

    /// <summary>An int stands for both axes, a tuple for (height, width).</summary>
    /// <param name="inputChannels">Channels of x.</param>
    /// <param name="outputChannels">Channels of y.</param>
    /// <param name="kernelSize">Taps on each axis.</param>
    /// <param name="stride">Pixels from one output to the next; 1 if not given.</param>
    /// <param name="padding">Pixels added around x; <see cref="Padding.Same"/> keeps the size.</param>
    /// <param name="dilation">Pixels from one tap to the next; 1 if not given.</param>
    /// <param name="groups">Groups of channels that do not see each other; inputChannels of them make a depthwise convolution.</param>
    /// <param name="bias">Whether a learnt number is added to each output channel.</param>
    /// <param name="paddingMode">What stands in the padding.</param>
    /// <exception cref="ArgumentException">Sizes below 1, or groups that do not divide the channels.</exception>
    public Conv2d(
        int inputChannels, int outputChannels, Size2d kernelSize, Size2d? stride = null, Padding padding = default, Size2d? dilation = null,
        int groups = 1, bool bias = true, PaddingMode paddingMode = PaddingMode.Zeros)
        : base(new(kernelSize, stride, padding, dilation, paddingMode))
    {
        Conv2dShape.CheckChannels(inputChannels, outputChannels, groups);
        (InputChannels, OutputChannels, Groups) = (inputChannels, outputChannels, groups);
        Weight = new(this, "weight", outputChannels, inputChannels / groups, kernelSize.Height, kernelSize.Width);
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

    /// <summary>What stands in the padding.</summary>
    public PaddingMode PaddingMode => Window.PaddingMode;

    /// <summary>[OC, IC/groups, kH, kW].</summary>
    public Parameter Weight { get; }

    /// <summary>[OC], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (input.Channels != InputChannels && !input.IsFlat)
            Refuse($"takes {InputChannels} channels, not {input.Channels} (of {input})");
        return Slide(Window, input, OutputChannels);
    }

    /// <summary>“Conv2d(1→8, 5×5, padding 2)”.</summary>
    public override string ToString() =>
        $"Conv2d({InputChannels}→{OutputChannels}, {Window}{(Groups == 1 ? "" : $", groups {Groups}")}{(Bias is null ? ", no bias" : "")})";

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments =>
    [
        ("inputChannels", InputChannels), ("outputChannels", OutputChannels), ("kernelSize", KernelSize.ToJson()), ("stride", Stride.ToJson()),
        ("padding", Padding.ToJson()), ("dilation", Dilation.ToJson()), ("groups", Groups), ("bias", Bias is not null), ("paddingMode", $"{PaddingMode}"),
    ];

    internal override long MultiplyAdds(ImageShape input) => OutputShape(input).Length * (Weight.Length / OutputChannels);

    internal override Padding InputMargin(ImageShape input) => PaddingMode == PaddingMode.Zeros ? Padding : default;

    internal override Padding GradientMargin(ImageShape input) =>
        PaddingMode == PaddingMode.Zeros ? Conv2dBackwardInput.Margin(Window.Rows(input.Height), Window.Columns(input.Width)) : default;

    /// <summary>Whether a 2×2 pool can follow in one run: with a dilation neighbouring outputs are not computed together.</summary>
    internal bool CanPool => Dilation == 1;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Forward(x, y, context, default);

    /// <summary>As Forward, with what comes after it; the bias is the layer's own.</summary>
    internal unsafe void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context, Epilogue<T> after)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ConvolutionBuffers<T> buffers = context.State<ConvolutionBuffers<T>>();
        LaneTensor<T> padded = Padded(x, buffers.Padded);
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            Conv2dForward.Run(Geometry(padded), padded, w, y, buffers, after with { Bias = b }, context.Algorithm);
    }

    internal override unsafe void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
    {
        ConvolutionBuffers<T> buffers = context.State<ConvolutionBuffers<T>>();
        LaneTensor<T> padded = IsPadded(x) ? x : buffers.Padded.Kept;
        Conv2dShape shape = Geometry(padded);
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Weight.Trainable)
                Conv2dBackwardWeight.Run(shape, padded, dy, dw, buffers, context.Algorithm);
            if (Bias is { Trainable: true })
                BiasGradient.Run(dy, db);
            if (dx is null)
                return;
            LaneTensor<T> wide = buffers.WideGradient.Widen(dy, Conv2dBackwardInput.Margin(shape.Rows, shape.Columns));
            LaneTensor<T> target = PaddingMode == PaddingMode.Zeros ? dx : buffers.PaddedGradient.Take(x, padded.Shape);
            Conv2dBackwardInput.Run(shape, wide, w, target, buffers, algorithm: context.Algorithm);
            if (target != dx)
                PadLanes.Backward(Window, target, dx);
        }
    }

    /// <summary>Whether x has the padding around it already.</summary>
    bool IsPadded<T>(LaneTensor<T> x) where T : unmanaged => PaddingMode == PaddingMode.Zeros && x.Margin.Covers(Padding);

    /// <summary>x with its padding: as a margin where it is zeros, else as part of the image.</summary>
    LaneTensor<T> Padded<T>(LaneTensor<T> x, LaneBuffer<T> buffer) where T : unmanaged, INumberBase<T>
    {
        if (PaddingMode == PaddingMode.Zeros)
            return buffer.Widen(x, Padding);
        (int top, int left, int bottom, int right) = Padding;
        LaneTensor<T> padded = buffer.Take(x, new(x.Shape.Channels, top + x.Shape.Height + bottom, left + x.Shape.Width + right));
        PadLanes.Forward(Window, x, padded);
        return padded;
    }

    /// <summary>The geometry of one image, kept while images keep their size; lane tensors know how many there are.</summary>
    Conv2dShape Geometry<T>(LaneTensor<T> padded) where T : unmanaged
    {
        (int height, int width) = (padded.Shape.Height, padded.Shape.Width);
        Conv2dShape? shape = latest;                                    // read once: another run of this layer may change it
        if (shape is null || shape.Rows.Input != height || shape.Columns.Input != width)
        {
            Window2d over = PaddingMode == PaddingMode.Zeros ? Window : new(KernelSize, Stride, default, Dilation);
            latest = shape = new(1, InputChannels, height, width, OutputChannels, over, Groups);
        }
        return shape;
    }
}
