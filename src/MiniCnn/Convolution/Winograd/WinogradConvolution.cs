using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// A 3×3 convolution with stride 1 and several lanes, by <see cref="WinogradTransforms"/>. A few tiles at a time are transformed from x to 36 places. At
/// each place, every channel of y is a sum of products over the channels of x. The sums are transformed to y.
/// </summary>
/// <remarks>
/// Between the transforms, a thread stores 36 · (channels of x + channels of y) · tiles cache lines, 11 MB for 256 and 256 channels, see
/// <see cref="TilesFor"/>. Every sum adds the channels in order.
/// </remarks>
/// <param name="weights">Layout of the transformed weights.</param>
/// <param name="u">The transformed weights.</param>
/// <param name="x">Input, with a margin of all zeros that the taps of the outputs read.</param>
/// <param name="before">Position of the first tap of the first output: rows above and columns to the left of the first pixel of x.</param>
/// <param name="dilation">Pixels from one tap to the next.</param>
/// <param name="y">Output.</param>
/// <param name="outputs">Number of outputs of the convolution on each axis; twice the size of y if pooled.</param>
/// <param name="epilogue">
/// Operations on the finished sums. Its bias must not be null. A pool requires a dilation of 1, because a tile then contains whole windows.
/// </param>
readonly unsafe struct WinogradConvolution<T>(
    WinogradWeights weights, T* u, LaneTensor<T> x, Size2d before, Size2d dilation, LaneTensor<T> y, Size2d outputs, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs;

    readonly int lanes = x.Lanes;
    readonly WinogradTiles<T> grid = new(x, before, dilation, outputs);

    // Three tiles fill the registers of a product. The data between the transforms, 36 · (16 + 16) · 64 bytes = 72 kB per tile for 16 channels, should
    // stay in an L2 cache of 512 kB. Weights of more than 4 MB do not fit that cache; more tiles then share each load of a weight.
    static int TilesFor(WinogradWeights weights) =>
        weights.Length > 1_000_000 ? 9 : Math.Clamp(7000 / (Places * (weights.Inputs + weights.Outputs)) / 3 * 3, 3, 6);

    readonly int most = TilesFor(weights);

    int Pieces => (grid.Count + most - 1) / most;

    /// <summary>Runs all parts. A part is a few tiles of one group of channels of one block of images.</summary>
    public void RunAll() => Simd.Run(y, y.Blocks * weights.Groups * Pieces, nint.MaxValue, this);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int image, int piece) = Math.DivRem(part, Pieces);
        (int block, int group) = Math.DivRem(image, weights.Groups);
        int all = grid.Count, first = (int)((long)all * piece / Pieces), tiles = (int)((long)all * (piece + 1) / Pieces) - first;
        // Planes are an odd number of cache lines apart, so that they use different sets of the cache.
        nint xPlane = (weights.Inputs * tiles | 1) * (nint)lanes, yPlane = (weights.Outputs * tiles | 1) * (nint)lanes;
        T* from = Scratch<T>.Take((int)(Places * (xPlane + yPlane + lanes))), to = from + Places * xPlane, edge = to + Places * yPlane;
        grid.Input<V>(block, group * weights.Inputs, weights.Inputs, first, tiles, from, xPlane, edge);
        nint row = tiles * lanes;
        for (int place = 0; place < Places; place++)
        {
            T* w = u + place * weights.Place + (nint)group * weights.Inputs * weights.Pitch;
            new Product<T, V>(new(w, 1, weights.Pitch), new(from + place * xPlane, row, V.Count), new(to + place * yPlane, row, V.Count))
                .Set(weights.Outputs, weights.Inputs, tiles * lanes / V.Count);
        }
        Output<V>(block, group, first, tiles, to, yPlane, edge);
    }

    /// <summary>Transforms the sums of some tiles of all channels to y. Tiles that extend beyond y and pooled tiles go through scratch memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Output<V>(int block, int group, int first, int tiles, T* from, nint plane, T* edge) where V : struct, ILanes<V, T>
    {
        nint rowStep = dilation.Height * y.RowPitch, columnStep = dilation.Width * lanes;
        for (int tile = 0; tile < tiles; tile++)
        {
            (int row, int column) = grid.First(first + tile);
            (int rows, int columns) = grid.OutputsFrom(row, column);
            bool whole = rows == Side && columns == Side && !epilogue.Pooled;
            for (int channel = 0; channel < weights.Outputs; channel++)
            {
                int all = group * weights.Outputs + channel;
                T* m = from + (channel * tiles + tile) * lanes, pixels = epilogue.Pooled ? null : y.At(block, all, row) + column * lanes;
                for (int lane = 0; lane < lanes; lane += V.Count)
                {
                    T* target = whole ? pixels + lane : edge + lane;
                    WinogradTransforms.Output<T, V>(
                        m + lane, plane, V.Broadcast(epilogue.Bias[all]), epilogue.Relu, target, whole ? rowStep : Side * lanes, whole ? columnStep : lanes);
                    if (!whole && !epilogue.Pooled)
                        WinogradTiles<T>.Copy<V>(target, Side * lanes, lanes, pixels + lane, rowStep, columnStep, rows, columns);
                }
                if (epilogue.Pooled)
                    Pool<V>(block, all, row / 2, column / 2, rows / 2, columns / 2, edge);
            }
        }
    }

    /// <summary>Writes the maxima of the windows of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Pool<V>(int block, int channel, int row, int column, int rows, int columns, T* tile) where V : struct, ILanes<V, T>
    {
        for (int i = 0; i < rows; i++)
        {
            nint at = column * lanes;
            MaxOf2x2.Row<T, V>(
                tile + 2 * i * Side * lanes, Side * lanes, lanes, y.At(block, channel, row + i) + at,
                epilogue.ArgMax is null ? null : epilogue.ArgMax.At(block, channel, row + i) + at, columns);
        }
    }
}
