using System.Numerics;

namespace MiniCnn;

/// <summary>y = x ⋆ w + b over lanes: the sums of <see cref="Conv2dReference"/>, on all images of a group at once.</summary>
static unsafe class Conv2dForward
{
    /// <summary>Overwrites y. x has the padding as its margin; no bias where b is null.</summary>
    public static void Run<T, V>(Conv2dShape shape, LaneTensor<T> x, T* w, T* b, LaneTensor<T> y, Pass<T> pass)
        where T : unmanaged, INumberBase<T> where V : struct, ILanes<V, T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, channels = shape.GroupOutputChannels;
        int panelled = shape.Groups * TapSum<T, V>.Panels(channels) * TapSum<T, V>.PanelChannels;
        fixed (T* packed = pass.Numbers(0, checked(panelled * taps)), starts = pass.Numbers(1, panelled))
        fixed (nint* offsets = pass.Places(0, taps), places = pass.Places(1, taps))
        {
            Offsets(shape, x, offsets);
            for (int tap = 0; tap < taps; tap++)
                places[tap] = tap;
            TapSum<T, V>.Pack(w, (nint)channels * taps, taps, places, taps, shape.Groups, channels, packed);
            T zero = T.Zero;
            nint first = 0;
            TapSum<T, V>.Pack(b == null ? &zero : b, b == null ? 0 : channels, b == null ? 0 : 1, &first, 1, shape.Groups, channels, starts);
            new TapSum<T, V>(packed, starts, offsets, taps, shape.Groups, x, y, shape.Window.Stride, 1, 0).Run();
        }
    }

    /// <summary>From where a window begins, its padding not counted, to what each tap of each input channel of a group reads.</summary>
    public static void Offsets<T>(Conv2dShape shape, LaneTensor<T> x, nint* offsets) where T : unmanaged
    {
        WindowAxis rows = shape.Rows, columns = shape.Columns;
        for (int ic = 0; ic < shape.GroupInputChannels; ic++)
            for (int ky = 0; ky < rows.Kernel; ky++)
                for (int kx = 0; kx < columns.Kernel; kx++)
                    *offsets++ = ic * x.PlanePitch + rows.Place(0, ky) * x.RowPitch + columns.Place(0, kx) * x.Lanes;
    }
}
