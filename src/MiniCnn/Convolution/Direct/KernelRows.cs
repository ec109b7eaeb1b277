namespace MiniCnn;

/// <summary>The rows of a kernel, from top to bottom. Row k reads the image row first + k · step, relative to the position of the output.</summary>
readonly record struct KernelRows(int Count, int First, int Step)
{
    /// <summary>Returns the first kernel row that is on an image of this height, for an output at this row, and one past the last.</summary>
    public (int From, int End) OnImage(int row, int height)
    {
        int from = 0, end = Count;
        while (from < end && row + First + from * Step < 0)
            from++;
        while (end > from && row + First + (end - 1) * Step >= height)
            end--;
        return (from, end);
    }

    /// <summary>
    /// Returns how many consecutive output rows, starting with row, have the same kernel rows on the image. Output rows are step image rows apart.
    /// </summary>
    public int Alike(int row, int end, int step, int height)
    {
        int rows = 1;
        while (row + rows < end && OnImage((row + rows) * step, height) == OnImage(row * step, height))
            rows++;
        return rows;
    }
}
