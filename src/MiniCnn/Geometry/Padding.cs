namespace MiniCnn;

/// <summary>
/// Number of pixels added on each of the four sides of an image. An int converts to equal padding on all sides, a tuple to
/// (top and bottom, left and right).
/// </summary>
/// <param name="Top">Rows added above the image.</param>
/// <param name="Left">Columns added to the left of the image.</param>
/// <param name="Bottom">Rows added below the image.</param>
/// <param name="Right">Columns added to the right of the image.</param>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    /// <summary>No padding, PyTorch's padding='valid': the kernel stays inside the image.</summary>
    public static Padding Valid => default;

    /// <summary>
    /// Returns the padding that keeps the size of the image at stride 1, PyTorch's padding='same'. Each axis gets dilation·(kernel − 1) pixels in
    /// total, half of them before and half after the image. If this number is odd, the extra pixel is after the image.
    /// </summary>
    /// <param name="kernelSize">Number of taps on each axis, [kH, kW].</param>
    /// <param name="dilation">Pixels from one tap to the next; the default is 1.</param>
    /// <param name="stride">The stride of the window, to check that it is 1. The default is no check.</param>
    /// <exception cref="ArgumentException">The stride is not 1, a size is below 1, or the kernel spans more pixels than an array can hold.</exception>
    public static Padding Same(Size2d kernelSize, Size2d? dilation = null, Size2d? stride = null)
    {
        if (stride is { } s && s != 1)
            throw new ArgumentException($"'same' padding requires stride 1, not {s}; give the padding as numbers");
        Size2d d = new Window2d(kernelSize, dilation: dilation).Dilation;               // validates the sizes
        int rows = d.Height * (kernelSize.Height - 1), columns = d.Width * (kernelSize.Width - 1);
        return new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
    }

    /// <summary>Whether this padding is at least as large as the other one on every side.</summary>
    internal bool Covers(Padding other) => Top >= other.Top && Left >= other.Left && Bottom >= other.Bottom && Right >= other.Right;

    /// <summary>Returns the larger of the two paddings on each side.</summary>
    internal Padding Or(Padding other) =>
        new(Math.Max(Top, other.Top), Math.Max(Left, other.Left), Math.Max(Bottom, other.Bottom), Math.Max(Right, other.Right));

    /// <summary>Converts a number to equal padding on all four sides.</summary>
    public static implicit operator Padding(int all) => new(all, all, all, all);

    /// <summary>Converts (top and bottom, left and right) to padding, PyTorch's padding=(h, w).</summary>
    public static implicit operator Padding((int Vertical, int Horizontal) both) =>
        new(both.Vertical, both.Horizontal, both.Vertical, both.Horizontal);

    /// <summary>Returns for example “2” if all sides are equal, otherwise “top 1, left 2, bottom 1, right 2”.</summary>
    public override string ToString() =>
        Top == Left && Top == Bottom && Top == Right ? $"{Top}" : $"top {Top}, left {Left}, bottom {Bottom}, right {Right}";
}

/// <summary>The values of the padding pixels, named as PyTorch's padding_mode.</summary>
public enum PaddingMode
{
    /// <summary>Zeros: 0 0 | a b c d | 0 0.</summary>
    Zeros,

    /// <summary>The image mirrored at its edge pixel, which is not repeated: c b | a b c d | c b.</summary>
    Reflect,

    /// <summary>The edge pixel repeated: a a | a b c d | d d. Some lectures call this “interpolation”.</summary>
    Replicate,

    /// <summary>The image repeated periodically: c d | a b c d | a b.</summary>
    Circular,
}
