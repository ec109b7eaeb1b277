using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Images cut into lines, pixels that follow one another in each of some tensors of one shape: pieces of an image where there are neither margins
/// nor gaps, else planes, or rows.
/// </summary>
readonly struct Lines<T> where T : unmanaged
{
    const int Piece = 1024;                                                    // pixels: a few kilobytes, and an even number of vectors

    readonly int pixels, lanes;

    public Lines(params ReadOnlySpan<LaneTensor<T>> tensors) : this(acrossPlanes: true, tensors)
    {
    }

    /// <param name="acrossPlanes">Whether a line may have pixels of several channels.</param>
    /// <param name="tensors">Of one shape.</param>
    public Lines(bool acrossPlanes, params ReadOnlySpan<LaneTensor<T>> tensors)
    {
        ImageShape shape = tensors[0].Shape;
        (pixels, lanes) = ((int)shape.Length, tensors[0].Lanes);
        (bool images, bool planes) = (acrossPlanes, true);
        foreach (LaneTensor<T> tensor in tensors)
            (images, planes) = (images && tensor.IsOneRow, planes && tensor.Margin is { Left: 0, Right: 0 });
        Length = images ? Math.Min(Piece, pixels) : planes ? shape.Height * shape.Width : shape.Width;
        Count = (pixels + Length - 1) / Length;
    }

    /// <summary>Lines of a block of images.</summary>
    public int Count { get; }

    /// <summary>Pixels of a line, the last piece of an image perhaps less.</summary>
    public int Length { get; }

    /// <summary>A line, counted over the blocks: its block, its first pixel, and how many numbers it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int Block, int First, int Numbers) Of(int part)
    {
        (int block, int line) = Math.DivRem(part, Count);
        return (block, line * Length, Math.Min(Length, pixels - line * Length) * lanes);
    }
}
