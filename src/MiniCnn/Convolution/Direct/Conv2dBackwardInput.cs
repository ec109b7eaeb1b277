using System.Numerics;

namespace MiniCnn;

/// <summary>dx = ∂⟨y, dy⟩/∂x over lanes.</summary>
/// <remarks>
/// dx[ic,iy,ix] = Σ w[oc,ic,ky,kx] · dy[oc,oy,ox] over oc and the taps for which oy·stride + ky·dilation − top = iy, and so for ix. Which taps
/// these are depends on iy mod stride and ix mod stride alone: each of the stride² phases is a plain sum over its own taps.
/// </remarks>
static unsafe class Conv2dBackwardInput
{
    /// <summary>The zeros around dy that the sums run into.</summary>
    public static Padding Margin(WindowAxis rows, WindowAxis columns)
    {
        return new(Before(rows), Before(columns), After(rows), After(columns));

        static int Before(WindowAxis axis) => Math.Max(0, (axis.Span - 1 - axis.PadBefore) / axis.Stride);

        static int After(WindowAxis axis) => Math.Max(0, (axis.Input - 1 + axis.PadBefore) / axis.Stride - (axis.Output - 1));
    }

    /// <summary>Overwrites dx. dy has at least its <see cref="Margin"/> of zeros. b, if not null, is added to each channel of dx.</summary>
    public static void Run<T>(Conv2dShape shape, LaneTensor<T> dy, T* w, LaneTensor<T> dx, ConvolutionBuffers<T> buffers, T* b = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        WindowAxis rows = shape.Rows, columns = shape.Columns;
        int most = shape.GroupOutputChannels * shape.Window.Taps, channels = shape.GroupInputChannels;
        int row = columns.Input / columns.Stride, vector = Simd.Vector(dx, row);           // vectors lie along the columns of one phase
        bool split = dx.Lanes < vector && columns.Stride > 1;
        LaneTensor<T> target = split ? ColumnPhases.Take(buffers.GradientPhases, dx, default, columns.Input, columns.Stride) : dx;
        fixed (T* packed = buffers.Weights.Take(checked(shape.InputChannels * most)), zeros = buffers.Zeros.Take(shape.InputChannels))
        fixed (nint* offsets = buffers.Offsets.Take(most), places = buffers.Places.Take(most))
        {
            new Span<T>(zeros, shape.InputChannels).Clear();
            Epilogue<T> start = new() { Bias = b == null ? zeros : b };
            for (int phaseY = 0; phaseY < Math.Min(rows.Stride, rows.Input); phaseY++)
                for (int phaseX = 0; phaseX < Math.Min(columns.Stride, columns.Input); phaseX++)
                {
                    int taps = 0, kernelRows = 0, first = 0, step = 0;
                    for (int ky = rows.Kernel - 1; ky >= 0; ky--)                       // dy's rows from the top down
                    {
                        (int up, int upRest) = Math.DivRem(phaseY + rows.PadBefore - ky * rows.Dilation, rows.Stride);
                        if (upRest != 0)
                            continue;
                        (first, step) = kernelRows == 0 ? (up, 0) : (first, (up - first) / kernelRows);
                        kernelRows++;
                        for (int oc = 0; oc < shape.GroupOutputChannels; oc++)
                            for (int kx = 0; kx < columns.Kernel; kx++)
                            {
                                (int left, int leftRest) = Math.DivRem(phaseX + columns.PadBefore - kx * columns.Dilation, columns.Stride);
                                if (leftRest != 0)
                                    continue;
                                offsets[taps] = oc * dy.PlanePitch + up * dy.RowPitch + left * dy.Lanes;
                                places[taps++] = (oc * channels * rows.Kernel + ky) * columns.Kernel + kx;
                            }
                    }
                    DirectConvolution<T>.Pack(
                        w, (nint)shape.GroupOutputChannels * channels * shape.Window.Taps, shape.Window.Taps, places, taps, shape.Groups, channels, vector,
                        packed);
                    Size2d outputs = (ColumnPhases.Length(rows.Input - phaseY, rows.Stride), ColumnPhases.Length(columns.Input - phaseX, columns.Stride));
                    Size2d apart = (rows.Stride, split ? 1 : columns.Stride);
                    Size2d begin = (phaseY, split ? phaseX * ColumnPhases.Length(columns.Input, columns.Stride) : phaseX);
                    KernelRows kernel = new(Math.Max(1, kernelRows), first, step);
                    new DirectConvolution<T>(packed, offsets, taps, kernel, shape.Groups, dy, 1, target, outputs, apart, begin, start).RunAll(row);
                }
        }
        if (split)
            ColumnPhases.Merge(target, columns.Stride, dx);
    }
}
