using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The 4×4 tiles of a 3×3 convolution's outputs, and the 6×6 pixels of x that each of them reads. Taps that are d pixels apart see d² images of every
/// dth pixel, each of which has tiles of its own.
/// </summary>
/// <param name="x">What is read, with the zeros that the taps of the outputs run into.</param>
/// <param name="before">Where the first output's first tap stands: rows above and columns to the left of x's first pixel.</param>
/// <param name="dilation">Pixels from one tap to the next, and so from one output of a tile to the next.</param>
/// <param name="outputs">Outputs in all.</param>
readonly unsafe struct WinogradTiles<T>(LaneTensor<T> x, Size2d before, Size2d dilation, Size2d outputs) where T : unmanaged, IFloatingPointIeee754<T>
{
    const int Places = WinogradTransforms.Places, Side = WinogradTransforms.Outputs, Reach = WinogradTransforms.Inputs;

    readonly int lanes = x.Lanes, tileRows = TilesOf(outputs.Height, dilation.Height), tileColumns = TilesOf(outputs.Width, dilation.Width);

    /// <summary>Tiles of an image.</summary>
    public int Count => tileRows * tileColumns;

    // Of an axis: as many for every image of dth pixels.
    static int TilesOf(int outputs, int dilation) => ((outputs + dilation - 1) / dilation + Side - 1) / Side * dilation;

    /// <summary>The first output of a tile.</summary>
    public (int Row, int Column) First(int tile)
    {
        (int row, int column) = Math.DivRem(tile, tileColumns);
        (row, int down) = Math.DivRem(row, dilation.Height);
        (column, int right) = Math.DivRem(column, dilation.Width);
        return (row * Side * dilation.Height + down, column * Side * dilation.Width + right);
    }

    /// <summary>Outputs of the tile that begins there: 4×4, or what is left of them.</summary>
    public (int Rows, int Columns) OutputsFrom(int row, int column) =>
        (Math.Min(Side, Steps(outputs.Height - row, dilation.Height)), Math.Min(Side, Steps(outputs.Width - column, dilation.Width)));

    /// <summary>
    /// Transforms some tiles of some channels of x, to [place][channel][tile][lanes], places a plane apart. Tiles that reach beyond x's zeros are copied
    /// to 36 pixels of scratch first, into zeros.
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

    /// <summary>Copies so many rows and columns of pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<V>(T* from, nint row, nint column, T* to, nint toRow, nint toColumn, int rows, int columns) where V : struct, ILanes<V, T>
    {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                V.Load(from + i * row + j * column).Store(to + i * toRow + j * toColumn);
    }

    /// <summary>Pixels a distance apart in so many that are left, the first one counted; 0 if none is left.</summary>
    static int Steps(int left, int apart) => Math.Max(0, (left + apart - 1) / apart);
}
