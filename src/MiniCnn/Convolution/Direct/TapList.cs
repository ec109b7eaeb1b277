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
    int count;

    public void Add(int ic, int ky, int kx)
    {
        (WindowAxis rows, WindowAxis columns) = (shape.Rows, shape.Columns);
        (int along, int phase) = Math.DivRem(kx * columns.Dilation, columns.Stride);
        nint column = split ? phase * (x.Shape.Width / columns.Stride) + along : columns.Place(0, kx) * x.Lanes;
        offsets[count] = ic * x.PlanePitch + rows.Place(0, ky) * x.RowPitch + column;
        places[count++] = (ic * rows.Kernel + ky) * columns.Kernel + kx;
    }
}
