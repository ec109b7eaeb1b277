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
/// <param name="b">What each sum begins with, a number a channel.</param>
/// <param name="offsets">[taps], numbers from a pixel of x to what the tap reads.</param>
/// <param name="taps">Products in one sum.</param>
/// <param name="groups">Groups of channels.</param>
/// <param name="x">What is read; wide enough margins around it.</param>
/// <param name="xStep">Pixels of x from one output to the next; across 1 where vectors lie along a row.</param>
/// <param name="y">What is written.</param>
/// <param name="outputs">How many are written, of each channel.</param>
/// <param name="yStep">Pixels of y from one output to the next; across 1 where vectors lie along a row.</param>
/// <param name="yFirst">The first output's place in y.</param>
/// <param name="positive">Whether what is below 0 becomes 0.</param>
/// <param name="pooled">Whether y is the maximum over 2×2 outputs.</param>
/// <param name="winner">If not null, this becomes which of the four it was.</param>
readonly unsafe struct TapSum<T, V>(
    T* w, T* b, nint* offsets, int taps, int groups, LaneTensor<T> x, Size2d xStep, LaneTensor<T> y, Size2d outputs,
    Size2d yStep, Size2d yFirst, bool positive = false, bool pooled = false, LaneTensor<T>? winner = null) : IWork
    where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
{
    const int PooledVectors = 64;                                 // of one channel, between convolution and pool: with eight channels they fit in L1

    readonly int rows = outputs.Height, columns = outputs.Width;

    /// <summary>
    /// Lays out weights for groups · channels sums, by panels as high as a tile: [panel][taps][channels of the panel].
    /// Tap t of channel c of group g is w[g·groupStep + c·channelStep + places[t]].
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(T* w, nint groupStep, nint channelStep, nint* places, int taps, int groups, int channels, T* packed)
    {
        for (int group = 0; group < groups; group++)
            for (int first = 0, panel; first < channels; first += panel, packed += (nint)taps * panel)
            {
                panel = Tiles<T, V>.Height(channels - first);
                for (int i = 0; i < panel; i++)
                {
                    T* from = w + group * groupStep + (first + i) * channelStep, to = packed + i;
                    for (int tap = 0; tap < taps; tap++, to += panel)
                        *to = from[places[tap]];
                }
            }
    }

    /// <summary>Runs it: a few rows of one group of images at a time, so that what they read stays near.</summary>
    public void Run() => Workers.Run(y.Groups * Bands, this);

    // About 16 thousand multiply-adds a lane, so that handing a part out costs little.
    int BandRows => (int)Math.Clamp(16_384L * 16 / y.Lanes / ((long)columns * taps * y.Shape.Channels / groups + 1), 1, rows);

    int Bands => (rows + BandRows - 1) / BandRows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int part)
    {
        (int imageGroup, int band) = Math.DivRem(part, Bands);
        int channels = y.Shape.Channels / groups, end = Math.Min(rows, (band + 1) * BandRows);
        T* panel = w;
        for (int group = 0; group < groups; group++)
        {
            for (int channel = group * channels, panelChannels; channel < (group + 1) * channels; channel += panelChannels)
            {
                panelChannels = Tiles<T, V>.Height((group + 1) * channels - channel);
                for (int row = band * BandRows; row < end; row++)
                {
                    if (pooled)
                        PooledRow(panelChannels, panel, imageGroup, group * (x.Shape.Channels / groups), channel, row);
                    else
                    {
                        T* from = x.At(imageGroup, group * (x.Shape.Channels / groups), row * xStep.Height);
                        T* to = y.At(imageGroup, channel, yFirst.Height + row * yStep.Height) + yFirst.Width * y.Lanes;
                        Row(panelChannels, panel, b + channel, from, to, y.PlanePitch, columns);
                    }
                }
                panel += (nint)taps * panelChannels;
            }
        }
    }

    /// <summary>One row of pooled outputs: two rows of sums, and their maxima.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void PooledRow(int channels, T* panel, int imageGroup, int xChannel, int channel, int row)
    {
        int lanes = y.Lanes, width = Math.Min(2 * columns, PooledVectors / 2 * V.Count / lanes & ~1);
        nint pitch = width * lanes;
        T* sums = stackalloc T[Tiles<T, V>.Most * PooledVectors * V.Count];
        for (int first = 0; first < 2 * columns; first += width)
        {
            first = Math.Min(first, 2 * columns - width);             // the last piece overlaps the one before it
            for (int i = 0; i < 2; i++)
            {
                T* from = x.At(imageGroup, xChannel, (2 * row + i) * xStep.Height) + first * xStep.Width * lanes;
                Row(channels, panel, b + channel, from, sums + i * pitch, 2 * pitch, width);
            }
            for (int c = 0; c < channels; c++)
            {
                nint at = first / 2 * lanes;
                T* maximum = y.At(imageGroup, channel + c, row) + at, which = winner is null ? null : winner.At(imageGroup, channel + c, row) + at;
                if (lanes >= V.Count)
                    MaxOf2x2.Row<T, V>(sums + 2 * c * pitch, pitch, lanes, maximum, which, width / 2);
                else
                    MaxOf2x2.Row<T, Scalar<T>>(sums + 2 * c * pitch, pitch, lanes, maximum, which, width / 2);
            }
        }
    }

    /// <summary>One row of one panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Row(int channels, T* panel, T* start, T* from, T* to, nint plane, int columns)
    {
        nint lanes = y.Lanes, xVector = xStep.Width * lanes, yVector = yStep.Width * lanes;
        if (lanes < V.Count)
        {
            int vectors = Math.DivRem(columns, V.Count, out int rest);
            Vectors(channels, panel, start, from, V.Count, to, plane, V.Count, vectors);
            if (rest > 0)
                Vectors(channels, panel, start, from + columns - V.Count, V.Count, to + columns - V.Count, plane, V.Count, 1);
            return;
        }
        for (int lane = 0; lane < lanes; lane += V.Count)
            Vectors(channels, panel, start, from + lane, xVector, to + lane, plane, yVector, columns);
    }

    void Vectors(int channels, T* panel, T* start, T* from, nint xVector, T* to, nint plane, nint yVector, int count)
    {
        while (count > 0)
        {
            int width = Tiles<T, V>.Width(channels, count);
            switch (width)
            {
                case 1: Tile<Pixels1<V, T>>(channels, panel, start, from, xVector, to, plane, yVector); break;
                case 2: Tile<Pixels2<V, T>>(channels, panel, start, from, xVector, to, plane, yVector); break;
                case 3: Tile<Pixels3<V, T>>(channels, panel, start, from, xVector, to, plane, yVector); break;
                default: Tile<Pixels4<V, T>>(channels, panel, start, from, xVector, to, plane, yVector); break;
            }
            from += width * xVector;
            to += width * yVector;
            count -= width;
        }
    }

    void Tile<P>(int channels, T* panel, T* start, T* from, nint xVector, T* to, nint plane, nint yVector) where P : struct, IPixels<P, V, T>
    {
        switch (channels)
        {
            case 1: Tile<Sums1<P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
            case 2: Tile<SumsTwice<Sums1<P, V, T>, P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
            case 3: Tile<Sums3<P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
            case 4: Tile<Sums4<P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
            case 6: Tile<SumsTwice<Sums3<P, V, T>, P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
            default: Tile<SumsTwice<Sums4<P, V, T>, P, V, T>, P>(panel, start, from, xVector, to, plane, yVector); break;
        }
    }

    /// <summary>Some channels of some pixels: y = b + Σ w · x, the sums in registers from the first tap to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Tile<S, P>(T* panel, T* start, T* from, nint xVector, T* to, nint plane, nint yVector)
        where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
    {
        S sums = S.Broadcast(start);
        nint* offset = offsets;
        for (nint* end = offset + taps; offset < end; offset++, panel += S.Count)
            sums = sums.PlusNumbers(panel, 1, P.Load(from + *offset, xVector));
        if (positive)
            sums = sums.Positive();
        sums.Store(to, plane, yVector);
    }
}
