namespace MiniCnn;

/// <summary>Two numbers for the two axes of an image, height first. An int converts to equal numbers, a tuple to (height, width).</summary>
/// <param name="Height">Number for the vertical axis (downwards).</param>
/// <param name="Width">Number for the horizontal axis (to the right).</param>
public readonly record struct Size2d(int Height, int Width)
{
    /// <summary>Converts a number to the same number on both axes.</summary>
    public static implicit operator Size2d(int both) => new(both, both);

    /// <summary>Converts (height, width), in PyTorch's order.</summary>
    public static implicit operator Size2d((int Height, int Width) size) => new(size.Height, size.Width);

    /// <summary>Returns height×width, for example “3×5”.</summary>
    public override string ToString() => $"{Height}×{Width}";
}
