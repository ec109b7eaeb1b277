namespace MiniCnn;

/// <summary>
/// How much of a convolution is done at a time: some rows and columns of outputs over the taps of some input channels, such that what they read
/// of x stays in the first cache while the weights of all output channels stream past it from the second.
/// </summary>
/// <param name="Tile">The registers' tiles.</param>
/// <param name="Rows">Rows of outputs.</param>
/// <param name="Columns">Columns of outputs.</param>
/// <param name="Channels">Input channels.</param>
/// <param name="Taps">Taps of all these channels.</param>
readonly record struct Slab(Tiles Tile, int Rows, int Columns, int Channels, int Taps)
{
    // 400 lines × 64 bytes = 25 kB, of a first cache of 32 kB.
    const int Lines = 400;

    // With a kernel three wide, what a slab reads is then read by 3 · 7 / 9 = 2.3 taps a pixel.
    const int LeastColumns = 7;

    /// <summary>
    /// For outputs of a shape, and taps in rows and columns that many pixels of x apart. How many channels hangs on neither the rows nor what follows
    /// the sums, so that a pooled sum has the same order. Where a pixel is one vector, or vectors lie along a row, there are registers enough to read x
    /// from the second cache: all is one slab.
    /// </summary>
    public static Slab For(int vector, int lanes, int channels, Size2d outputs, Size2d xStep, Size2d taps, Size2d apart, bool pooled = false)
    {
        Tiles tile = new(vector, lanes);
        int most = channels, columns = pooled ? 2 * outputs.Width : outputs.Width;
        if (lanes > vector)
            most = Split(channels, (int)Math.Max(1, Lines / Math.Max(1, Read(1, Fitting(columns, LeastColumns, 1, channels)))));
        int numbers = Math.Max(1, most * taps.Height * taps.Width);
        if (lanes <= vector)
            return new(tile, int.MaxValue, int.MaxValue, most, numbers);
        columns = Split(columns, Fitting(columns, 1, pooled ? 2 : 1, most));
        return new(tile, 1, pooled ? (columns + 1) / 2 : columns, most, numbers);

        // As many columns, of at least so many, as keep what some rows of outputs read of some channels in the cache.
        int Fitting(int columns, int least, int rows, int channels)
        {
            while (columns > least && Read(rows, columns) * channels > Lines)
                columns--;
            return columns;
        }

        // Pixels of a channel that so many rows and columns of outputs read.
        long Read(int rows, int columns) =>
            Math.Min((rows - 1L) * xStep.Height + (taps.Height - 1L) * apart.Height + 1, (long)rows * taps.Height)
            * Math.Min((columns - 1L) * xStep.Width + (taps.Width - 1L) * apart.Width + 1, (long)columns * taps.Width);
    }

    /// <summary>The length of even pieces, none longer than the most.</summary>
    static int Split(int length, int most)
    {
        int pieces = (length + most - 1) / most;
        return (length + pieces - 1) / pieces;
    }
}
