using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The sum of products that the forward pass and the gradient of the input both compute: y[c, pixel] = b[c] + Σ w[t, c] · x[pixel + offset[t]] over
/// the taps t.
/// </summary>
/// <remarks>
/// A tap is one input channel at one position of the kernel, so stride, padding, dilation and flipping only change the offsets. A tile keeps the sums of
/// some channels and pixels in registers over the taps of a <see cref="Slab"/>. Between two slabs, the sums are stored in y, or in scratch memory if they
/// are pooled. Every sum adds its products in the order of the taps, whatever the tile size.
/// With one lane, a vector holds neighboring pixels of a row. The last vector of a row overlaps the one before it, so a row has at least as many pixels as
/// a vector.
/// </remarks>
/// <param name="w">Weights, packed by <see cref="Pack"/>.</param>
/// <param name="offsets">[taps], distance in elements from a pixel of x to the element that the tap reads; in a slab, kernel row by kernel row.</param>
/// <param name="taps">Number of products in one sum.</param>
/// <param name="slab">The part of the convolution that is computed at a time.</param>
/// <param name="kernel">The rows of x that the kernel rows read. Rows outside the image are skipped.</param>
/// <param name="groups">Number of groups of channels.</param>
/// <param name="x">Input, with margins that are wide enough for all taps.</param>
/// <param name="xStep">Pixels of x from one output to the next; the width must be 1 if vectors hold pixels of a row.</param>
/// <param name="y">Output.</param>
/// <param name="outputs">Number of outputs of each channel, [rows, columns].</param>
/// <param name="yStep">Pixels of y from one output to the next; the width must be 1 if vectors hold pixels of a row.</param>
/// <param name="yFirst">Position of the first output in y.</param>
/// <param name="epilogue">Operations on the finished sums. Its bias must not be null; the sums start from it.</param>
readonly unsafe struct DirectConvolution<T>(
    T* w, nint* offsets, int taps, Slab slab, KernelRows kernel, int groups, LaneTensor<T> x, Size2d xStep, LaneTensor<T> y, Size2d outputs,
    Size2d yStep, Size2d yFirst, Epilogue<T> epilogue) : ILaneWork<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Vectors of sums of one channel between convolution and pool: 8 channels × 64 vectors × 64 bytes = 32 kB, in the L1 cache. With several slabs, the
    // sums of all channels of a group are stored, for two rows of the columns of a slab: 64 channels × 2 · 6 pixels × 64 bytes = 48 kB, in the L2 cache.
    const int PooledVectors = 64;

    // Multiply-adds in one part of the work, 16,384 with vectors of 16. At two per cycle they take about 3 µs, much longer than handing out a part.
    public const long PartProducts = 16 * 16_384;

    readonly int rows = outputs.Height, columns = outputs.Width;

    /// <summary>
    /// Packs the weights of groups · channels sums by slabs, and each slab by panels that are as high as a tile: [slab][panel][taps of the slab]
    /// [channels of the panel]. The weight of tap t of channel c of group g is w[g·groupStep + c·channelStep + places[t]].
    /// </summary>
    public static void Pack(T* w, nint groupStep, nint channelStep, nint* places, int taps, Slab slab, int groups, int channels, T* packed)
    {
        int panels = 0;
        for (int channel = 0; channel < channels; channel += slab.Tile.Height(channels - channel))
            panels++;
        Workers.RunMany(groups * panels, (nint)taps * slab.Tile.Most, new PackPanel(w, groupStep, channelStep, places, taps, slab, panels, channels, packed));
    }

    /// <summary>Packs one panel of channels of a group, for all slabs.</summary>
    readonly struct PackPanel(T* w, nint groupStep, nint channelStep, nint* places, int taps, Slab slab, int panels, int channels, T* packed) : IWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part)
        {
            (int group, int panel) = Math.DivRem(part, panels);
            int channel = 0;
            for (; panel > 0; panel--)
                channel += slab.Tile.Height(channels - channel);
            int height = slab.Tile.Height(channels - channel);
            T* from = w + group * groupStep + channel * channelStep, toGroup = packed + (nint)group * channels * taps;
            for (int first = 0, end; first < taps; first = end)
            {
                end = Math.Min(taps, first + slab.Taps);
                T* to = toGroup + (nint)first * channels + (nint)(end - first) * channel;
                for (int tap = first; tap < end; tap++)
                    for (int i = 0; i < height; i++)
                        *to++ = from[places[tap] + i * channelStep];
            }
        }
    }

    /// <summary>
    /// Runs all parts. A part is a few rows of one block of images and one group of channels, or all rows of a few groups. With one lane, vectors hold
    /// at most <paramref name="row"/> pixels.
    /// </summary>
    public void RunAll(int row) => Simd.Run(y, y.Blocks * GroupParts * Bands, nint.MaxValue, this, row);

    // Products of one group for one row of outputs. A pooled output needs four sums.
    long RowProducts => (long)columns * taps * (y.Shape.Channels / groups) * (epilogue.Pooled ? 4 : 1);

    int PartRows => (int)Math.Clamp(PartProducts / (RowProducts * y.Lanes + 1), 1, int.MaxValue);

    int BandRows => Math.Min(PartRows, rows);

    int Bands => (rows + BandRows - 1) / BandRows;

    // Groups in one part, if all rows of one group are too little work.
    int PartGroups => Math.Clamp(PartRows / Math.Max(1, rows), 1, groups);

    int GroupParts => (groups + PartGroups - 1) / PartGroups;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run<V>(int part) where V : struct, ILanes<V, T>
    {
        (int groupPart, int band) = Math.DivRem(part, Bands);
        (int block, int firstGroup) = Math.DivRem(groupPart, GroupParts);
        firstGroup *= PartGroups;
        int end = Math.Min(rows, (band + 1) * BandRows), height, width;
        for (int group = firstGroup; group < Math.Min(groups, firstGroup + PartGroups); group++)
            for (int row = band * BandRows; row < end; row += height)
            {
                height = Math.Min(slab.Rows, end - row);
                for (int column = 0; column < columns; column += width)
                {
                    width = Math.Min(slab.Columns, columns - column);
                    Outputs<V>(block, group, row, row + height, column, width);
                }
            }
    }

    /// <summary>Computes all channels of a group for some rows and columns of outputs, slab by slab, and within a slab panel by panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Outputs<V>(int block, int group, int firstRow, int endRow, int column, int width) where V : struct, ILanes<V, T>
    {
        int channels = y.Shape.Channels / groups, first = group * channels, tap = 0, end;
        bool several = slab.Taps < taps;                              // then one row at a time, see Slab: scratch memory holds one row
        T* weights = w + (nint)first * taps, sums = null;
        if (epilogue.Pooled)
            sums = Scratch<T>.Take(several ? channels * 4 * slab.Columns * y.Lanes : slab.Tile.Most * PooledVectors * V.Count);
        do
        {
            end = Math.Min(taps, tap + slab.Taps);
            for (int channel = 0, height; channel < channels; channel += height, weights += (nint)(end - tap) * height)
            {
                height = slab.Tile.Height(channels - channel);
                Panel panel = new(weights, tap == 0 ? epilogue.Bias + first + channel : null, tap, end, height, end == taps);
                for (int row = firstRow, rows; row < endRow; row += rows)
                {
                    if (epilogue.Pooled)
                    {
                        rows = 1;
                        PooledRow<V>(panel, block, group, first + channel, row, column, width, several ? sums + channel * 4 * width * y.Lanes : sums);
                        continue;
                    }
                    rows = kernel.Alike(row, endRow, xStep.Height, x.Shape.Height);
                    T* to = y.At(block, first + channel, yFirst.Height + row * yStep.Height) + (yFirst.Width + column * yStep.Width) * y.Lanes;
                    Rows<V>(panel, block, group, row, rows, column, width, to, y.PlanePitch, yStep.Height * y.RowPitch);
                }
            }
            tap = end;
        }
        while (tap < taps);
    }

    /// <summary>
    /// Some channels over one slab: weights, start values of the sums (null to continue from the stored sums), and taps. ReLU and pool follow the last
    /// slab.
    /// </summary>
    readonly struct Panel(T* weights, T* starts, int firstTap, int endTap, int channels, bool isLast)
    {
        public readonly T* Weights = weights, Starts = starts;
        public readonly int FirstTap = firstTap, EndTap = endTap, Channels = channels;
        public readonly bool IsLast = isLast;
    }

    /// <summary>Computes some columns of one row of pooled outputs: two rows of sums and, after the last slab, their maxima.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void PooledRow<V>(in Panel panel, int block, int group, int channel, int row, int column, int columns, T* sums) where V : struct, ILanes<V, T>
    {
        int lanes = y.Lanes, end = 2 * (column + columns), width = 2 * columns;
        if (slab.Taps >= taps)
            width = Math.Min(width, PooledVectors / 2 * V.Count / lanes & ~1);
        nint pitch = width * lanes;
        for (int first = 2 * column; first < end; first += width)
        {
            first = Math.Min(first, end - width);                     // the last piece overlaps the one before it
            for (int i = 0; i < 2; i++)
                Rows<V>(panel, block, group, 2 * row + i, 1, first, width, sums + i * pitch, 2 * pitch, 0);
            for (int c = 0; panel.IsLast && c < panel.Channels; c++)
            {
                nint at = first / 2 * lanes;
                T* maximum = y.At(block, channel + c, row) + at, which = epilogue.ArgMax is null ? null : epilogue.ArgMax.At(block, channel + c, row) + at;
                MaxOf2x2.Row<T, V>(sums + 2 * c * pitch, pitch, lanes, maximum, which, width / 2);
            }
        }
    }

    /// <summary>Computes some columns of consecutive rows of outputs that use the same kernel rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Rows<V>(in Panel panel, int block, int group, int row, int rows, int column, int columns, T* to, nint plane, nint pitch)
        where V : struct, ILanes<V, T>
    {
        T* from = x.At(block, group * (x.Shape.Channels / groups), row * xStep.Height) + column * xStep.Width * x.Lanes;
        (int firstRow, int endRow) = kernel.OnImage(row * xStep.Height, x.Shape.Height);
        int rowTaps = (panel.EndTap - panel.FirstTap) / kernel.Count;
        nint* first = offsets + panel.FirstTap + firstRow * rowTaps, end = first + (endRow - firstRow) * rowTaps;
        nint lanes = y.Lanes, xPixel = xStep.Width * lanes, yPixel = yStep.Width * lanes;
        RowTerms terms = new(
            panel.Weights + firstRow * rowTaps * panel.Channels, panel.Starts, first, end, panel.Channels, plane, epilogue.Relu && panel.IsLast,
            rows, xStep.Height * x.RowPitch, pitch);
        if (lanes < V.Count)
        {
            int vectors = Math.DivRem(columns, V.Count, out int rest);
            Vectors<V>(terms, from, V.Count, to, V.Count, vectors);
            if (rest > 0)
                Vectors<V>(terms, from + columns - V.Count, V.Count, to + columns - V.Count, V.Count, 1);
        }
        else if (slab.Tile.IsPair(panel.Channels))
        {
            for (int lane = 0; lane < lanes; lane += 2 * V.Count)
                Tiles.Run<T, V, Strip<V>>(panel.Channels, 2, new(terms, from + lane, V.Count, xPixel, to + lane, V.Count, yPixel, columns));
        }
        else
        {
            for (int lane = 0; lane < lanes; lane += V.Count)
                Vectors<V>(terms, from + lane, xPixel, to + lane, yPixel, columns);
        }
    }

    /// <summary>Computes equidistant vectors in consecutive tiles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Vectors<V>(in RowTerms terms, T* from, nint xVector, T* to, nint yVector, int left) where V : struct, ILanes<V, T>
    {
        for (int width, tiles; left > 0; left -= tiles * width, from += tiles * width * xVector, to += tiles * width * yVector)
        {
            (width, tiles) = slab.Tile.Next(terms.Channels, left);
            Tiles.Run<T, V, Strip<V>>(terms.Channels, width, new(terms, from, xVector, width * xVector, to, yVector, width * yVector, tiles));
        }
    }

    /// <summary>
    /// Arguments for some channels of some rows of outputs. Starts is null if the sums continue from y. Plane is the distance between channels of y, XRow
    /// and YRow between rows of x and of y.
    /// </summary>
    readonly struct RowTerms(
        T* weights, T* starts, nint* offsets, nint* end, int channels, nint plane, bool relu, int rows, nint xRow, nint yRow)
    {
        public readonly T* Weights = weights, Starts = starts;
        public readonly nint* Offsets = offsets, End = end;
        public readonly int Channels = channels;
        public readonly nint Plane = plane, XRow = xRow, YRow = yRow;
        public readonly bool Relu = relu;
        public readonly int Rows = rows;
    }

    /// <summary>Consecutive tiles, row by row: y = b + Σ w · x, or y += Σ w · x. The sums stay in registers from the first tap to the last.</summary>
    readonly struct Strip<V>(in RowTerms terms, T* from, nint xVector, nint xTile, T* to, nint yVector, nint yTile, int tiles) : ITileWork<T, V>
        where V : struct, ILanes<V, T>
    {
        readonly RowTerms terms = terms;

        // Not inlined, so that the JIT compiles only the tile sizes that run. Unrolling by four products saves a tenth of the instructions of a high tile.
        // The higher tiles of AVX-512 gain nothing from it and take twice as long to compile.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
        {
            nint step = xVector, far = 3 * step;
            for (int row = 0; row < terms.Rows; row++)
            {
                T* x = from + row * terms.XRow, y = to + row * terms.YRow;
                for (int tile = 0; tile < tiles; tile++, x += xTile, y += yTile)
                {
                    S sums = default;
                    if (terms.Starts == null)
                        sums.Load(y, terms.Plane, yVector);
                    else
                        sums.Start(terms.Starts);
                    T* w = terms.Weights;
                    nint* offset = terms.Offsets, end = terms.End;
                    for (; typeof(V) != typeof(Lanes16<T>) && S.Count >= 4 && offset <= end - 4; offset += 4, w += 4 * S.Count)
                    {
                        sums.Add<OneForAll<V, T>>(w, 0, 1, x + offset[0], step, far);
                        sums.Add<OneForAll<V, T>>(w, S.Count, 1, x + offset[1], step, far);
                        sums.Add<OneForAll<V, T>>(w, 2 * S.Count, 1, x + offset[2], step, far);
                        sums.Add<OneForAll<V, T>>(w, 3 * S.Count, 1, x + offset[3], step, far);
                    }
                    for (; offset < end; offset++, w += S.Count)
                        sums.Add<OneForAll<V, T>>(w, 0, 1, x + *offset, step, far);
                    if (terms.Relu)
                        sums.Clip();
                    sums.Store(y, terms.Plane, yVector);
                }
            }
        }
    }
}
