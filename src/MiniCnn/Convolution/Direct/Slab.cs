namespace MiniCnn;

/// <summary>
/// The part of a convolution that is computed at a time: some rows and columns of outputs over the taps of some input channels. The part of x that it
/// reads stays in the L1 cache, while the weights of all output channels stream from the L2 cache.
/// </summary>
/// <param name="Tile">The register tiles.</param>
/// <param name="Rows">Number of rows of outputs; of pooled outputs, if there is a pool.</param>
/// <param name="Columns">Number of columns of outputs; of pooled outputs, if there is a pool.</param>
/// <param name="Channels">Number of input channels; for dx, of channels of dy.</param>
/// <param name="Taps">Number of taps of all these channels.</param>
readonly record struct Slab(Tiles Tile, int Rows, int Columns, int Channels, int Taps)
{
    // 400 cache lines × 64 bytes = 25 kB of an L1 cache of 32 kB.
    const int Lines = 400;

    // 7 outputs of a kernel of width 3 read 9 columns, so each pixel is used for 3 · 7 / 9 = 2.3 taps. 9 columns are three tiles of width 3.
    const int LeastColumns = 7, LeastInThrees = 9;

    // 8192 cache lines × 64 bytes = 512 kB. With weights and sums, this fits an L2 cache of 1 MB, which most processors with 32 vector registers have.
    const int MostRowLines = 8192;

    /// <summary>
    /// Returns the slab for rows of this number of columns of sums (two columns for each pooled output) and a kernel of taps rows × columns, which are
    /// apart pixels of x apart.
    /// </summary>
    /// <remarks>
    /// The number of channels, and therefore the order of a sum, depends only on the width of the convolution, not on the operations after it. Several
    /// slabs are used only if a pixel fills one vector or more: with vectors along a row, the last one overlaps the one before it, so its sums must not
    /// continue from y. If a pixel fills exactly one vector, 32 registers read x rarely enough to load it from the L2 cache, if the part of x that a row
    /// reads fits there.
    /// </remarks>
    public static Slab For(int vector, int lanes, int channels, int columns, Size2d xStep, Size2d taps, Size2d apart, bool pooled = false)
    {
        Tiles tile = new(vector, lanes);
        int most = channels, rows = int.MaxValue, width = int.MaxValue;
        if (lanes > vector || lanes == vector && lanes > 1 && Read(1, columns) * channels > MostRowLines)
        {
            int across = pooled ? 2 : 1;                                       // columns and rows of sums per output
            most = Split(channels, (int)Math.Max(1, Lines / Math.Max(1, Read(1, Fitting(columns, lanes > vector ? LeastColumns : LeastInThrees, 1, channels)))));
            width = Math.Max(1, Split(columns / across, Math.Max(1, Fitting(columns, across, across, most) / across)));
            rows = 1;
            while (most == channels && !pooled && Read(rows + 1, width) * channels is > 0 and <= Lines)        // 0: no tap reaches the phase
                rows++;
        }
        return new(tile, rows, width, most, Math.Max(1, most * taps.Height * taps.Width));

        // Largest number of columns, not less than least, such that the pixels that these rows of outputs read of these channels fit the L1 cache.
        int Fitting(int columns, int least, int rows, int channels)
        {
            while (columns > least && Read(rows, columns) * channels > Lines)
                columns--;
            return columns;
        }

        // Pixels of one channel that these numbers of rows and columns of outputs read.
        long Read(int rows, int columns) =>
            Math.Min((rows - 1L) * xStep.Height + (taps.Height - 1L) * apart.Height + 1, (long)rows * taps.Height)
            * Math.Min((columns - 1L) * xStep.Width + (taps.Width - 1L) * apart.Width + 1, (long)columns * taps.Width);
    }

    /// <summary>Returns the length of equal pieces that are at most <paramref name="most"/> long.</summary>
    static int Split(int length, int most)
    {
        int pieces = (length + most - 1) / most;
        return (length + pieces - 1) / pieces;
    }
}
