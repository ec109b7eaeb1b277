using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// A 3×3 convolution with stride 1 over lanes, by <see cref="WinogradTransforms"/>: a few tiles at a time go from x to 36 places, there every channel
/// of y is a sum of products over the channels of x, and back.
/// </summary>
/// <remarks>
/// Between the transforms lie, for a thread, 36 · (channels of x + channels of y) · tiles cache lines, 11 MB for 256 channels to 256: see
/// <see cref="TilesFor"/>. The order of every sum is that of the channels.
/// </remarks>
/// <param name="weights">The form of the weights.</param>
/// <param name="u">The weights, transformed.</param>
/// <param name="x">What is read, with the zeros that the taps of the outputs run into.</param>
/// <param name="before">Where the first output's first tap stands: rows above and columns to the left of x's first pixel.</param>
/// <param name="dilation">Pixels from one tap to the next.</param>
/// <param name="y">What is written.</param>
/// <param name="outputs">Outputs of the convolution, twice as many as y has where it is pooled.</param>
/// <param name="epilogue">What becomes of the sums; its bias is not null here. Pooled with a dilation of 1 only: a tile then holds whole windows.</param>
readonly unsafe struct WinogradConvolution<T>(
    WinogradWeights weights, T* u, LaneTensor<T> x, Size2d before, Size2d dilation, LaneTensor<T> y, Size2d outputs, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs;

    readonly int lanes = x.Lanes;
    readonly WinogradTiles<T> grid = new(x, before, dilation, outputs);

    // Three tiles fill a product's registers. What lies between the transforms, 36 · (16 + 16) · 64 bytes = 72 kB a tile for 16 channels, is to stay in
    // a second cache of 512 kB. Weights of more than 4 MB come from beyond that cache: more tiles then share a reading of them.
    static int TilesFor(WinogradWeights weights) =>
        weights.Length > 1_000_000 ? 9 : Math.Clamp(7000 / (Places * (weights.Inputs + weights.Outputs)) / 3 * 3, 3, 6);

    readonly int most = TilesFor(weights);

    int Pieces => (grid.Count + most - 1) / most;

    /// <summary>Runs it: a few tiles of a group of channels of a block of images at a time.</summary>
    public void RunAll() => Simd.Run(y, y.Blocks * weights.Groups * Pieces, nint.MaxValue, this);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int image, int piece) = Math.DivRem(part, Pieces);
        (int block, int group) = Math.DivRem(image, weights.Groups);
        int all = grid.Count, first = (int)((long)all * piece / Pieces), tiles = (int)((long)all * (piece + 1) / Pieces) - first;
        // Planes lie an odd number of cache lines apart.
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

    /// <summary>Transforms some tiles of all channels of y back. What reaches beyond y, and what is pooled, goes by way of a scratch.</summary>
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

    /// <summary>The maxima of a tile's windows.</summary>
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
