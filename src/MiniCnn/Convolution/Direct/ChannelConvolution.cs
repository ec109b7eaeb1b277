using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The sums of <see cref="DirectConvolution{T}"/> for images one by one: a vector holds neighbouring channels of y, and pixels of x are the numbers it is
/// multiplied with. No width of an image then leaves a rest of a vector.
/// </summary>
/// <remarks>
/// A tile is some pixels of a row × some vectors of channels. What comes out of a row, [pixel][channel], is what a lane tensor has, channels in the place
/// of images: a pool takes its maxima there, and <see cref="Transpose"/> brings them to y. Rows of the kernel that are not on the image read the margin's zeros.
/// </remarks>
/// <param name="packed">Weights and bias as <see cref="ChannelPanels.Pack"/> lays them out.</param>
/// <param name="panels">How y's channels are cut.</param>
/// <param name="offsets">[taps], numbers from a pixel of x to what the tap reads.</param>
/// <param name="taps">Products in one sum.</param>
/// <param name="x">What is read; wide enough margins around it.</param>
/// <param name="xStep">Pixels of x from one output to the next.</param>
/// <param name="y">What is written.</param>
/// <param name="outputs">How many are written, of each channel.</param>
/// <param name="yStep">Pixels of y from one output to the next.</param>
/// <param name="yFirst">The first output's place in y.</param>
/// <param name="epilogue">What becomes of the sums.</param>
readonly unsafe struct ChannelConvolution<T>(
    T* packed, ChannelPanels panels, nint* offsets, int taps, LaneTensor<T> x, Size2d xStep, LaneTensor<T> y, Size2d outputs,
    Size2d yStep, Size2d yFirst, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Pixels whose sums lie in memory until they are written: 48, which all heights of tiles divide, × 4 vectors × 64 bytes = 12 kB; two rows where they are
    // pooled.
    const int Piece = 48;

    readonly int rows = outputs.Height, columns = outputs.Width, across = epilogue.Pooled ? 2 : 1;

    /// <summary>Runs it: a panel of channels over a few rows of an image at a time.</summary>
    public void RunAll() => Simd.Run(y, y.Count * panels.Count * Bands, (nint)(BandRows * RowProducts / 16), this, panels.Vector);

    // Multiply-adds of a row of outputs, of a panel; a pooled output is four sums.
    long RowProducts => (long)columns * across * across * taps * panels.Width;

    int BandRows => (int)Math.Clamp(DirectConvolution<T>.PartProducts / (RowProducts + 1), 1, rows);

    int Bands => (rows + BandRows - 1) / BandRows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int panel, int band) = Math.DivRem(part, Bands);
        (int image, panel) = Math.DivRem(panel, panels.Count);
        ChannelPanel at = panels.At(panel);
        T* sums = Scratch<T>.Take((2 * across - 1) * Piece * panels.Width), maxima = sums + across * Piece * at.Width, argMax = maxima + Piece / 2 * at.Width;
        for (int row = band * BandRows; row < Math.Min(rows, (band + 1) * BandRows); row++)
            for (int column = 0, count; column < columns; column += count)
            {
                count = Math.Min(Piece / across, columns - column);
                nint pitch = across * count * at.Width;
                for (int i = 0; i < across; i++)
                    Sums<V>(at, image, across * row + i, across * column, across * count, sums + i * pitch);
                if (!epilogue.Pooled)
                {
                    Write(sums, y, image, at, row, column, count);
                    continue;
                }
                MaxOf2x2.Row<T, V>(sums, pitch, at.Width, maxima, epilogue.ArgMax is null ? null : argMax, count);
                Write(maxima, y, image, at, row, column, count);
                if (epilogue.ArgMax is { } which)
                    Write(argMax, which, image, at, row, column, count);
            }
    }

    /// <summary>Sums of some columns of a row of x, [column][channel], the highest tiles first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Sums<V>(ChannelPanel panel, int image, int row, int column, int left, T* to) where V : struct, ILanes<V, T>
    {
        T* start = packed + panel.Place * (taps + 1), from = x.At(image, panel.Group * (x.Shape.Channels / panels.Groups), row * xStep.Height);
        from += column * xStep.Width;
        for (int height, tiles; left > 0; left -= tiles * height, from += tiles * height * xStep.Width, to += tiles * height * panel.Width)
        {
            (height, tiles) = panels.Tile.NextPixels(panel.Width / V.Count, left);
            Tiles.Run<T, V, Strip<V>>(height, panel.Width / V.Count, new(start, offsets, taps, from, xStep.Width, to, epilogue.Relu, tiles));
        }
    }

    /// <summary>Pixels, [column][channel], to some columns of a row of an image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Write(T* pixels, LaneTensor<T> to, int image, ChannelPanel panel, int row, int column, int count)
    {
        T* at = to.At(image, panel.Group * panels.Channels + panel.First, yFirst.Height + row * yStep.Height) + yFirst.Width + column * yStep.Width;
        if (yStep.Width == 1)
        {
            Transpose.ToRows(pixels, panel.Width, at, to.PlanePitch, panel.Live, count);
            return;
        }
        for (int c = 0; c < panel.Live; c++)
            for (int i = 0; i < count; i++)
                at[c * to.PlanePitch + i * yStep.Width] = pixels[i * panel.Width + c];
    }

    /// <summary>Tiles of pixels one after another: what they begin with + Σ x · w, the sums in registers from the first tap to the last.</summary>
    readonly struct Strip<V>(T* start, nint* offsets, int taps, T* from, nint xPixel, T* to, bool relu, int tiles) : ITileWork<T, V>
        where V : struct, ILanes<V, T>
    {
        // Not inlined: of all the tiles there could be, only those that run are compiled.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
        {
            T* x = from, y = to;
            nint pixel = xPixel, width = P.Count * V.Count;
            for (int tile = 0; tile < tiles; tile++, x += S.Count * pixel, y += S.Count * width)
            {
                S sums = default;
                sums.Load(start, 0, V.Count);
                T* w = start + width;
                nint* offset = offsets, end = offset + taps;
                for (; pixel == 1 && offset < end; offset++, w += width)                   // a constant distance is part of the addresses
                    sums.Add<OneForAll<V, T>>(x + *offset, 0, 1, w, V.Count, 0);
                for (; offset < end; offset++, w += width)
                    sums.Add<OneForAll<V, T>>(x + *offset, 0, pixel, w, V.Count, 0);
                if (relu)
                    sums.Clip();
                sums.Store(y, width, V.Count);
            }
        }
    }
}
