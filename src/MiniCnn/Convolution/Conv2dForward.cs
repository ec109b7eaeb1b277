using System.Numerics;

namespace MiniCnn;

/// <summary>y = x ⋆ w + b over lanes: the sums of <see cref="Conv2dReference"/>, on all images of a group at once.</summary>
static unsafe class Conv2dForward
{
    /// <summary>
    /// Overwrites y. x has the padding as its margin; no bias where b is null. If positive, what is below 0 becomes 0; if pooled, y is then the
    /// maximum over 2×2 pixels, and winner, if not null, which of them it was.
    /// </summary>
    public static void Run<T, V>(
        Conv2dShape shape, LaneTensor<T> x, T* w, T* b, LaneTensor<T> y, Pass<T> pass, bool positive = false, bool pooled = false,
        LaneTensor<T>? winner = null)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
        {
            RowWork work = new(
                shape, row, (float*)w, (float*)b, (LaneTensor<float>)(object)y, (Pass<float>)(object)pass, positive, pooled,
                (LaneTensor<float>?)(object?)winner);
            Simd.Run(shape.OutputWidth, work);
            return;
        }
        RunWith<T, V>(shape, x, w, b, y, pass, positive, pooled, winner);
    }

    static void RunWith<T, V>(
        Conv2dShape shape, LaneTensor<T> x, T* w, T* b, LaneTensor<T> y, Pass<T> pass, bool positive, bool pooled, LaneTensor<T>? winner)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, channels = shape.GroupOutputChannels;
        (LaneTensor<T> columns, Size2d step) = Columns<T, V>(shape, x, pass, made: false);
        fixed (T* packed = pass.Numbers(0, checked(shape.OutputChannels * taps)), zeros = pass.Numbers(1, shape.OutputChannels))
        fixed (nint* offsets = pass.Places(0, taps), places = pass.Places(1, taps))
        {
            Taps<T, V>(shape, columns, byRows: true, offsets, places);
            KernelRows kernel = new(shape.Rows.Kernel, -shape.Rows.PadBefore, shape.Rows.Dilation);
            new Span<T>(zeros, shape.OutputChannels).Clear();
            TapSum<T, V>.Pack(w, (nint)channels * taps, taps, places, taps, shape.Groups, channels, packed);
            Size2d outputs = (y.Shape.Height, y.Shape.Width);
            new TapSum<T, V>(packed, b == null ? zeros : b, offsets, taps, kernel, shape.Groups, columns, step, y, outputs, 1, 0, positive, pooled, winner).Run();
        }
    }

    /// <summary>One lane: vectors lie along the rows.</summary>
    readonly struct RowWork(
        Conv2dShape shape, LaneTensor<float> x, float* w, float* b, LaneTensor<float> y, Pass<float> pass, bool positive, bool pooled,
        LaneTensor<float>? winner) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => RunWith<float, V>(shape, x, w, b, y, pass, positive, pooled, winner);
    }

    /// <summary>x as vectors can read it, and the pixels from one output to the next there; the backward pass takes what the forward pass made.</summary>
    public static (LaneTensor<T> X, Size2d Step) Columns<T, V>(Conv2dShape shape, LaneTensor<T> x, Pass<T> pass, bool made)
        where T : unmanaged where V : struct, ILanes<V, T>
    {
        Size2d stride = shape.Window.Stride;
        if (!SplitsColumns<T, V>(shape, x))
            return (x, stride);
        return (made ? pass.Kept(ColumnPhases.SplitBuffer) : ColumnPhases.Split(shape.Window, x, pass), (stride.Height, 1));
    }

    /// <summary>
    /// The taps of a group: from where a window begins to what each reads, and its place among a channel's weights. They stand in the order of
    /// the weights, or one row of the kernel after another.
    /// </summary>
    public static void Taps<T, V>(Conv2dShape shape, LaneTensor<T> x, bool byRows, nint* offsets, nint* places)
        where T : unmanaged where V : struct, ILanes<V, T>
    {
        WindowAxis rows = shape.Rows, columns = shape.Columns;
        bool split = SplitsColumns<T, V>(shape, x);
        for (int ic = 0; ic < shape.GroupInputChannels; ic++)
            for (int ky = 0; ky < rows.Kernel; ky++)
                for (int kx = 0; kx < columns.Kernel; kx++)
                {
                    int place = (ic * rows.Kernel + ky) * columns.Kernel + kx;
                    int tap = byRows ? (ky * shape.GroupInputChannels + ic) * columns.Kernel + kx : place;
                    (int along, int phase) = Math.DivRem(kx * columns.Dilation, columns.Stride);
                    nint column = split ? phase * (x.Shape.Width / columns.Stride) + along : columns.Place(0, kx) * x.Lanes;
                    offsets[tap] = ic * x.PlanePitch + rows.Place(0, ky) * x.RowPitch + column;
                    places[tap] = place;
                }
    }

    static bool SplitsColumns<T, V>(Conv2dShape shape, LaneTensor<T> x) where T : unmanaged where V : struct, ILanes<V, T> =>
        x.Lanes < V.Count && shape.Window.Stride.Width > 1;
}
