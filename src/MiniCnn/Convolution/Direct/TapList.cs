namespace MiniCnn;

/// <summary>
/// The taps of a group in the order in which a kernel processes them. For each tap, it stores the position of the element of x that the tap reads for the
/// first output, relative to the first pixel of the image, and the index of its weight among the weights of an output channel.
/// </summary>
/// <param name="shape">Sizes of the convolution.</param>
/// <param name="x">Input.</param>
/// <param name="split">Whether the columns of x are split into phases, see <see cref="ColumnPhases"/>.</param>
/// <param name="offsets">[taps], receives the positions of the elements of x.</param>
/// <param name="places">[taps], receives the indices of the weights.</param>
unsafe struct TapList<T>(Conv2dShape shape, LaneTensor<T> x, bool split, nint* offsets, nint* places) where T : unmanaged
{
    readonly WindowAxis rows = shape.Rows, columns = shape.Columns;
    readonly nint plane = x.PlanePitch, row = x.RowPitch;
    readonly int lanes = x.Lanes, phase = x.Shape.Width / shape.Columns.Stride;
    int count;

    /// <summary>Adds all taps of some input channels, kernel row by kernel row.</summary>
    public void AddByRows(int first, int end)
    {
        for (int ky = 0; ky < rows.Kernel; ky++)
            for (int ic = first; ic < end; ic++)
                for (int kx = 0; kx < columns.Kernel; kx++)
                    Add(ic, ky, kx);
    }

    /// <summary>Adds all taps in the order of their weights, so that places[t] = t.</summary>
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
