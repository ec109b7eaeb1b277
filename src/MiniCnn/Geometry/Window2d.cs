namespace MiniCnn;

/// <summary>A window that slides over an image: kernel size, stride, padding and dilation on both axes. Immutable.</summary>
public sealed record Window2d
{
    /// <summary>Creates a window and validates its sizes. An int stands for both axes, a tuple for (height, width).</summary>
    /// <param name="kernelSize">Number of taps on each axis, [kH, kW].</param>
    /// <param name="stride">Pixels from one output to the next; the default is 1.</param>
    /// <param name="padding">Pixels added around the image; the default is none.</param>
    /// <param name="dilation">Pixels from one tap to the next; the default is 1.</param>
    /// <param name="paddingMode">Values of the padding pixels; the default is zeros.</param>
    /// <exception cref="ArgumentException">
    /// A kernel size, stride or dilation is below 1, the padding is negative, the padding mode is not defined, or the kernel spans more pixels than an
    /// array can hold.
    /// </exception>
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

    /// <summary>Number of taps on each axis, [kH, kW].</summary>
    public Size2d KernelSize { get; }

    /// <summary>Pixels from one output to the next.</summary>
    public Size2d Stride { get; }

    /// <summary>Pixels added around the image.</summary>
    public Padding Padding { get; internal init; }

    /// <summary>Pixels from one tap of the kernel to the next.</summary>
    public Size2d Dilation { get; }

    /// <summary>Values of the padding pixels.</summary>
    public PaddingMode PaddingMode { get; }

    /// <summary>Whether the number of outputs is rounded up, so that the last window may extend beyond the padded image. Only pools set it.</summary>
    internal bool CeilMode { get; init; }

    /// <summary>Number of taps of the kernel, kH·kW.</summary>
    public int Taps => KernelSize.Height * KernelSize.Width;

    /// <summary>Returns the vertical axis of this window over an image.</summary>
    /// <param name="height">Height of the image in pixels.</param>
    public WindowAxis Rows(int height) =>
        new(height, KernelSize.Height, Stride.Height, Padding.Top, Padding.Bottom, Dilation.Height, PaddingMode, CeilMode);

    /// <summary>Returns the horizontal axis of this window over an image.</summary>
    /// <param name="width">Width of the image in pixels.</param>
    public WindowAxis Columns(int width) =>
        new(width, KernelSize.Width, Stride.Width, Padding.Left, Padding.Right, Dilation.Width, PaddingMode, CeilMode);

    /// <summary>Checks that the window fits a padded image, and returns the size of the output.</summary>
    /// <param name="height">Height of the image in pixels, without padding.</param>
    /// <param name="width">Width of the image in pixels, without padding.</param>
    /// <returns>The output size, [OH, OW].</returns>
    /// <exception cref="ArgumentException">
    /// The image is empty, the kernel is larger than the padded image, the padded image is larger than an array can be, or reflect or circular padding
    /// needs more pixels than the image has.
    /// </exception>
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

        // Reflect padding copies pixels 1 … pad counted from the edge, circular padding copies pad pixels. PyTorch rejects larger padding.
        int most = PaddingMode switch { PaddingMode.Reflect => -1, PaddingMode.Circular => 0, _ => int.MaxValue };
        if (most != int.MaxValue
            && (Math.Max(Padding.Top, Padding.Bottom) > height + most || Math.Max(Padding.Left, Padding.Right) > width + most))
        {
            throw new ArgumentException(
                $"{PaddingMode} padding ({Padding}) must be {(most < 0 ? "smaller than" : "at most")} the image, which is {height}×{width}");
        }

        return new(rows.Output, columns.Output);
    }

    /// <summary>Checks PyTorch's rule for pools, padding ≤ kernel / 2. With more padding, a window could contain no pixel of the image.</summary>
    internal void RequirePoolPadding()
    {
        if (Math.Max(Padding.Top, Padding.Bottom) > KernelSize.Height / 2 || Math.Max(Padding.Left, Padding.Right) > KernelSize.Width / 2)
            throw new ArgumentException($"the padding of a pool must be at most half of its kernel size, {KernelSize}, not {Padding}");
    }

    /// <summary>Returns for example “5×5, stride 2, padding 1, dilation 2, Reflect”, or “3×3, stride 2, ceil mode”. Default values are omitted.</summary>
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
