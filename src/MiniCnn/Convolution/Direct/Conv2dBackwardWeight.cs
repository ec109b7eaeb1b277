using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The gradient of the weight, dw += ∂⟨y, dy⟩/∂w, on lane tensors.</summary>
/// <remarks>
/// dw[oc, tap] is the dot product of dy[oc] and the pixels of x that the tap reads. A tile keeps the sums of some channels and taps in registers over a
/// band of a few rows, which stay in the L1 cache for all taps of a block. Between two bands, each sum is stored as one vector; the numbers of the vector
/// are added at the end. The bands are divided into chunks, and the sums of the chunks are added in order. The chunks depend only on the shape, so the
/// result does not depend on the number of threads.
/// </remarks>
static unsafe class Conv2dBackwardWeight
{
    /// <summary>Adds to dw. The margin of x must be the padding.</summary>
    public static void Run<T>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, ConvolutionBuffers<T> buffers, ConvolutionAlgorithm algorithm)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (algorithm.TakesWinograd(shape, x.Lanes))
        {
            WinogradBackwardWeight.Run(shape, x, dy, dw, buffers);
            return;
        }
        int taps = shape.GroupInputChannels * shape.Window.Taps, weights = shape.OutputChannels * taps, vector = Simd.Vector(x, shape.OutputWidth);
        (LaneTensor<T> columns, Size2d step) = Conv2dForward.Columns(shape, x, vector, buffers);
        fixed (nint* offsets = buffers.Offsets.Take(taps), places = buffers.Places.Take(taps))
        {
            bool split = columns != x;                                         // columns one stride apart are adjacent there
            InThrees(shape, split ? shape.Window.Stride.Width : 1, new TapList<T>(shape, columns, split, offsets, places));
            x.ClearDeadLanes();                                                // 0 · NaN would be NaN
            dy.ClearDeadLanes();                                               // zero in a gradient, but a transposed convolution passes its x here
            int chunks = WeightSums<T>.ChunksOf(shape, dy);
            Span<T> sums = buffers.Weights.Take(checked(chunks * weights)).AsSpan(0, chunks * weights);
            sums.Clear();
            fixed (T* to = sums)
            {
                WeightSums<T> work = new(shape, columns, step, dy, offsets, places, chunks, to);
                Simd.Run(x, work.Parts, nint.MaxValue, work, shape.OutputWidth);
            }
            Span<T> total = new(dw, weights);
            for (int chunk = 0; chunk < chunks; chunk++)
                TensorPrimitives.Add(total, sums.Slice(chunk * weights, weights), total);
        }
    }

    /// <summary>
    /// Lists the taps so that most of them form groups of three at a constant distance, which a tile processes together: three columns of the kernel, then
    /// three rows of the remaining columns, then three channels of the remaining taps. If columns are split into phases, the three columns are of one phase.
    /// </summary>
    static void InThrees<T>(Conv2dShape shape, int phases, TapList<T> taps) where T : unmanaged
    {
        int channels = shape.GroupInputChannels, rows = shape.Rows.Kernel, columns = shape.Columns.Kernel, inThrees = rows - rows % 3;
        for (int ic = 0; ic < channels; ic++)
            for (int phase = 0; phase < phases; phase++)
            {
                for (int ky = 0; ky < rows; ky++)
                    for (int kx = phase; kx < End(phase); kx += phases)
                        taps.Add(ic, ky, kx);
                for (int kx = End(phase); kx < columns; kx += phases)
                    for (int ky = 0; ky < inThrees; ky++)
                        taps.Add(ic, ky, kx);
            }
        for (int phase = 0; phase < phases; phase++)
            for (int kx = End(phase); kx < columns; kx += phases)
                for (int ky = inThrees; ky < rows; ky++)
                    for (int ic = 0; ic < channels; ic++)
                        taps.Add(ic, ky, kx);

        // The first column of a phase that is in no group of three.
        int End(int phase) => phase + (columns - phase + phases - 1) / phases / 3 * 3 * phases;
    }

    /// <summary>The sums of a block of channels and a block of taps over a chunk of the rows of all images.</summary>
    readonly struct WeightSums<T>(
        Conv2dShape shape, LaneTensor<T> x, Size2d xStep, LaneTensor<T> dy, nint* offsets, nint* places, int chunks, T* sums) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Sums of a block: 32 channels × 240 taps × a vector of 64 bytes = 480 kB, or of 32 bytes = 240 kB, in the L2 cache. 240 = 20 · 12, and
        // 12 = 3 · 4 is a multiple of the tile widths.
        const int BlockChannels = 32, MostBlockTaps = 240, TileTaps = 12;

        // Two parts for each of four threads.
        const int EnoughParts = 8;

        // Pixels × channels of dy in a band: 512 / 8 channels = 64 pixels × 64 bytes. 8 channels, the highest tile, take 32 kB of an L1 cache of 48 kB;
        // 4 channels, the highest tile with 16 registers, take 16 kB of 32 kB.
        const int BandPixels = 512;

        // The last step of a chunk adds 16 lanes to one number, about 16 operations for each weight: a twelfth of 192 vectors of products.
        const int ChunkPixels = 192;

        // Sums of all chunks: 65,536 × 4 bytes = 256 kB, in the L2 cache.
        const int MostChunkSums = 65_536;

        readonly int channels = shape.GroupOutputChannels, taps = shape.GroupInputChannels * shape.Window.Taps;

        public int Parts => Blocks * chunks;

        /// <summary>
        /// Number of chunks. With several chunks, a thread finds in its cache the images that it processed in the previous layer. With too many, adding
        /// their sums takes a large share of the time.
        /// </summary>
        // Each group is a part of its own, so groups need fewer chunks.
        public static int ChunksOf(Conv2dShape shape, LaneTensor<T> dy) => (int)Math.Clamp(
            (long)dy.Blocks * shape.OutputHeight * shape.OutputWidth / ChunkPixels, 1,
            Math.Clamp(MostChunkSums / (shape.OutputChannels * shape.GroupInputChannels * shape.Window.Taps) / shape.Groups, 2, 8));

        // A multiple of the tile widths, small enough to give all threads work.
        int BlockTaps => (int)Math.Clamp(
            ((long)taps * chunks * shape.Groups * ChannelBlocks / EnoughParts + TileTaps - 1) / TileTaps * TileTaps, TileTaps, MostBlockTaps);

        int Blocks => shape.Groups * ChannelBlocks * TapBlocks;

        int ChannelBlocks => (channels + BlockChannels - 1) / BlockChannels;

        int TapBlocks => (taps + BlockTaps - 1) / BlockTaps;

        // As many rows of dy, for the channels of a tile, as fit the L1 cache. With one lane, a vector of pixels counts as one pixel.
        int BandRows(int vector) =>
            Math.Clamp(BandPixels / Math.Min(8, channels) * Math.Max(1, vector / dy.Lanes) / shape.OutputWidth, 1, shape.OutputHeight);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int chunk, int block) = Math.DivRem(part, Blocks);
            (int panels, int tapBlock) = Math.DivRem(block, TapBlocks);
            (int group, int channelBlock) = Math.DivRem(panels, ChannelBlocks);
            int bands = dy.Blocks * ((shape.OutputHeight + BandRows(V.Count) - 1) / BandRows(V.Count));
            int from = (int)((long)bands * chunk / chunks), end = (int)((long)bands * (chunk + 1) / chunks);
            Add<V>(from, end, group, channelBlock * BlockChannels, tapBlock * BlockTaps, sums + (nint)chunk * shape.OutputChannels * taps);
        }

        /// <summary>Adds the contribution of a range of bands.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Add<V>(int fromBand, int endBand, int group, int firstChannel, int firstTap, T* to) where V : struct, ILanes<V, T>
        {
            Tiles tile = new(V.Count, 1);
            int endChannel = Math.Min(channels, firstChannel + BlockChannels), endTap = Math.Min(taps, firstTap + BlockTaps);
            nint pitch = (endTap - firstTap) * V.Count;                        // sums: [channel][tap][number of a vector]
            int length = (int)((endChannel - firstChannel) * pitch);
            T* sums = Scratch<T>.Take(length);
            new Span<T>(sums, length).Clear();
            int bandRows = BandRows(V.Count), bands = (shape.OutputHeight + bandRows - 1) / bandRows;
            for (int band = fromBand; band < endBand; band++)
            {
                (int images, int row) = Math.DivRem(band, bands);
                row *= bandRows;
                int rows = Math.Min(bandRows, shape.OutputHeight - row);
                T* px = x.At(images, group * shape.GroupInputChannels, row * xStep.Height);
                for (int channel = firstChannel, height; channel < endChannel; channel += height)
                {
                    height = tile.Height(endChannel - channel);
                    T* pdy = dy.At(images, group * channels + channel, row), at = sums + (channel - firstChannel) * pitch;
                    for (int tap = firstTap; tap < endTap;)
                    {
                        TapTiles next = TapTiles.At(offsets + tap, endTap - tap, height, tile);
                        AddRows<V>(height, next, new(pdy, px, offsets + tap, rows, at, pitch));
                        tap += next.Width * next.Count;
                        at += next.Width * next.Count * V.Count;
                    }
                }
            }
            for (int channel = firstChannel; channel < endChannel; channel++)
                for (int tap = firstTap; tap < endTap; tap++, sums += V.Count)
                    to[(nint)(group * channels + channel) * taps + places[tap]] += V.Sum(V.Load(sums));
        }

        /// <summary>Adds whole vectors and, if vectors hold pixels of a row, the remainder of the row.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void AddRows<V>(int height, in TapTiles tiles, in Start start) where V : struct, ILanes<V, T>
        {
            int numbers = shape.OutputWidth * dy.Lanes, vectors = numbers / V.Count;
            Tiles.Run<T, V, Rows<V>>(height, tiles.Width, new(x, xStep, dy, start, tiles, V.Count, 0, vectors));
            if (vectors * V.Count < numbers)
                AddRest(V.Count, height, tiles, start, vectors * V.Count, numbers);
        }

        /// <summary>Adds the remainder that does not fill a vector: one narrower vector of each width, then single numbers.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        void AddRest(int vector, int height, in TapTiles tiles, in Start start, int first, int numbers)
        {
            if (vector > 8 && numbers - first >= 8)
            {
                Tiles.Run<T, Lanes8<T>, Rows<Lanes8<T>>>(height, tiles.Width, new(x, xStep, dy, start, tiles, vector, first, 1));
                first += 8;
            }
            if (vector > 4 && numbers - first >= 4)
            {
                Tiles.Run<T, Lanes4<T>, Rows<Lanes4<T>>>(height, tiles.Width, new(x, xStep, dy, start, tiles, vector, first, 1));
                first += 4;
            }
            if (first < numbers)
                Tiles.Run<T, Scalar<T>, Rows<Scalar<T>>>(height, tiles.Width, new(x, xStep, dy, start, tiles, vector, first, numbers - first));
        }

        /// <summary>
        /// Start of some channels of dy, some rows of x, the offsets of the taps, and their sums. Channel is the distance between the sums of two channels.
        /// </summary>
        readonly struct Start(T* gradient, T* pixels, nint* offsets, int rows, T* sums, nint channel)
        {
            public readonly T* Gradient = gradient, Pixels = pixels, Sums = sums;
            public readonly nint* Offsets = offsets;
            public readonly nint Channel = channel;
            public readonly int Rows = rows;
        }

        /// <summary>Multiplies some channels of dy by some taps of x over some rows, tile by tile, and adds the products to their sums.</summary>
        readonly struct Rows<U>(LaneTensor<T> x, Size2d xStep, LaneTensor<T> dy, Start start, TapTiles tiles, int tap, nint first, int vectors) : ITileWork<T, U>
            where U : struct, ILanes<U, T>
        {
            // Not inlined, so that the JIT compiles only the tile sizes that run. Unrolled by four vectors, see DirectConvolution.
            [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
            public void Run<S, P>() where S : struct, ISums<S, P, U, T> where P : struct, IPixels<P, U, T>
            {
                int lanes = Math.Max(dy.Lanes, U.Count), pixel = lanes / U.Count;      // vectors in a pixel; 1 if they hold pixels of a row
                nint plane = dy.PlanePitch, xPixel = xStep.Width * lanes, step = tiles.Step, far = tiles.Far;
                // Distances from the first of four vectors to the second and the third. The fourth is as far from the third as the second from the first.
                (nint second, nint third, nint xTurn, nint dyTurn) = pixel switch
                {
                    1 => (xPixel, 2 * xPixel, 4 * xPixel, 4 * U.Count),
                    2 => (U.Count, xPixel, 2 * xPixel, 4 * U.Count),
                    _ => (U.Count, 2 * U.Count, xPixel, lanes),
                };
                (int turns, int rest) = Math.DivRem(vectors * Math.Min(4, pixel) / pixel, 4);
                if (typeof(U) == typeof(Lanes16<T>))
                    (turns, rest, xTurn, dyTurn) = (vectors, 0, xPixel, U.Count);
                T* at = start.Sums;
                nint* offset = start.Offsets;
                for (int tile = 0; tile < tiles.Count; tile++, offset += P.Count, at += P.Count * tap)
                {
                    S sums = default;
                    sums.Load(at, start.Channel, tap);
                    for (int lane = 0; lane < lanes; lane += 4 * U.Count)
                        for (int row = 0; row < start.Rows; row++)
                        {
                            T* gradient = start.Gradient + row * dy.RowPitch + first + lane, end = gradient + turns * dyTurn;
                            T* pixels = start.Pixels + *offset + row * xStep.Height * x.RowPitch + first * xStep.Width + lane;
                            for (; gradient < end; gradient += dyTurn, pixels += xTurn)
                            {
                                sums.Add<OnePerLane<U, T>>(gradient, 0, plane, pixels, step, far);
                                if (typeof(U) == typeof(Lanes16<T>))
                                    continue;
                                T* half = pixels + third;
                                sums.Add<OnePerLane<U, T>>(gradient, U.Count, plane, pixels + second, step, far);
                                sums.Add<OnePerLane<U, T>>(gradient, 2 * U.Count, plane, half, step, far);
                                sums.Add<OnePerLane<U, T>>(gradient, 3 * U.Count, plane, half + second, step, far);
                            }
                            for (int i = 0; typeof(U) != typeof(Lanes16<T>) && i < rest; i++, gradient += U.Count)
                                sums.Add<OnePerLane<U, T>>(gradient, 0, plane, pixels + (i == 0 ? 0 : i == 1 ? second : third), step, far);
                        }
                    sums.Store(at, start.Channel, tap);
                }
            }
        }
    }

    /// <summary>
    /// The next taps, in tiles of one width. The taps of a tile have a constant distance; if the tile has one channel, nine taps in three rows of three are
    /// possible too.
    /// </summary>
    readonly record struct TapTiles(int Width, int Count, nint Step, nint Far)
    {
        public static TapTiles At(nint* offsets, int left, int height, Tiles tile)
        {
            TapTiles nine = new(9, 1, left > 1 ? offsets[1] - offsets[0] : 0, left > 3 ? offsets[3] - offsets[0] : 0);
            if (height == 1 && left >= 9 && nine.Fit(offsets))
                return nine.AsManyAs(offsets, left);
            int run = 1;
            while (run < Math.Min(left, 6) && offsets[run] - offsets[run - 1] == nine.Step)
                run++;
            return new TapTiles(tile.Next(height, run).Width, 1, nine.Step, 0).AsManyAs(offsets, left);
        }

        TapTiles AsManyAs(nint* offsets, int left)
        {
            int count = 1;
            while ((count + 1) * Width <= left && Fit(offsets + count * Width))
                count++;
            return this with { Count = count };
        }

        bool Fit(nint* offsets)
        {
            for (int i = 1; i < Width; i++)
                if (offsets[i] - offsets[0] != (Width == 9 ? i / 3 * Far + i % 3 * Step : i * Step))
                    return false;
            return true;
        }
    }
}
