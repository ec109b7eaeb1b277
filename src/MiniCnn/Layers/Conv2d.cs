using System.Numerics;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// A 2-D convolution (cross-correlation, as in PyTorch), [N, IC, H, W] → [N, OC, OH, OW]:
/// y[oc,oy,ox] = b[oc] + Σ w[oc,ic,ky,kx] · x[g·IC/groups + ic, oy·stride + ky·dilation − top, ox·stride + kx·dilation − left].
/// The sum is over ic, ky and kx; g is the group of oc.
/// </summary>
/// <remarks>
/// OH = ⌊(H + top + bottom − dilation·(kH − 1) − 1) / stride⌋ + 1, and OW in the same way. <see cref="Conv2dReference"/> is the plain form of the
/// formula; <see cref="Conv2dForward"/> is the optimized one.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html.
/// </remarks>
public sealed class Conv2d : WindowLayer
{
    Conv2dShape? latest;

    /// <summary>Creates a convolution. An int is used for both axes, a tuple for (height, width).</summary>
    /// <param name="inputChannels">Number of channels of x.</param>
    /// <param name="outputChannels">Number of channels of y.</param>
    /// <param name="kernelSize">Rows and columns of the kernel.</param>
    /// <param name="stride">Pixels of x from one output to the next. The default is 1.</param>
    /// <param name="padding">Pixels added around x. <see cref="Padding.Same"/> keeps the image size.</param>
    /// <param name="dilation">Pixels of x from one kernel element to the next. The default is 1.</param>
    /// <param name="groups">
    /// Number of channel groups, each convolved separately; both channel numbers must be divisible by it. groups = inputChannels gives a depthwise
    /// convolution.
    /// </param>
    /// <param name="bias">Whether a learned bias is added to each output channel.</param>
    /// <param name="paddingMode">Values of the padding pixels.</param>
    /// <exception cref="ArgumentException">A size is below 1, the padding is negative, or a channel number is not divisible by groups.</exception>
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

    /// <summary>Number of channels of x.</summary>
    public int InputChannels { get; }

    /// <summary>Number of channels of y.</summary>
    public int OutputChannels { get; }

    /// <summary>Number of channel groups, each convolved separately.</summary>
    public int Groups { get; }

    /// <summary>Values of the padding pixels.</summary>
    public PaddingMode PaddingMode => Window.PaddingMode;

    /// <summary>[OC, IC/groups, kH, kW]. The kernels.</summary>
    public Parameter Weight { get; }

    /// <summary>[OC]; null if the layer has no bias.</summary>
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

    /// <summary>Whether a 2×2 pool can be fused with it. With a dilation, neighboring outputs are not computed together.</summary>
    internal bool CanPool => Dilation == 1;

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Forward(x, y, context, default);

    /// <summary>Forward fused with an epilogue; its bias is replaced by the bias of this layer.</summary>
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

    /// <summary>Whether x already has the zero padding as its margin.</summary>
    bool IsPadded<T>(LaneTensor<T> x) where T : unmanaged => PaddingMode == PaddingMode.Zeros && x.Margin.Covers(Padding);

    /// <summary>x with its padding: zeros are the margin of the tensor; other modes make the image larger.</summary>
    LaneTensor<T> Padded<T>(LaneTensor<T> x, LaneBuffer<T> buffer) where T : unmanaged, INumberBase<T>
    {
        if (PaddingMode == PaddingMode.Zeros)
            return buffer.Widen(x, Padding);
        (int top, int left, int bottom, int right) = Padding;
        LaneTensor<T> padded = buffer.Take(x, new(x.Shape.Channels, top + x.Shape.Height + bottom, left + x.Shape.Width + right));
        PadLanes.Forward(Window, x, padded);
        return padded;
    }

    /// <summary>Geometry of one image, cached until the image size changes. The batch size is in the lane tensors.</summary>
    Conv2dShape Geometry<T>(LaneTensor<T> padded) where T : unmanaged
    {
        (int height, int width) = (padded.Shape.Height, padded.Shape.Width);
        Conv2dShape? shape = latest;                                    // read once: a call on another thread may change it
        if (shape is null || shape.Rows.Input != height || shape.Columns.Input != width)
        {
            Window2d over = PaddingMode == PaddingMode.Zeros ? Window : new(KernelSize, Stride, default, Dilation);
            latest = shape = new(1, InputChannels, height, width, OutputChannels, over, Groups);
        }
        return shape;
    }
}
