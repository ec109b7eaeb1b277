using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Divides images into parts, and parts into lines. The pixels of a line are contiguous in each of several tensors of one shape. Without margins and
/// gaps, a part is one line, a piece of an image. Otherwise, a part is a plane: one line, or one line for each row if there are margins on the left or right.
/// </summary>
readonly struct Lines<T> where T : unmanaged
{
    const int Piece = 1024;                                                    // pixels: a few kilobytes, and a multiple of all vector lengths

    readonly int pixels, lanes, rows;

    public Lines(params ReadOnlySpan<LaneTensor<T>> tensors) : this(acrossPlanes: true, tensors)
    {
    }

    /// <param name="acrossPlanes">Whether a line may contain pixels of several channels.</param>
    /// <param name="tensors">Tensors of one shape.</param>
    public Lines(bool acrossPlanes, params ReadOnlySpan<LaneTensor<T>> tensors)
    {
        ImageShape shape = tensors[0].Shape;
        (pixels, lanes) = ((int)shape.Length, tensors[0].Lanes);
        (bool images, bool planes) = (acrossPlanes, true);
        foreach (LaneTensor<T> tensor in tensors)
            (images, planes) = (images && tensor.IsOneRow, planes && tensor.Margin is { Left: 0, Right: 0 });
        rows = images || planes ? 1 : shape.Height;
        Length = images ? Math.Min(Piece, pixels) : planes ? shape.Height * shape.Width : shape.Width;
        Count = (pixels + rows * Length - 1) / (rows * Length);
    }

    /// <summary>Number of parts of a block of images.</summary>
    public int Count { get; }

    /// <summary>Number of pixels of a line. The last piece of an image may be shorter.</summary>
    public int Length { get; }

    /// <summary>Number of elements of a part.</summary>
    public nint Size => (nint)rows * Length * lanes;

    /// <summary>Returns a part by its index over all blocks: its block, its first pixel, its number of lines, and the number of elements of a line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int Block, int First, int Rows, int Numbers) Of(int part)
    {
        (int block, int line) = Math.DivRem(part, Count);
        int first = line * rows * Length;
        return (block, first, rows, Math.Min(Length, pixels - first) * lanes);
    }
}
