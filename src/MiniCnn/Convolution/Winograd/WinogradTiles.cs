using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The 4×4 tiles of the outputs of a 3×3 convolution, and the 6×6 pixels of x that each tile reads. With a dilation of d, the image consists of d²
/// subsampled images of every d-th pixel, and each of these has its own tiles.
/// </summary>
/// <param name="x">Input, with a margin of all zeros that the taps of the outputs read.</param>
/// <param name="before">Position of the first tap of the first output: rows above and columns to the left of the first pixel of x.</param>
/// <param name="dilation">Pixels from one tap to the next, and therefore from one output of a tile to the next.</param>
/// <param name="outputs">Number of outputs on each axis.</param>
readonly unsafe struct WinogradTiles<T>(LaneTensor<T> x, Size2d before, Size2d dilation, Size2d outputs) where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs, Reach = WinogradTransforms.Inputs;

    readonly int lanes = x.Lanes, tileRows = TilesOf(outputs.Height, dilation.Height), tileColumns = TilesOf(outputs.Width, dilation.Width);

    /// <summary>Number of tiles of an image.</summary>
    public int Count => tileRows * tileColumns;

    // Number of tiles on one axis; each subsampled image has the same number.
    static int TilesOf(int outputs, int dilation) => ((outputs + dilation - 1) / dilation + Side - 1) / Side * dilation;

    /// <summary>Returns the position of the first output of a tile.</summary>
    public (int Row, int Column) First(int tile)
    {
        (int row, int column) = Math.DivRem(tile, tileColumns);
        (row, int down) = Math.DivRem(row, dilation.Height);
        (column, int right) = Math.DivRem(column, dilation.Width);
        return (row * Side * dilation.Height + down, column * Side * dilation.Width + right);
    }

    /// <summary>Returns the number of outputs of the tile that starts at this position: 4×4, or fewer at the edge.</summary>
    public (int Rows, int Columns) OutputsFrom(int row, int column) =>
        (Math.Min(Side, Steps(outputs.Height - row, dilation.Height)), Math.Min(Side, Steps(outputs.Width - column, dilation.Width)));

    /// <summary>
    /// Transforms some tiles of some channels of x to [place][channel][tile][lane]; places are plane elements apart. A tile that extends beyond the margin of
    /// x is first copied to 36 pixels of scratch memory, with zeros for the missing pixels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Input<V>(int block, int firstChannel, int channels, int first, int tiles, T* to, nint plane, T* edge) where V : struct, ILanes<V, T>
    {
        nint rowStep = dilation.Height * x.RowPitch, columnStep = dilation.Width * lanes;
        for (int tile = 0; tile < tiles; tile++)
        {
            (int row, int column) = First(first + tile);
            (row, column) = (row - before.Height, column - before.Width);
            int rows = Math.Min(Reach, Steps(x.Shape.Height + x.Margin.Bottom - row, dilation.Height));
            int columns = Math.Min(Reach, Steps(x.Shape.Width + x.Margin.Right - column, dilation.Width));
            bool whole = rows == Reach && columns == Reach;
            if (!whole)
                new Span<T>(edge, Places * lanes).Clear();
            for (int channel = 0; channel < channels; channel++)
            {
                T* pixels = x.At(block, firstChannel + channel, row) + column * lanes, target = to + (channel * tiles + tile) * lanes;
                for (int lane = 0; lane < lanes; lane += V.Count)
                {
                    if (!whole)
                        Copy<V>(pixels + lane, rowStep, columnStep, edge + lane, Reach * lanes, lanes, rows, columns);
                    T* from = whole ? pixels + lane : edge + lane;
                    WinogradTransforms.Input<T, V>(from, whole ? rowStep : Reach * lanes, whole ? columnStep : lanes, target + lane, plane);
                }
            }
        }
    }

    /// <summary>Copies rows × columns pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<V>(T* from, nint row, nint column, T* to, nint toRow, nint toColumn, int rows, int columns) where V : struct, ILanes<V, T>
    {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                V.Load(from + i * row + j * column).Store(to + i * toRow + j * toColumn);
    }

    /// <summary>Number of pixels that are <paramref name="apart"/> apart, from the first of the remaining ones: ⌈left / apart⌉, at least 0.</summary>
    static int Steps(int left, int apart) => Math.Max(0, (left + apart - 1) / apart);
}
