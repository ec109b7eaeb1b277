using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Images cut into parts of lines, pixels that follow one another in each of some tensors of one shape: pieces of an image where there are neither margins
/// nor gaps, else planes, of one line or, where there are margins beside them, of a line a row.
/// </summary>
readonly struct Lines<T> where T : unmanaged
{
    const int Piece = 1024;                                                    // pixels: a few kilobytes, and an even number of vectors

    readonly int pixels, lanes, rows;

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
        rows = images || planes ? 1 : shape.Height;
        Length = images ? Math.Min(Piece, pixels) : planes ? shape.Height * shape.Width : shape.Width;
        Count = (pixels + rows * Length - 1) / (rows * Length);
    }

    /// <summary>Parts of a block of images.</summary>
    public int Count { get; }

    /// <summary>Pixels of a line, the last piece of an image perhaps less.</summary>
    public int Length { get; }

    /// <summary>Numbers of a part.</summary>
    public nint Size => (nint)rows * Length * lanes;

    /// <summary>A part, counted over the blocks: its block, its first pixel, its lines, and how many numbers each has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int Block, int First, int Rows, int Numbers) Of(int part)
    {
        (int block, int line) = Math.DivRem(part, Count);
        int first = line * rows * Length;
        return (block, first, rows, Math.Min(Length, pixels - first) * lanes);
    }
}
