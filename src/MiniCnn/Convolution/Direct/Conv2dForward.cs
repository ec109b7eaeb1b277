using System.Numerics;

namespace MiniCnn;

/// <summary>The forward pass, y = x ⋆ w + b, on lane tensors: the sums of <see cref="Conv2dReference"/>, for all images of a block at once.</summary>
static unsafe class Conv2dForward
{
    /// <summary>Overwrites y. The margin of x must be the padding.</summary>
    public static void Run<T>(
        Conv2dShape shape, LaneTensor<T> x, T* w, LaneTensor<T> y, ConvolutionBuffers<T> buffers, Epilogue<T> epilogue = default,
        ConvolutionAlgorithm algorithm = ConvolutionAlgorithm.Direct)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, channels = shape.GroupOutputChannels, vector = Simd.Vector(x, shape.OutputWidth);
        Size2d outputs = (y.Shape.Height, y.Shape.Width);
        nint groupStep = (nint)channels * taps;
        fixed (T* zeros = buffers.Zeros.Take(shape.OutputChannels))
        fixed (nint* offsets = buffers.Offsets.Take(taps), places = buffers.Places.Take(taps))
        {
            new Span<T>(zeros, shape.OutputChannels).Clear();
            if (epilogue.Bias == null)
                epilogue = epilogue with { Bias = zeros };
            if (algorithm.TakesWinograd(shape, x))
            {
                WinogradWeights weights = new(shape.GroupInputChannels, channels, shape.Groups);
                Size2d before = (shape.Rows.PadBefore, shape.Columns.PadBefore), sums = epilogue.Pooled ? (2 * outputs.Height, 2 * outputs.Width) : outputs;
                fixed (T* transformed = buffers.Weights.Take(weights.Length))
                {
                    weights.Transform(w, groupStep, taps, shape.Window.Taps, flip: false, y, transformed);
                    if (x.Lanes == 1)
                        new WinogradChannels<T>(weights, transformed, x, before, y, sums, epilogue).RunAll();
                    else
                        new WinogradConvolution<T>(weights, transformed, x, before, shape.Window.Dilation, y, sums, epilogue).RunAll();
                }
                return;
            }
            if (ChannelPanels.Suit(x, channels, shape.OutputWidth))
            {
                new TapList<T>(shape, x, split: false, offsets, places).AddInOrder();
                ChannelPanels panels = ChannelPanels.Of(y, shape.Groups);
                fixed (T* memory = buffers.Weights.Take(panels.PackedLength(taps)))
                {
                    T* packed = panels.Pack(w, groupStep, taps, null, taps, epilogue.Bias, memory);
                    new ChannelConvolution<T>(packed, panels, offsets, taps, x, shape.Window.Stride, y, outputs, 1, 0, epilogue).RunAll();
                }
                return;
            }
            (LaneTensor<T> columns, Size2d step) = Columns(shape, x, vector, buffers);
            Slab slab = Slab.For(
                vector, x.Lanes, shape.GroupInputChannels, shape.OutputWidth, step, shape.Window.KernelSize, shape.Window.Dilation, epilogue.Pooled);
            TapList<T> list = new(shape, columns, columns != x, offsets, places);
            for (int first = 0; first < shape.GroupInputChannels; first += slab.Channels)
                list.AddByRows(first, Math.Min(first + slab.Channels, shape.GroupInputChannels));
            KernelRows kernel = new(shape.Rows.Kernel, -shape.Rows.PadBefore, shape.Rows.Dilation);
            fixed (T* packed = buffers.Weights.Take(checked(shape.OutputChannels * taps)))
            {
                DirectConvolution<T>.Pack(w, groupStep, taps, places, taps, slab, shape.Groups, channels, packed);
                new DirectConvolution<T>(packed, offsets, taps, slab, kernel, shape.Groups, columns, step, y, outputs, 1, 0, epilogue)
                    .RunAll(shape.OutputWidth);
            }
        }
    }

    /// <summary>Returns x in a layout that vectors of this length can read, and the step in pixels from one output to the next in that layout.</summary>
    public static (LaneTensor<T> X, Size2d Step) Columns<T>(Conv2dShape shape, LaneTensor<T> x, int vector, ConvolutionBuffers<T> buffers)
        where T : unmanaged
    {
        Size2d stride = shape.Window.Stride;
        return x.Lanes >= vector || stride.Width == 1 ? (x, stride) : (ColumnPhases.Split(shape.Window, x, buffers.Phases), (stride.Height, 1));
    }
}
