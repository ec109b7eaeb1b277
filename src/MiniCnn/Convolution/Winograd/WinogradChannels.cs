using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// <see cref="WinogradConvolution{T}"/> for tensors with one lane, without dilation. A vector holds neighboring channels: of x in the transform to the 36
/// places, of y after that. At each place, the numbers of the tiles, [tile][channel of x], are multiplied by the weights, [channel of x][channel of y].
/// </summary>
/// <param name="weights">Layout of the transformed weights.</param>
/// <param name="u">The transformed weights.</param>
/// <param name="x">Input; its margin is the padding.</param>
/// <param name="before">Position of the first tap of the first output: rows above and columns to the left of the first pixel of x.</param>
/// <param name="y">Output.</param>
/// <param name="outputs">Number of outputs of the convolution on each axis; twice the size of y if pooled.</param>
/// <param name="epilogue">Operations on the finished sums. Its bias must not be null.</param>
readonly unsafe struct WinogradChannels<T>(
    WinogradWeights weights, T* u, LaneTensor<T> x, Size2d before, LaneTensor<T> y, Size2d outputs, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs, Reach = WinogradTransforms.Inputs;

    // Tiles in one part. With one vector of channels, 12 + 4 tiles fill the registers; with four vectors, 4 + 4.
    int Most => yWidth == WinogradWeights.Together ? 16 : 8;

    readonly int tileColumns = TilesOf(1, outputs.Width), tiles = TilesOf(outputs.Height, outputs.Width);

    // Channels of x and of y, rounded up to whole cache lines.
    readonly int xWidth = Lines(weights.Inputs), yWidth = Lines(weights.Outputs);

    /// <summary>Number of tiles of an image with height × width outputs.</summary>
    public static int TilesOf(int height, int width) => (height + Side - 1) / Side * ((width + Side - 1) / Side);

    static int Lines(int channels) => (channels + WinogradWeights.Together - 1) / WinogradWeights.Together * WinogradWeights.Together;

    int Pieces => (tiles + Most - 1) / Most;

    /// <summary>Runs all parts. A part is a few tiles of one group of channels of one image.</summary>
    public void RunAll() => Simd.Run(y, y.Count * weights.Groups * Pieces, nint.MaxValue, this, WinogradWeights.Together);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int image, int piece) = Math.DivRem(part, Pieces);
        (image, int group) = Math.DivRem(image, weights.Groups);
        int first = tiles * piece / Pieces, count = tiles * (piece + 1) / Pieces - first;
        // Planes are an odd number of cache lines apart, so that they use different sets of the cache. Scratch memory for the pixels of a row of 8 tiles:
        // 6 × (4 · 8 + 2) of x, or 4 × 4 · 8 of y and as many for its maxima.
        nint xPlane = (nint)count * xWidth | WinogradWeights.Together, yPlane = (nint)count * yWidth | WinogradWeights.Together;
        int pixels = Math.Max(Reach * (Side * Most + Reach - Side) * xWidth, 2 * Side * Side * Most * yWidth);
        T* from = Scratch<T>.Take((int)(Places * (xPlane + yPlane)) + yWidth + pixels), to = from + Places * xPlane, bias = to + Places * yPlane, row = bias + yWidth;
        new Span<T>(epilogue.Bias + group * weights.Outputs, weights.Outputs).CopyTo(new(bias, yWidth));
        for (int tile = 0, many; tile < count; tile += many)
            Input<V>(image, group, first + tile, many = InRow(first + tile, count - tile), row, from + tile * xWidth, xPlane);
        for (int place = 0; place < Places; place++)
        {
            T* w = u + place * weights.Place + (nint)group * weights.Inputs * weights.Pitch;
            new Product<T, V>(new(from + place * xPlane, xWidth, 1), new(w, weights.Pitch, V.Count), new(to + place * yPlane, yWidth, V.Count))
                .Set(count, weights.Inputs, yWidth / V.Count);
        }
        for (int tile = 0, many; tile < count; tile += many)
            Output<V>(image, group, first + tile, many = InRow(first + tile, count - tile), to + tile * yWidth, yPlane, bias, row);
    }

    /// <summary>Number of tiles from this one to the end of its row, at most <paramref name="most"/>.</summary>
    int InRow(int tile, int most) => Math.Min(tileColumns - tile % tileColumns, most);

    /// <summary>Transforms neighboring tiles of x. Pixels beyond the margin of x are zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Input<V>(int image, int group, int tile, int many, T* pixels, T* to, nint plane) where V : struct, ILanes<V, T>
    {
        int row = tile / tileColumns * Side - before.Height, column = tile % tileColumns * Side - before.Width, wide = Side * many + Reach - Side;
        int rows = Math.Min(Reach, x.Shape.Height + x.Margin.Bottom - row), columns = Math.Min(wide, x.Shape.Width + x.Margin.Right - column);
        if (rows < Reach || columns < wide)
            new Span<T>(pixels, Reach * wide * xWidth).Clear();
        for (int i = 0; i < rows; i++)
            Transpose.ToPixels(
                x.At(image, group * weights.Inputs, row + i) + column, x.PlanePitch, pixels + i * wide * xWidth, xWidth, weights.Inputs, columns);
        for (int i = 0; i < many; i++)
            for (int c = 0; c < xWidth; c += V.Count)
                WinogradTransforms.Input<T, V>(pixels + i * Side * xWidth + c, wide * xWidth, xWidth, to + i * xWidth + c, plane);
    }

    /// <summary>Transforms the sums of neighboring tiles and writes them to y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Output<V>(int image, int group, int tile, int many, T* from, nint plane, T* bias, T* pixels) where V : struct, ILanes<V, T>
    {
        int row = tile / tileColumns * Side, column = tile % tileColumns * Side, pitch = many * Side * yWidth;
        int rows = Math.Min(Side, outputs.Height - row), columns = Math.Min(Side * many, outputs.Width - column);
        for (int i = 0; i < many; i++)
            for (int c = 0; c < yWidth; c += V.Count)
                WinogradTransforms.Output<T, V>(
                    from + i * yWidth + c, plane, V.Load(bias + c), epilogue.Relu, pixels + i * Side * yWidth + c, pitch, yWidth);
        if (!epilogue.Pooled)
        {
            for (int i = 0; i < rows; i++)
                Write(pixels + i * pitch, y, image, group, row + i, column, columns);
            return;
        }
        T* maxima = pixels + Side * pitch, argMax = maxima + Side * pitch / 4;
        for (int i = 0; i < rows / 2; i++)
        {
            MaxOf2x2.Row<T, V>(pixels + 2 * i * pitch, pitch, yWidth, maxima, epilogue.ArgMax is null ? null : argMax, columns / 2);
            Write(maxima, y, image, group, row / 2 + i, column / 2, columns / 2);
            if (epilogue.ArgMax is { } which)
                Write(argMax, which, image, group, row / 2 + i, column / 2, columns / 2);
        }
    }

    /// <summary>Writes pixels, [column][channel], to some columns of one row of an image.</summary>
    void Write(T* pixels, LaneTensor<T> to, int image, int group, int row, int column, int count) =>
        Transpose.ToRows(pixels, yWidth, to.At(image, group * weights.Outputs, row) + column, to.PlanePitch, weights.Outputs, count);
}
