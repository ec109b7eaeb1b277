using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>dw += ∂⟨y, dy⟩/∂w over lanes.</summary>
/// <remarks>
/// dw[oc, tap] is the dot product of dy[oc] and of what the tap reads of x. A tile keeps the sums of some channels and taps in registers over a
/// few rows, which stay in the nearest cache while all taps of a block go over them; between these the sums lie in memory, a number a lane,
/// and the lanes are added up at the end. Images are cut into chunks by shape alone, whose sums are added in their order.
/// </remarks>
static unsafe class Conv2dBackwardWeight
{
    /// <summary>Adds to dw. x has the padding as its margin; its columns are made if <see cref="Conv2dForward"/> ran on it in this pass.</summary>
    public static void Run<T>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, ConvolutionBuffers<T> buffers, bool columnsAreMade = true)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, weights = shape.OutputChannels * taps, vector = Simd.Vector(x, shape.OutputWidth);
        (LaneTensor<T> columns, Size2d step) = Conv2dForward.Columns(shape, x, vector, buffers, columnsAreMade);
        fixed (nint* offsets = buffers.Offsets.Take(taps), places = buffers.Places.Take(taps))
        {
            Conv2dForward.Taps(shape, columns, vector, byRows: false, offsets, places);
            Kernels<T> work = new(shape, columns, step, dy, offsets, taps, vector, null);
            Span<T> sums = buffers.Weights.Take(checked(work.Chunks * weights)).AsSpan(0, work.Chunks * weights);
            sums.Clear();
            fixed (T* chunks = sums)
                Simd.Run(x, work.Parts, nint.MaxValue, new Kernels<T>(shape, columns, step, dy, offsets, taps, vector, chunks), shape.OutputWidth);
            Span<T> total = new(dw, weights);
            for (int chunk = 0; chunk < work.Chunks; chunk++)
                TensorPrimitives.Add(total, sums.Slice(chunk * weights, weights), total);
        }
    }

    /// <summary>Sums of a block of channels and a block of taps over a chunk of the images' rows.</summary>
    readonly struct Kernels<T>(
        Conv2dShape shape, LaneTensor<T> x, Size2d xStep, LaneTensor<T> dy, nint* offsets, int taps, int vector, T* chunks) : ILaneWork<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // A block's sums: 32 channels × 240 taps × 16 lanes × 4 bytes = 480 kB, in the second cache. 240 = 20 · 12, and 12 is 3 · 4, the tiles' widths.
        const int BlockChannels = 32, MostBlockTaps = 240, TileTaps = 12;

        // Two for each of four threads.
        const int EnoughParts = 8;

        // 512 vectors × 64 bytes = 32 kB, 16 kB of vectors half as long: of a first cache of 48 kB, or of 32.
        const int BandVectors = 512;

        // A chunk's last step, 16 lanes into one number, is some 16 operations a weight: beside 192 vectors of products about a twelfth.
        const int ChunkPixels = 192;

        // All chunks' sums: 65,536 × 4 bytes = 256 kB, in the second cache.
        const int MostChunkSums = 65_536;

        readonly int channels = shape.GroupOutputChannels;
        // As many rows of a tile's channels of dy as stay in the first cache with the rest.
        readonly int bandRows = Math.Clamp(
            BandVectors / Math.Min(8, shape.GroupOutputChannels) * Math.Max(1, vector / dy.Lanes) / shape.OutputWidth, 1, shape.OutputHeight);

        public int Parts => Blocks * Chunks;

        // Some, so that a thread finds the images it had in the layer before; but their sums are to be few beside their products.
        public int Chunks => (int)Math.Clamp(
            (long)dy.Blocks * shape.OutputHeight * shape.OutputWidth / ChunkPixels, 1,
            Math.Clamp(MostChunkSums / (shape.OutputChannels * taps) / shape.Groups, 2, 8));

        // A multiple of the tiles' widths, and small enough for all threads to have something to do.
        int BlockTaps => (int)Math.Clamp(
            ((long)taps * Chunks * shape.Groups * ChannelBlocks / EnoughParts + TileTaps - 1) / TileTaps * TileTaps, TileTaps, MostBlockTaps);

        int Blocks => shape.Groups * ChannelBlocks * TapBlocks;

        int ChannelBlocks => (channels + BlockChannels - 1) / BlockChannels;

        int TapBlocks => (taps + BlockTaps - 1) / BlockTaps;

        int Bands => (shape.OutputHeight + bandRows - 1) / bandRows;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int chunk, int block) = Math.DivRem(part, Blocks);
            (int panels, int tapBlock) = Math.DivRem(block, TapBlocks);
            (int group, int channelBlock) = Math.DivRem(panels, ChannelBlocks);
            int bands = dy.Blocks * Bands, full = dy.FullBlocks * Bands;
            int from = (int)((long)bands * chunk / Chunks), end = (int)((long)bands * (chunk + 1) / Chunks);
            T* to = chunks + (nint)chunk * shape.OutputChannels * taps;
            Add<V>(from, Math.Min(end, full), dy.Lanes, group, channelBlock * BlockChannels, tapBlock * BlockTaps, to);
            Add<V>(Math.Max(from, full), end, dy.Count % dy.Lanes, group, channelBlock * BlockChannels, tapBlock * BlockTaps, to);      // dead lanes stay out
        }

        /// <summary>Adds what a range of bands, with so many live lanes, contributes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Add<V>(int fromBand, int endBand, int live, int group, int firstChannel, int firstTap, T* to) where V : struct, ILanes<V, T>
        {
            if (fromBand >= endBand)
                return;
            int lanes = Math.Max(dy.Lanes, V.Count);
            int endChannel = Math.Min(channels, firstChannel + BlockChannels), endTap = Math.Min(taps, firstTap + BlockTaps);
            nint pitch = (endTap - firstTap) * lanes;                          // sums: [channel][tap][lane]
            int length = (int)((endChannel - firstChannel) * pitch);
            T* sums = Scratch<T>.Take(length);
            new Span<T>(sums, length).Clear();
            for (int band = fromBand; band < endBand; band++)
            {
                (int images, int row) = Math.DivRem(band, Bands);
                row *= bandRows;
                int rows = Math.Min(bandRows, shape.OutputHeight - row);
                T* px = x.At(images, group * shape.GroupInputChannels, row * xStep.Height);
                for (int channel = firstChannel, height; channel < endChannel; channel += height)
                {
                    height = Tiles.Height(V.Count, endChannel - channel);
                    T* pdy = dy.At(images, group * channels + channel, row), at = sums + (channel - firstChannel) * pitch;
                    for (int tap = firstTap, width, tiles; tap < endTap; tap += tiles * width, at += tiles * width * lanes)
                    {
                        (width, tiles) = Tiles.Next(V.Count, height, endTap - tap);
                        for (int lane = 0; lane < dy.Lanes; lane += V.Count)
                        {
                            Rows part = new(pdy + lane, px + lane, offsets + tap, rows, at + lane, pitch, lanes, tiles);
                            switch (width)
                            {
                                case 1: Add<Pixels1<V, T>, Pixels1<Scalar<T>, T>, V>(height, part); break;
                                case 2: Add<Pixels2<V, T>, Pixels2<Scalar<T>, T>, V>(height, part); break;
                                case 3: Add<Pixels3<V, T>, Pixels3<Scalar<T>, T>, V>(height, part); break;
                                case 9: Add<PixelsThrice<Pixels3<V, T>, V, T>, PixelsThrice<Pixels3<Scalar<T>, T>, Scalar<T>, T>, V>(height, part); break;
                                default: Add<Pixels4<V, T>, Pixels4<Scalar<T>, T>, V>(height, part); break;
                            }
                        }
                    }
                }
            }
            for (int channel = firstChannel; channel < endChannel; channel++)
                for (int tap = firstTap; tap < endTap; tap++, sums += lanes)
                    to[(nint)(group * channels + channel) * taps + tap] += LaneSum.Of<T, V>(sums, lanes, live < dy.Lanes ? live : lanes);
        }

        /// <summary>
        /// Some rows of dy and x, and the sums they are added to: of the first channel and tap, numbers from one channel and from one tap to the next.
        /// </summary>
        readonly struct Rows(T* gradient, T* pixels, nint* offsets, int count, T* sums, nint channel, int tap, int tiles)
        {
            public readonly T* Gradient = gradient, Pixels = pixels, Sums = sums;
            public readonly nint* Offsets = offsets;
            public readonly nint Channel = channel;
            public readonly int Count = count, Tap = tap, Tiles = tiles;
        }

        /// <summary>Whole vectors, and with vectors along the row what is left of it, number by number.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        void Add<P, Q, V>(int height, in Rows rows)
            where P : struct, IPixels<P, V, T> where Q : struct, IPixels<Q, Scalar<T>, T> where V : struct, ILanes<V, T>
        {
            int lanes = Math.Max(dy.Lanes, V.Count), vectors = Math.DivRem(shape.OutputWidth * dy.Lanes, lanes, out int rest);
            if (vectors > 0)
                Add<P, V>(height, rows, 0, vectors, lanes);
            if (rest > 0)
                Add<Q, Scalar<T>>(height, rows, vectors * lanes, rest, 1);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        void Add<P, U>(int height, in Rows rows, int first, int count, nint step) where P : struct, IPixels<P, U, T> where U : struct, ILanes<U, T>
        {
            switch (height)
            {
                case 1: Add<Sums1<P, U, T>, P, U>(rows, first, count, step); break;
                case 2: Add<SumsTwice<Sums1<P, U, T>, P, U, T>, P, U>(rows, first, count, step); break;
                case 3: Add<Sums3<P, U, T>, P, U>(rows, first, count, step); break;
                case 4: Add<Sums4<P, U, T>, P, U>(rows, first, count, step); break;
                case 6: Add<SumsTwice<Sums3<P, U, T>, P, U, T>, P, U>(rows, first, count, step); break;
                default: Add<SumsTwice<Sums4<P, U, T>, P, U, T>, P, U>(rows, first, count, step); break;
            }
        }

        /// <summary>Some channels of dy times some taps of x, tile by tile, over some rows, added to their sums.</summary>
        // Not inlined: of all the tiles there could be, only those that run are compiled.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        void Add<S, P, U>(in Rows rows, int first, int count, nint step)
            where S : struct, ISums<S, P, U, T> where P : struct, IPixels<P, U, T> where U : struct, ILanes<U, T>
        {
            nint plane = dy.PlanePitch, xVector = xStep.Width * step;
            T* to = rows.Sums;
            nint* offsets = rows.Offsets;
            for (int tile = 0; tile < rows.Tiles; tile++, to += P.Count * rows.Tap, offsets += P.Count)
            {
                T* gradient = rows.Gradient + first, pixels = rows.Pixels + first;
                S sums = S.Load(to, rows.Channel, rows.Tap);
                for (int row = 0; row < rows.Count; row++, gradient += dy.RowPitch, pixels += xStep.Height * x.RowPitch)
                {
                    T* from = pixels;
                    for (T* at = gradient, end = gradient + count * step; at < end; at += step, from += xVector)
                        sums = sums.PlusVectors(at, plane, P.Load(from, offsets));
                }
                sums.Store(to, rows.Channel, rows.Tap);
            }
        }
    }
}
