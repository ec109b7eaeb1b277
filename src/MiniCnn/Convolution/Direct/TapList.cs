namespace MiniCnn;

/// <summary>
/// The taps of a group in the order in which a kernel takes them: for each, what it reads of x for the first output, counted from the image's first pixel,
/// and the place of its weight among a channel's.
/// </summary>
/// <param name="shape">The convolution.</param>
/// <param name="x">What is read.</param>
/// <param name="split">Whether its columns stand by phases, see <see cref="ColumnPhases"/>.</param>
/// <param name="offsets">[taps], what each tap reads.</param>
/// <param name="places">[taps], the places of the weights.</param>
unsafe struct TapList<T>(Conv2dShape shape, LaneTensor<T> x, bool split, nint* offsets, nint* places) where T : unmanaged
{
    readonly WindowAxis rows = shape.Rows, columns = shape.Columns;
    readonly nint plane = x.PlanePitch, row = x.RowPitch;
    readonly int lanes = x.Lanes, phase = x.Shape.Width / shape.Columns.Stride;
    int count;

    /// <summary>All taps of some input channels, one row of the kernel after another.</summary>
    public void AddByRows(int first, int end)
    {
        for (int ky = 0; ky < rows.Kernel; ky++)
            for (int ic = first; ic < end; ic++)
                for (int kx = 0; kx < columns.Kernel; kx++)
                    Add(ic, ky, kx);
    }

    /// <summary>All taps in the order of their weights, so that places[t] = t.</summary>
    public void AddInOrder()
    {
        for (int ic = 0; ic < shape.GroupInputChannels; ic++)
            for (int ky = 0; ky < rows.Kernel; ky++)
                for (int kx = 0; kx < columns.Kernel; kx++)
                    Add(ic, ky, kx);
    }

    public void Add(int ic, int ky, int kx)
    {
        nint column = columns.Place(0, kx) * (nint)lanes;
        if (split)
        {
            (int along, int first) = Math.DivRem(kx * columns.Dilation, columns.Stride);
            column = first * phase + along;
        }
        offsets[count] = ic * plane + rows.Place(0, ky) * row + column;
        places[count++] = (ic * rows.Kernel + ky) * columns.Kernel + kx;
    }
}
