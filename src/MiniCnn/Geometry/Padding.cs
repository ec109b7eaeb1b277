namespace MiniCnn;

/// <summary>Pixels added on the four sides of an image. An int stands for all sides, a tuple for (top and bottom, left and right).</summary>
/// <param name="Top">Rows above.</param>
/// <param name="Left">Columns to the left.</param>
/// <param name="Bottom">Rows below.</param>
/// <param name="Right">Columns to the right.</param>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    /// <summary>No padding, PyTorch's 'valid': the kernel stays inside the image.</summary>
    public static Padding Valid => default;

    /// <summary>
    /// The padding that keeps the image's size at stride 1, PyTorch's 'same': dilation·(kernel − 1) in all on each axis,
    /// half of it before and half after, the odd pixel after.
    /// </summary>
    /// <param name="kernelSize">Taps on each axis.</param>
    /// <param name="dilation">Pixels from one tap to the next; 1 if not given.</param>
    /// <param name="stride">The stride it is meant for; with another than 1 there is no 'same'. A padding does not know the stride it is used with.</param>
    /// <exception cref="ArgumentException">A stride other than 1, a size below 1, or one that makes a padding no array could hold.</exception>
    public static Padding Same(Size2d kernelSize, Size2d? dilation = null, Size2d? stride = null)
    {
        if (stride is { } s && s != 1)
            throw new ArgumentException($"'same' padding is for stride 1, not {s}; give the padding in numbers");
        Size2d d = new Window2d(kernelSize, dilation: dilation).Dilation;               // checked
        int rows = d.Height * (kernelSize.Height - 1), columns = d.Width * (kernelSize.Width - 1);
        return new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
    }

    /// <summary>Whether this is at least another one on every side.</summary>
    internal bool Covers(Padding other) => Top >= other.Top && Left >= other.Left && Bottom >= other.Bottom && Right >= other.Right;

    /// <summary>The larger of both on every side.</summary>
    internal Padding Or(Padding other) =>
        new(Math.Max(Top, other.Top), Math.Max(Left, other.Left), Math.Max(Bottom, other.Bottom), Math.Max(Right, other.Right));

    /// <summary>The same number on all four sides.</summary>
    public static implicit operator Padding(int all) => new(all, all, all, all);

    /// <summary>(top and bottom, left and right), PyTorch's padding=(h, w).</summary>
    public static implicit operator Padding((int Vertical, int Horizontal) both) =>
        new(both.Vertical, both.Horizontal, both.Vertical, both.Horizontal);

    /// <summary>“2” when all sides are equal, else “top 1, left 2, bottom 1, right 2”.</summary>
    public override string ToString() =>
        Top == Left && Top == Bottom && Top == Right ? $"{Top}" : $"top {Top}, left {Left}, bottom {Bottom}, right {Right}";
}

/// <summary>What stands in the padding, as PyTorch's padding_mode names it.</summary>
public enum PaddingMode
{
    /// <summary>0 0 | a b c d | 0 0.</summary>
    Zeros,

    /// <summary>c b | a b c d | c b: mirrored at the edge pixel, which is not repeated.</summary>
    Reflect,

    /// <summary>a a | a b c d | d d: the edge pixel goes on (the “interpolation” of some lectures).</summary>
    Replicate,

    /// <summary>c d | a b c d | a b: the image goes round.</summary>
    Circular,
}
