namespace MiniCnn;

/// <summary>
/// How much of a convolution is done at a time: some rows and columns of outputs over the taps of some input channels, such that what they read
/// of x stays in the first cache while the weights of all output channels stream past it from the second.
/// </summary>
/// <param name="Tile">The registers' tiles.</param>
/// <param name="Rows">Rows of outputs, pooled ones where they are pooled.</param>
/// <param name="Columns">Columns of these.</param>
/// <param name="Channels">Input channels; of dx, channels of dy.</param>
/// <param name="Taps">Taps of all these channels.</param>
readonly record struct Slab(Tiles Tile, int Rows, int Columns, int Channels, int Taps)
{
    // 400 lines × 64 bytes = 25 kB, of a first cache of 32 kB.
    const int Lines = 400;

    // 7 outputs of a kernel three wide read 9 columns: a pixel then serves 3 · 7 / 9 = 2.3 taps. 9 are three tiles three wide.
    const int LeastColumns = 7, LeastInThrees = 9;

    // 8192 lines × 64 bytes = 512 kB: beside weights and sums about as much as a second cache of 1 MB holds, which most with 32 registers have.
    const int MostRowLines = 8192;

    /// <summary>For so many columns of sums, two for each output if these are pooled, and taps in rows and columns that many pixels of x apart.</summary>
    /// <remarks>
    /// How many channels, and so the order of a sum, depends on the convolution's own width alone, not on what follows the sums. Only where a pixel is
    /// a vector or several are there several slabs: along a row the last vector overlaps the one before it, so that its sums must not go on from y.
    /// Where a pixel is one vector, 32 registers read x seldom enough to take it from the second cache, if that holds what a row reads.
    /// </remarks>
    public static Slab For(int vector, int lanes, int channels, int columns, Size2d xStep, Size2d taps, Size2d apart, bool pooled = false)
    {
        Tiles tile = new(vector, lanes);
        int most = channels, rows = int.MaxValue, width = int.MaxValue;
        if (lanes > vector || lanes == vector && lanes > 1 && Read(1, columns) * channels > MostRowLines)
        {
            int across = pooled ? 2 : 1;                                       // columns, and rows, of sums in an output
            most = Split(channels, (int)Math.Max(1, Lines / Math.Max(1, Read(1, Fitting(columns, lanes > vector ? LeastColumns : LeastInThrees, 1, channels)))));
            width = Math.Max(1, Split(columns / across, Math.Max(1, Fitting(columns, across, across, most) / across)));
            rows = 1;
            while (most == channels && !pooled && Read(rows + 1, width) * channels is > 0 and <= Lines)        // 0: a phase that no tap reaches
                rows++;
        }
        return new(tile, rows, width, most, Math.Max(1, most * taps.Height * taps.Width));

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
