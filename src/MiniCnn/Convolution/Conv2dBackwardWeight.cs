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
    /// <summary>Adds to dw. x has the padding as its margin.</summary>
    public static void Run<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, Pass<T> pass)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
            Simd.Run(shape.OutputWidth, new RowWork(shape, row, (LaneTensor<float>)(object)dy, (float*)dw, (Pass<float>)(object)pass));
        else
            RunWith<T, V>(shape, x, dy, dw, pass);
    }

    static void RunWith<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, Pass<T> pass)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps, weights = shape.OutputChannels * taps;
        (LaneTensor<T> columns, Size2d step) = Conv2dForward.Columns<T, V>(shape, x, pass);
        fixed (nint* offsets = pass.Places(0, taps))
        {
            Conv2dForward.Offsets<T, V>(shape, columns, offsets);
            Kernels<T, V> work = new(shape, columns, step, dy, offsets, taps, null);
            Span<T> sums = pass.Numbers(0, checked(work.Chunks * weights)).AsSpan(0, work.Chunks * weights);
            sums.Clear();
            fixed (T* chunks = sums)
                Workers.Run(work.Parts, new Kernels<T, V>(shape, columns, step, dy, offsets, taps, chunks));
            Span<T> total = new(dw, weights);
            for (int chunk = 0; chunk < work.Chunks; chunk++)
                TensorPrimitives.Add(total, sums.Slice(chunk * weights, weights), total);
        }
    }

    /// <summary>One lane: vectors lie along the rows.</summary>
    readonly struct RowWork(Conv2dShape shape, LaneTensor<float> x, LaneTensor<float> dy, float* dw, Pass<float> pass) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => RunWith<float, V>(shape, x, dy, dw, pass);
    }

    /// <summary>Sums of a block of channels and a block of taps over a chunk of the images' rows.</summary>
    readonly struct Kernels<T, V>(Conv2dShape shape, LaneTensor<T> x, Size2d xStep, LaneTensor<T> dy, nint* offsets, int taps, T* chunks) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        const int BlockChannels = 16, BlockTaps = 120, BandVectors = 48, EnoughParts = 16;

        readonly int channels = shape.GroupOutputChannels;
        readonly int bandRows = Math.Clamp(BandVectors * Math.Max(1, V.Count / dy.Lanes) / shape.OutputWidth, 1, shape.OutputHeight);

        public int Parts => Blocks * Chunks;

        public int Chunks => Math.Clamp((EnoughParts + Blocks - 1) / Blocks, 1, Math.Max(1, dy.Groups * Bands));

        int Blocks => shape.Groups * ChannelBlocks * TapBlocks;

        int ChannelBlocks => (channels + BlockChannels - 1) / BlockChannels;

        int TapBlocks => (taps + BlockTaps - 1) / BlockTaps;

        int Bands => (shape.OutputHeight + bandRows - 1) / bandRows;

        public void Run(int part)
        {
            (int block, int chunk) = Math.DivRem(part, Chunks);
            (int panels, int tapBlock) = Math.DivRem(block, TapBlocks);
            (int group, int channelBlock) = Math.DivRem(panels, ChannelBlocks);
            int bands = dy.Groups * Bands, full = dy.FullGroups * Bands;
            int from = (int)((long)bands * chunk / Chunks), end = (int)((long)bands * (chunk + 1) / Chunks);
            T* to = chunks + (nint)chunk * shape.OutputChannels * taps;
            Add(from, Math.Min(end, full), dy.Lanes, group, channelBlock * BlockChannels, tapBlock * BlockTaps, to);
            Add(Math.Max(from, full), end, dy.Count % dy.Lanes, group, channelBlock * BlockChannels, tapBlock * BlockTaps, to);      // dead lanes stay out
        }

        /// <summary>Adds what a range of bands, with so many live lanes, contributes.</summary>
        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Add(int fromBand, int endBand, int live, int group, int firstChannel, int firstTap, T* to)
        {
            if (fromBand >= endBand)
                return;
            int lanes = Math.Max(dy.Lanes, V.Count), endChannel = Math.Min(channels, firstChannel + BlockChannels), endTap = Math.Min(taps, firstTap + BlockTaps);
            nint pitch = (endTap - firstTap) * lanes;                          // sums: [channel][tap][lane]
            T* sums = stackalloc T[(int)((endChannel - firstChannel) * pitch)];
            new Span<T>(sums, (int)((endChannel - firstChannel) * pitch)).Clear();
            for (int band = fromBand; band < endBand; band++)
            {
                (int images, int row) = Math.DivRem(band, Bands);
                row *= bandRows;
                int rows = Math.Min(bandRows, shape.OutputHeight - row);
                T* px = x.At(images, group * shape.GroupInputChannels, row * xStep.Height);
                for (int channel = firstChannel, height; channel < endChannel; channel += height)
                {
                    height = Tiles<T, V>.Height(endChannel - channel);
                    T* pdy = dy.At(images, group * channels + channel, row), at = sums + (channel - firstChannel) * pitch;
                    for (int tap = firstTap, width; tap < endTap; tap += width, at += width * lanes)
                    {
                        width = Tiles<T, V>.Width(height, endTap - tap);
                        for (int lane = 0; lane < dy.Lanes; lane += V.Count)
                            Tile(height, width, pdy + lane, px + lane, offsets + tap, rows, at + lane, pitch, lanes);
                    }
                }
            }
            for (int channel = firstChannel; channel < endChannel; channel++)
                for (int tap = firstTap; tap < endTap; tap++, sums += lanes)
                    to[(nint)(group * channels + channel) * taps + tap] += LaneSum.Of<T, V>(sums, lanes, live < dy.Lanes ? live : lanes);
        }

        void Tile(int height, int width, T* gradient, T* pixels, nint* offset, int rows, T* sums, nint pitch, int step)
        {
            switch (width)
            {
                case 1: Tile<Pixels1<V, T>, Pixels1<Scalar<T>, T>>(height, gradient, pixels, offset, rows, sums, pitch, step); break;
                case 2: Tile<Pixels2<V, T>, Pixels2<Scalar<T>, T>>(height, gradient, pixels, offset, rows, sums, pitch, step); break;
                case 3: Tile<Pixels3<V, T>, Pixels3<Scalar<T>, T>>(height, gradient, pixels, offset, rows, sums, pitch, step); break;
                default: Tile<Pixels4<V, T>, Pixels4<Scalar<T>, T>>(height, gradient, pixels, offset, rows, sums, pitch, step); break;
            }
        }

        /// <summary>A tile over some rows: whole vectors, and with vectors along the row what is left of it, number by number.</summary>
        void Tile<P, Q>(int height, T* gradient, T* pixels, nint* offset, int rows, T* sums, nint pitch, int step)
            where P : struct, IPixels<P, V, T> where Q : struct, IPixels<Q, Scalar<T>, T>
        {
            int lanes = Math.Max(dy.Lanes, V.Count), vectors = Math.DivRem(shape.OutputWidth * dy.Lanes, lanes, out int rest);
            if (vectors > 0)
                Tile<P, V>(height, gradient, pixels, offset, rows, vectors, lanes, sums, pitch, step);
            if (rest > 0)
                Tile<Q, Scalar<T>>(height, gradient + vectors * lanes, pixels + vectors * lanes, offset, rows, rest, 1, sums, pitch, step);
        }

        void Tile<P, U>(int height, T* gradient, T* pixels, nint* offset, int rows, int count, nint vector, T* sums, nint pitch, int step)
            where P : struct, IPixels<P, U, T> where U : struct, ILanes<U, T>
        {
            switch (height)
            {
                case 1: Tile<Sums1<P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
                case 2: Tile<SumsTwice<Sums1<P, U, T>, P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
                case 3: Tile<Sums3<P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
                case 4: Tile<Sums4<P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
                case 6: Tile<SumsTwice<Sums3<P, U, T>, P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
                default: Tile<SumsTwice<Sums4<P, U, T>, P, U, T>, P, U>(gradient, pixels, offset, rows, count, vector, sums, pitch, step); break;
            }
        }

        /// <summary>Some channels of dy times some taps of x, over some rows, added to their sums.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Tile<S, P, U>(T* gradient, T* pixels, nint* offset, int rows, int count, nint vector, T* to, nint pitch, int step)
            where S : struct, ISums<S, P, U, T> where P : struct, IPixels<P, U, T> where U : struct, ILanes<U, T>
        {
            nint plane = dy.PlanePitch, xVector = xStep.Width * vector;
            S sums = S.Load(to, pitch, step);
            for (int row = 0; row < rows; row++, gradient += dy.RowPitch, pixels += xStep.Height * x.RowPitch)
            {
                T* from = pixels;
                for (T* at = gradient, end = gradient + count * vector; at < end; at += vector, from += xVector)
                    sums = sums.PlusVectors(at, plane, P.Load(from, offset));
            }
            sums.Store(to, pitch, step);
        }
    }
}
