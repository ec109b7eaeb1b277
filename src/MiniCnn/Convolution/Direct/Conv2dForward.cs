using System.Numerics;

namespace MiniCnn;

/// <summary>y = x ⋆ w + b over lanes: the sums of <see cref="Conv2dReference"/>, on all images of a block at once.</summary>
static unsafe class Conv2dForward
{
    /// <summary>Overwrites y. x has the padding as its margin.</summary>
    public static void Run<T>(Conv2dShape shape, LaneTensor<T> x, T* w, LaneTensor<T> y, ConvolutionBuffers<T> buffers, Epilogue<T> epilogue = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, channels = shape.GroupOutputChannels, vector = Simd.Vector(x, shape.OutputWidth);
        (LaneTensor<T> columns, Size2d step) = Columns(shape, x, vector, buffers, made: false);
        fixed (T* packed = buffers.Weights.Take(checked(shape.OutputChannels * taps)), zeros = buffers.Zeros.Take(shape.OutputChannels))
        fixed (nint* offsets = buffers.Offsets.Take(taps), places = buffers.Places.Take(taps))
        {
            Size2d outputs = (y.Shape.Height, y.Shape.Width);
            Slab slab = Slab.For(
                vector, x.Lanes, shape.GroupInputChannels, shape.OutputWidth, step, shape.Window.KernelSize, shape.Window.Dilation, epilogue.Pooled);
            TapList<T> list = new(shape, columns, columns != x, offsets, places);
            for (int first = 0; first < shape.GroupInputChannels; first += slab.Channels)
                for (int ky = 0; ky < shape.Rows.Kernel; ky++)
                    for (int ic = first; ic < Math.Min(first + slab.Channels, shape.GroupInputChannels); ic++)
                        for (int kx = 0; kx < shape.Columns.Kernel; kx++)
                            list.Add(ic, ky, kx);
            KernelRows kernel = new(shape.Rows.Kernel, -shape.Rows.PadBefore, shape.Rows.Dilation);
            new Span<T>(zeros, shape.OutputChannels).Clear();
            if (epilogue.Bias == null)
                epilogue = epilogue with { Bias = zeros };
            DirectConvolution<T>.Pack(w, (nint)channels * taps, taps, places, taps, slab, shape.Groups, channels, packed);
            new DirectConvolution<T>(packed, offsets, taps, slab, kernel, shape.Groups, columns, step, y, outputs, 1, 0, epilogue).RunAll(shape.OutputWidth);
        }
    }

    /// <summary>
    /// x as vectors of so many numbers can read it, and the pixels from one output to the next there; the backward pass takes what the forward
    /// pass made.
    /// </summary>
    public static (LaneTensor<T> X, Size2d Step) Columns<T>(Conv2dShape shape, LaneTensor<T> x, int vector, ConvolutionBuffers<T> buffers, bool made)
        where T : unmanaged
    {
        Size2d stride = shape.Window.Stride;
        if (x.Lanes >= vector || stride.Width == 1)
            return (x, stride);
        return (made ? buffers.Phases.Kept : ColumnPhases.Split(shape.Window, x, buffers.Phases), (stride.Height, 1));
    }
}
