using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// What forward and backward-input come down to: y[c, pixel] = b[c] + Σ w[t, c] · x[pixel + offset[t]], the sum over the taps t.
/// </summary>
/// <remarks>
/// A tap is one input channel at one place of the kernel, so stride, padding, dilation and flipping are in the offsets alone. A tile keeps some
/// channels of some pixels in registers over the whole sum. Every output has its sum in the order of the taps, whatever the tile.
/// With one lane a vector holds neighbouring pixels of a row; the row's last vector overlaps the one before it, so the row is at least a vector long.
/// </remarks>
/// <param name="w">Weights as <see cref="Pack"/> lays them out.</param>
/// <param name="offsets">[taps], numbers from a pixel of x to what the tap reads, one row of the kernel after another.</param>
/// <param name="taps">Products in one sum.</param>
/// <param name="kernel">Which rows of x the kernel's rows read: those that are not on the image are left out.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="x">What is read; wide enough margins around it.</param>
/// <param name="xStep">Pixels of x from one output to the next; across 1 where vectors lie along a row.</param>
/// <param name="y">What is written.</param>
/// <param name="outputs">How many are written, of each channel.</param>
/// <param name="yStep">Pixels of y from one output to the next; across 1 where vectors lie along a row.</param>
/// <param name="yFirst">The first output's place in y.</param>
/// <param name="epilogue">What becomes of the sums; its bias, not null here, is what they begin with.</param>
readonly unsafe struct DirectConvolution<T>(
    T* w, nint* offsets, int taps, KernelRows kernel, int groups, LaneTensor<T> x, Size2d xStep, LaneTensor<T> y, Size2d outputs,
    Size2d yStep, Size2d yFirst, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Between convolution and pool, of one channel: 8 channels × 64 vectors × 64 bytes = 32 kB, in the first cache.
    const int PooledVectors = 64;

    // Of one lane in 16, so 16,384 vectors of them: at two a cycle about 3 µs, beside which handing a part out costs little.
    const long PartProducts = 16_384;

    readonly int rows = outputs.Height, columns = outputs.Width;

    /// <summary>
    /// Lays out weights for groups · channels sums, by panels as high as a tile: [panel][taps][channels of the panel].
    /// Tap t of channel c of group g is w[g·groupStep + c·channelStep + places[t]]. How high a tile is hangs on the numbers in a vector.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(T* w, nint groupStep, nint channelStep, nint* places, int taps, int groups, int channels, int vector, T* packed)
    {
        for (int group = 0; group < groups; group++)
            for (int first = 0, panel; first < channels; first += panel, packed += (nint)taps * panel)
            {
                panel = Tiles.Height(vector, channels - first);
                for (int i = 0; i < panel; i++)
                {
                    T* from = w + group * groupStep + (first + i) * channelStep, to = packed + i;
                    for (int tap = 0; tap < taps; tap++, to += panel)
                        *to = from[places[tap]];
                }
            }
    }

    /// <summary>
    /// Runs it: a few rows of one group of images at a time, so that what they read stays near. With one lane, vectors are no longer than a row of y.
    /// </summary>
    public void RunAll(int row) => Simd.Run(y, y.Blocks * Bands, nint.MaxValue, this, row);

    int BandRows => (int)Math.Clamp(PartProducts * LaneTensor<T>.FullLanes / y.Lanes / ((long)columns * taps * y.Shape.Channels / groups + 1), 1, rows);

    int Bands => (rows + BandRows - 1) / BandRows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int block, int band) = Math.DivRem(part, Bands);
        int channels = y.Shape.Channels / groups, end = Math.Min(rows, (band + 1) * BandRows);
        T* panel = w;
        for (int group = 0; group < groups; group++)
        {
            for (int channel = group * channels, panelChannels; channel < (group + 1) * channels; channel += panelChannels)
            {
                panelChannels = Tiles.Height(V.Count, (group + 1) * channels - channel);
                for (int row = band * BandRows; row < end; row++)
                {
                    if (epilogue.Pooled)
                        PooledRow<V>(panelChannels, panel, block, group, channel, row);
                    else
                    {
                        T* to = y.At(block, channel, yFirst.Height + row * yStep.Height) + yFirst.Width * y.Lanes;
                        Row<V>(panelChannels, panel, epilogue.Bias + channel, block, group, row, 0, columns, to, y.PlanePitch);
                    }
                }
                panel += (nint)taps * panelChannels;
            }
        }
    }

    /// <summary>One row of pooled outputs: two rows of sums, and their maxima.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void PooledRow<V>(int channels, T* panel, int block, int group, int channel, int row) where V : struct, ILanes<V, T>
    {
        int lanes = y.Lanes, width = Math.Min(2 * columns, PooledVectors / 2 * V.Count / lanes & ~1);
        nint pitch = width * lanes;
        T* sums = Scratch<T>.Take(Tiles.Most(V.Count) * PooledVectors * V.Count);
        for (int first = 0; first < 2 * columns; first += width)
        {
            first = Math.Min(first, 2 * columns - width);             // the last piece overlaps the one before it
            for (int i = 0; i < 2; i++)
                Row<V>(channels, panel, epilogue.Bias + channel, block, group, 2 * row + i, first, width, sums + i * pitch, 2 * pitch);
            for (int c = 0; c < channels; c++)
            {
                nint at = first / 2 * lanes;
                T* maximum = y.At(block, channel + c, row) + at, which = epilogue.ArgMax is null ? null : epilogue.ArgMax.At(block, channel + c, row) + at;
                if (lanes >= V.Count)
                    MaxOf2x2.Row<T, V>(sums + 2 * c * pitch, pitch, lanes, maximum, which, width / 2);
                else
                    MaxOf2x2.Row<T, Scalar<T>>(sums + 2 * c * pitch, pitch, lanes, maximum, which, width / 2);
            }
        }
    }

    /// <summary>Some columns of one row of outputs, of one panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Row<V>(int channels, T* panel, T* start, int block, int group, int row, int firstColumn, int columns, T* to, nint plane)
        where V : struct, ILanes<V, T>
    {
        T* from = x.At(block, group * (x.Shape.Channels / groups), row * xStep.Height) + firstColumn * xStep.Width * x.Lanes;
        (int firstTap, int endTap) = kernel.OnImage(row * xStep.Height, x.Shape.Height);
        firstTap *= taps / kernel.Count;
        endTap *= taps / kernel.Count;
        Terms terms = new(panel + firstTap * channels, start, offsets + firstTap, offsets + endTap);
        nint lanes = y.Lanes, xVector = xStep.Width * lanes, yVector = yStep.Width * lanes;
        if (lanes < V.Count)
        {
            int vectors = Math.DivRem(columns, V.Count, out int rest);
            Vectors<V>(channels, terms, from, V.Count, to, plane, V.Count, vectors);
            if (rest > 0)
                Vectors<V>(channels, terms, from + columns - V.Count, V.Count, to + columns - V.Count, plane, V.Count, 1);
            return;
        }
        for (int lane = 0; lane < lanes; lane += V.Count)
            Vectors<V>(channels, terms, from + lane, xVector, to + lane, plane, yVector, columns);
    }

    /// <summary>What a row of outputs is made of: weights, starts, and where to read.</summary>
    readonly struct Terms(T* weights, T* starts, nint* offsets, nint* end)
    {
        public readonly T* Weights = weights, Starts = starts;
        public readonly nint* Offsets = offsets, End = end;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Vectors<V>(int channels, in Terms terms, T* from, nint xVector, T* to, nint plane, nint yVector, int left) where V : struct, ILanes<V, T>
    {
        while (left > 0)
        {
            (int width, int tiles) = Tiles.Next(V.Count, channels, left);
            switch (width)
            {
                case 1: Tile<Pixels1<V, T>, V>(channels, terms, from, xVector, to, plane, yVector, tiles); break;
                case 2: Tile<Pixels2<V, T>, V>(channels, terms, from, xVector, to, plane, yVector, tiles); break;
                case 3: Tile<Pixels3<V, T>, V>(channels, terms, from, xVector, to, plane, yVector, tiles); break;
                case 9: Tile<PixelsThrice<Pixels3<V, T>, V, T>, V>(channels, terms, from, xVector, to, plane, yVector, tiles); break;
                default: Tile<Pixels4<V, T>, V>(channels, terms, from, xVector, to, plane, yVector, tiles); break;
            }
            from += tiles * width * xVector;
            to += tiles * width * yVector;
            left -= tiles * width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    void Tile<P, V>(int channels, in Terms terms, T* from, nint xVector, T* to, nint plane, nint yVector, int tiles)
        where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T>
    {
        switch (channels)
        {
            case 1: Tile<Sums1<P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
            case 2: Tile<SumsTwice<Sums1<P, V, T>, P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
            case 3: Tile<Sums3<P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
            case 4: Tile<Sums4<P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
            case 6: Tile<SumsTwice<Sums3<P, V, T>, P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
            default: Tile<SumsTwice<Sums4<P, V, T>, P, V, T>, P, V>(terms, from, xVector, to, plane, yVector, tiles); break;
        }
    }

    /// <summary>Some channels of some pixels, tile by tile: y = b + Σ w · x, the sums in registers from the first tap to the last.</summary>
    // Not inlined: of all the tiles there could be, only those that run are compiled.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    void Tile<S, P, V>(in Terms terms, T* from, nint xVector, T* to, nint plane, nint yVector, int tiles)
        where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T> where V : struct, ILanes<V, T>
    {
        for (; tiles > 0; tiles--, from += P.Count * xVector, to += P.Count * yVector)
        {
            S sums = S.Broadcast(terms.Starts);
            T* weights = terms.Weights;
            for (nint* offset = terms.Offsets, end = terms.End; offset < end; offset++, weights += S.Count)
                sums = sums.PlusNumbers(weights, 1, P.Load(from + *offset, xVector));
            if (epilogue.Relu)
                sums = sums.Positive();
            sums.Store(to, plane, yVector);
        }
    }
}
