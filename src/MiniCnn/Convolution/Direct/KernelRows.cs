namespace MiniCnn;

/// <summary>The rows of a kernel, from the top of the image down: row k reads the image's row first + k · step, counted from where an output stands.</summary>
readonly record struct KernelRows(int Count, int First, int Step)
{
    /// <summary>The first of them that lies on an image of so many rows for an output that stands at a row, and one more than the last.</summary>
    public (int From, int End) OnImage(int row, int height)
    {
        int from = 0, end = Count;
        while (from < end && row + First + from * Step < 0)
            from++;
        while (end > from && row + First + (end - 1) * Step >= height)
            end--;
        return (from, end);
    }

    /// <summary>How many rows of outputs from one on, each so many rows of the image below the one before, have the same rows of the kernel on the image.</summary>
    public int Alike(int row, int end, int step, int height)
    {
        int rows = 1;
        while (row + rows < end && OnImage((row + rows) * step, height) == OnImage(row * step, height))
            rows++;
        return rows;
    }
}
