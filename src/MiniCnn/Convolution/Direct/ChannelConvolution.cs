using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The sums of <see cref="DirectConvolution{T}"/> for tensors with one lane. A vector holds neighboring channels of y and is multiplied by single pixels
/// of x, so all vectors of a row are full for every width of the image.
/// </summary>
/// <remarks>
/// A tile is some pixels of a row × some vectors of channels. The result of a row, [pixel][channel], has the layout of a lane tensor, with channels in
/// place of images. The pool computes its maxima in this layout, and <see cref="Transpose"/> writes them to y. Kernel rows outside the image read the
/// zeros of the margin.
/// </remarks>
/// <param name="packed">Weights and bias, packed by <see cref="ChannelPanels.Pack"/>.</param>
/// <param name="panels">Panels of the channels of y.</param>
/// <param name="offsets">[taps], distance in elements from a pixel of x to the element that the tap reads.</param>
/// <param name="taps">Number of products in one sum.</param>
/// <param name="x">Input, with margins that are wide enough for all taps.</param>
/// <param name="xStep">Pixels of x from one output to the next.</param>
/// <param name="y">Output.</param>
/// <param name="outputs">Number of outputs of each channel, [rows, columns].</param>
/// <param name="yStep">Pixels of y from one output to the next.</param>
/// <param name="yFirst">Position of the first output in y.</param>
/// <param name="epilogue">Operations on the finished sums.</param>
readonly unsafe struct ChannelConvolution<T>(
    T* packed, ChannelPanels panels, nint* offsets, int taps, LaneTensor<T> x, Size2d xStep, LaneTensor<T> y, Size2d outputs,
    Size2d yStep, Size2d yFirst, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Pixels with sums in scratch memory at a time. 48 is a multiple of all tile heights, and 48 × 4 vectors × 64 bytes = 12 kB; two rows if pooled.
    const int Piece = 48;

    readonly int rows = outputs.Height, columns = outputs.Width, across = epilogue.Pooled ? 2 : 1;

    /// <summary>Runs all parts. A part is one panel of channels over a few rows of one image.</summary>
    public void RunAll() => Simd.Run(y, y.Count * panels.Count * Bands, (nint)(BandRows * RowProducts / 16), this, panels.Vector);

    // Multiply-adds of one panel for one row of outputs. A pooled output needs four sums.
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

    /// <summary>Computes the sums of some columns of one row to [column][channel], the highest tiles first.</summary>
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

    /// <summary>Writes pixels, [column][channel], to some columns of one row of an image.</summary>
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

    /// <summary>Consecutive tiles of pixels: y = bias + Σ x · w. The sums stay in registers from the first tap to the last.</summary>
    readonly struct Strip<V>(T* start, nint* offsets, int taps, T* from, nint xPixel, T* to, bool relu, int tiles) : ITileWork<T, V>
        where V : struct, ILanes<V, T>
    {
        // Not inlined, so that the JIT compiles only the tile sizes that run.
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
                for (; pixel == 1 && offset < end; offset++, w += width)                   // a constant step is part of the address
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
