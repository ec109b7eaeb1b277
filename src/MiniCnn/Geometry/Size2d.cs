namespace MiniCnn;

/// <summary>Two numbers for the two axes of an image, height first. An int stands for both, a tuple for (height, width).</summary>
/// <param name="Height">The number along the rows' axis (downwards).</param>
/// <param name="Width">The number along the columns' axis (to the right).</param>
public readonly record struct Size2d(int Height, int Width)
{
    /// <summary>The same number on both axes.</summary>
    public static implicit operator Size2d(int both) => new(both, both);

    /// <summary>(height, width), as PyTorch orders them.</summary>
    public static implicit operator Size2d((int Height, int Width) size) => new(size.Height, size.Width);

    /// <summary>“3×5”.</summary>
    public override string ToString() => $"{Height}×{Width}";
}
