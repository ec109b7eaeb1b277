namespace MiniCnn;

/// <summary>A window that slides over an image: kernel size, stride, padding and dilation on both axes. Immutable.</summary>
public sealed record Window2d
{
    /// <summary>Checks and keeps the numbers; an int stands for both axes.</summary>
    /// <exception cref="ArgumentException">A kernel, stride or dilation below 1, or a negative padding.</exception>
    public Window2d(
        Size2d kernelSize, Size2d? stride = null, Padding padding = default, Size2d? dilation = null, PaddingMode paddingMode = PaddingMode.Zeros)
    {
        (KernelSize, Stride, Padding, Dilation, PaddingMode) = (kernelSize, stride ?? 1, padding, dilation ?? 1, paddingMode);
        AtLeastOne("kernel size", KernelSize);
        AtLeastOne("stride", Stride);
        AtLeastOne("dilation", Dilation);
        if (padding.Top < 0 || padding.Left < 0 || padding.Bottom < 0 || padding.Right < 0)
            throw new ArgumentException($"the padding must be at least 0 on every side, not {padding}");
        if (!Enum.IsDefined(paddingMode))
            throw new ArgumentException($"there is no padding mode {(int)paddingMode}; use one of {string.Join(", ", Enum.GetNames<PaddingMode>())}");
        long rows = (long)Dilation.Height * (KernelSize.Height - 1) + 1, columns = (long)Dilation.Width * (KernelSize.Width - 1) + 1;
        if (rows > Array.MaxLength || columns > Array.MaxLength || rows * columns > Array.MaxLength)
            throw new ArgumentException($"kernel size {KernelSize} with dilation {Dilation} spans {rows}×{columns} pixels, more than an array holds");
    }

    /// <summary>Taps of the kernel, [kH, kW].</summary>
    public Size2d KernelSize { get; }

    /// <summary>Pixels from one output to the next.</summary>
    public Size2d Stride { get; }

    /// <summary>Pixels added around the image.</summary>
    public Padding Padding { get; internal init; }

    /// <summary>Pixels from one tap of the kernel to the next.</summary>
    public Size2d Dilation { get; }

    /// <summary>What stands in the padding.</summary>
    public PaddingMode PaddingMode { get; }

    /// <summary>Whether pixels that the stride would leave over after the last whole window get a window of their own; pools only.</summary>
    internal bool CeilMode { get; init; }

    /// <summary>Taps of the kernel in all, kH·kW.</summary>
    public int Taps => KernelSize.Height * KernelSize.Width;

    /// <summary>The rows of this window over an image of a height.</summary>
    public WindowAxis Rows(int height) =>
        new(height, KernelSize.Height, Stride.Height, Padding.Top, Padding.Bottom, Dilation.Height, PaddingMode, CeilMode);

    /// <summary>The columns of this window over an image of a width.</summary>
    public WindowAxis Columns(int width) =>
        new(width, KernelSize.Width, Stride.Width, Padding.Left, Padding.Right, Dilation.Width, PaddingMode, CeilMode);

    /// <summary>Checks that the window fits an image [height, width] and its padding, and returns the size of what comes out.</summary>
    /// <exception cref="ArgumentException">The kernel spans more than the padded image, or the padding takes more pixels than the image has.</exception>
    public Size2d OutputSize(int height, int width)
    {
        if (height < 1 || width < 1)
            throw new ArgumentException($"the image must have at least 1×1 pixels, not {height}×{width}");

        long paddedHeight = (long)height + Padding.Top + Padding.Bottom, paddedWidth = (long)width + Padding.Left + Padding.Right;
        if (paddedHeight > Array.MaxLength || paddedWidth > Array.MaxLength || paddedHeight * paddedWidth > Array.MaxLength)
            throw new ArgumentException($"the padded image would be {paddedHeight}×{paddedWidth} pixels, more than an array holds");

        WindowAxis rows = Rows(height), columns = Columns(width);
        if (rows.Output == 0 || columns.Output == 0)
        {
            string way = (Dilation.Height > 1 && rows.Span > paddedHeight) || (Dilation.Width > 1 && columns.Span > paddedWidth)
                ? "a smaller dilation" : "a smaller kernel";
            long missing = Math.Max(rows.Span - paddedHeight, columns.Span - paddedWidth);
            long enough = Math.Max(Math.Max(Padding.Top, Padding.Left), Math.Max(Padding.Bottom, Padding.Right)) + (missing + 1) / 2;
            throw new ArgumentException(
                $"the kernel spans {rows.Span}×{columns.Span} but the padded input is {paddedHeight}×{paddedWidth}; use padding ≥ {enough} or {way}");
        }

        // Reflecting takes pixels 1 … pad from an edge, going round takes pad of them; PyTorch refuses more.
        int most = PaddingMode switch { PaddingMode.Reflect => -1, PaddingMode.Circular => 0, _ => int.MaxValue };
        if (most != int.MaxValue
            && (Math.Max(Padding.Top, Padding.Bottom) > height + most || Math.Max(Padding.Left, Padding.Right) > width + most))
        {
            throw new ArgumentException(
                $"{PaddingMode} padding ({Padding}) must be {(most < 0 ? "smaller than" : "at most")} the image, which is {height}×{width}");
        }

        return new(rows.Output, columns.Output);
    }

    /// <summary>PyTorch's rule for pools: with more than half a kernel of padding a window could lie beside the image.</summary>
    internal void RequirePoolPadding()
    {
        if (Math.Max(Padding.Top, Padding.Bottom) > KernelSize.Height / 2 || Math.Max(Padding.Left, Padding.Right) > KernelSize.Width / 2)
            throw new ArgumentException($"a pool's padding must be at most half its kernel, {KernelSize}, not {Padding}");
    }

    /// <summary>“5×5, stride 2, padding 1, dilation 2, Reflect”, leaving out what is as usual; of a pool “3×3, stride 2, ceil mode”.</summary>
    public override string ToString()
    {
        string text = KernelSize.ToString();
        if (Stride != 1)
            text += $", stride {Pair(Stride)}";
        if (Padding != default)
            text += $", padding {Padding}";
        if (Dilation != 1)
            text += $", dilation {Pair(Dilation)}";
        if (CeilMode)
            text += ", ceil mode";
        return PaddingMode == PaddingMode.Zeros ? text : $"{text}, {PaddingMode}";
    }

    static string Pair(Size2d size) => size.Height == size.Width ? $"{size.Height}" : size.ToString();

    static void AtLeastOne(string what, Size2d size)
    {
        if (size.Height < 1 || size.Width < 1)
            throw new ArgumentException($"the {what} must be at least 1 on both axes, not {size}");
    }
}
