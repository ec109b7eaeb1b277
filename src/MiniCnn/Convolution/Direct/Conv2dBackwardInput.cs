using System.Numerics;

namespace MiniCnn;

/// <summary>The gradient of the input, dx = ∂⟨y, dy⟩/∂x, on lane tensors.</summary>
/// <remarks>
/// dx[ic,iy,ix] = Σ w[oc,ic,ky,kx] · dy[oc,oy,ox] over oc and the taps with oy·stride + ky·dilation − top = iy, and likewise for ix. These taps
/// depend only on iy mod stride and ix mod stride: each of the stride² phases is a plain sum over its own taps.
/// </remarks>
static unsafe class Conv2dBackwardInput
{
    /// <summary>Number of zeros around dy that the sums read.</summary>
    public static Padding Margin(WindowAxis rows, WindowAxis columns)
    {
        return new(Before(rows), Before(columns), After(rows), After(columns));

        static int Before(WindowAxis axis) => Math.Max(0, (axis.Span - 1 - axis.PadBefore) / axis.Stride);

        static int After(WindowAxis axis) => Math.Max(0, (axis.Input - 1 + axis.PadBefore) / axis.Stride - (axis.Output - 1));
    }

    /// <summary>Overwrites dx. dy must have at least its <see cref="Margin"/> of zeros. If b is not null, b[ic] is added to channel ic of dx.</summary>
    public static void Run<T>(
        Conv2dShape shape, LaneTensor<T> dy, T* w, LaneTensor<T> dx, ConvolutionBuffers<T> buffers, T* b = null,
        ConvolutionAlgorithm algorithm = ConvolutionAlgorithm.Direct)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        WindowAxis rows = shape.Rows, columns = shape.Columns;
        int most = shape.GroupOutputChannels * shape.Window.Taps, channels = shape.GroupInputChannels;
        int row = columns.Input / columns.Stride, vector = Simd.Vector(dx, row);           // vectors hold columns of one phase
        bool winograd = algorithm.TakesWinograd(shape, dx.Lanes), ofChannels = ChannelPanels.Suit(dx, channels, row);
        bool split = !ofChannels && dx.Lanes < vector && columns.Stride > 1;
        ChannelPanels panels = ofChannels ? ChannelPanels.Of(dx, shape.Groups) : default;
        WinogradWeights flipped = new(shape.GroupOutputChannels, channels, shape.Groups);
        nint groupStep = (nint)shape.GroupOutputChannels * channels * shape.Window.Taps;
        LaneTensor<T> target = split ? ColumnPhases.Take(buffers.GradientPhases, dx, default, columns.Input, columns.Stride) : dx;
        int packedLength = winograd ? flipped.Length : ofChannels ? panels.PackedLength(most) : checked(shape.InputChannels * most);
        fixed (T* memory = buffers.Weights.Take(packedLength), zeros = buffers.Zeros.Take(shape.InputChannels))
        fixed (nint* offsets = buffers.Offsets.Take(most), places = buffers.Places.Take(most))
        {
            new Span<T>(zeros, shape.InputChannels).Clear();
            Epilogue<T> start = new() { Bias = b == null ? zeros : b };
            if (winograd)
            {
                Size2d before = (rows.Span - 1 - rows.PadBefore, columns.Span - 1 - columns.PadBefore);
                flipped.Transform(w, groupStep, shape.Window.Taps, (nint)channels * shape.Window.Taps, flip: true, dx, memory);
                new WinogradConvolution<T>(flipped, memory, dy, before, shape.Window.Dilation, dx, (rows.Input, columns.Input), start).RunAll();
                return;
            }
            for (int phaseY = 0; phaseY < Math.Min(rows.Stride, rows.Input); phaseY++)
                for (int phaseX = 0; phaseX < Math.Min(columns.Stride, columns.Input); phaseX++)
                {
                    Phase up = Phase.Of(rows, phaseY), left = Phase.Of(columns, phaseX);
                    Size2d outputs = (ColumnPhases.Length(rows.Input - phaseY, rows.Stride), ColumnPhases.Length(columns.Input - phaseX, columns.Stride));
                    Slab slab = Slab.For(
                        vector, dy.Lanes, shape.GroupOutputChannels, outputs.Width, 1, (up.Count, left.Count), (up.PlaceStep, left.PlaceStep));
                    int taps = 0;
                    for (int begin = 0, end; begin < shape.GroupOutputChannels; begin = end)
                    {
                        end = Math.Min(shape.GroupOutputChannels, begin + slab.Channels);
                        for (int i = 0; i < up.Count; i++)                              // rows of dy from top to bottom
                            for (int oc = begin; oc < end; oc++)
                                for (int j = 0; j < left.Count; j++)
                                {
                                    offsets[taps] = oc * dy.PlanePitch + up.Place(i) * dy.RowPitch + left.Place(j) * dy.Lanes;
                                    places[taps++] = (oc * channels * rows.Kernel + up.Tap(i)) * columns.Kernel + left.Tap(j);
                                }
                    }
                    Size2d apart = (rows.Stride, split ? 1 : columns.Stride);
                    Size2d first = (phaseY, split ? phaseX * ColumnPhases.Length(columns.Input, columns.Stride) : phaseX);
                    if (ofChannels)
                    {
                        T* packed = panels.Pack(w, groupStep, shape.Window.Taps, places, taps, start.Bias, memory);
                        new ChannelConvolution<T>(packed, panels, offsets, taps, dy, 1, dx, outputs, apart, first, start).RunAll();
                        continue;
                    }
                    KernelRows kernel = new(Math.Max(1, up.Count), up.FirstPlace, up.PlaceStep);
                    DirectConvolution<T>.Pack(w, groupStep, shape.Window.Taps, places, taps, slab, shape.Groups, channels, memory);
                    new DirectConvolution<T>(memory, offsets, taps, slab, kernel, shape.Groups, dy, 1, target, outputs, apart, first, start).RunAll(row);
                }
        }
        if (split)
            ColumnPhases.Merge(target, columns.Stride, dx);
    }

    /// <summary>
    /// The taps that reach the pixels phase, phase + stride, … of an axis, last tap first, and the positions in dy that they read for the first of these
    /// pixels.
    /// </summary>
    readonly record struct Phase(int Count, int FirstTap, int TapStep, int FirstPlace, int PlaceStep)
    {
        public static Phase Of(WindowAxis axis, int phase)
        {
            Phase taps = default;
            for (int tap = axis.Kernel - 1; tap >= 0; tap--)
            {
                (int place, int rest) = Math.DivRem(phase + axis.PadBefore - tap * axis.Dilation, axis.Stride);
                if (rest != 0)
                    continue;
                taps = taps.Count switch
                {
                    0 => new(1, tap, 0, place, 0),
                    1 => new(2, taps.FirstTap, tap - taps.FirstTap, taps.FirstPlace, place - taps.FirstPlace),
                    _ => taps with { Count = taps.Count + 1 },
                };
            }
            return taps;
        }

        public int Tap(int i) => FirstTap + i * TapStep;

        public int Place(int i) => FirstPlace + i * PlaceStep;
    }
}
