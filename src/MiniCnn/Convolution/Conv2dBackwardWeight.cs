using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>dw += ∂⟨y, dy⟩/∂w over lanes.</summary>
/// <remarks>
/// dw[oc, tap] is the dot product of dy[oc] and of what the tap reads of x. A tile keeps the sums of four channels and three taps in registers
/// over a few rows; between these the sums lie in memory, a number a lane, and the lanes are added up at the end. Every weight is
/// summed by one worker, in the order of images and pixels.
/// </remarks>
static unsafe class Conv2dBackwardWeight
{
    /// <summary>Adds to dw. x has the padding as its margin.</summary>
    public static void Run<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, Pass<T> pass)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        int taps = shape.GroupInputChannels * shape.Window.Taps;
        fixed (nint* offsets = pass.Places(0, taps + 2))
        {
            Conv2dForward.Offsets(shape, x, offsets);
            offsets[taps] = offsets[taps + 1] = offsets[taps - 1];            // a last tile computes the last tap more than once
            Kernels<T, V> work = new(shape, x, dy, dw, offsets, taps);
            Workers.Run(work.Parts, work);
        }
    }

    /// <summary>Some taps of four output channels.</summary>
    readonly struct Kernels<T, V>(Conv2dShape shape, LaneTensor<T> x, LaneTensor<T> dy, T* dw, nint* offsets, int taps) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        const int TileChannels = 4, TileTaps = 3, TileSums = TileChannels * TileTaps, MostTiles = 24;

        readonly int tiles = Math.Clamp(
            (taps + TileTaps - 1) / TileTaps * Panels(shape) * shape.Groups / 16, 1, MostTiles);   // 16 parts or more, if there are so many tiles

        public int Parts => shape.Groups * Panels(shape) * Blocks;

        int Blocks => (taps + tiles * TileTaps - 1) / (tiles * TileTaps);

        static int Panels(Conv2dShape shape) => (shape.GroupOutputChannels + TileChannels - 1) / TileChannels;

        public void Run(int part)
        {
            (int panel, int block) = Math.DivRem(part, Blocks);
            (int group, int first) = Math.DivRem(panel, Panels(shape));
            int channel = group * shape.GroupOutputChannels + first * TileChannels;
            int channels = Math.Min(TileChannels, shape.GroupOutputChannels - first * TileChannels);
            int tap = block * tiles * TileTaps, end = Math.Min(taps, tap + tiles * TileTaps);
            T* sums = stackalloc T[MostTiles * TileSums * LaneTensor<T>.FullLanes];
            Add(0, dy.FullGroups, dy.Lanes, group, channel, channels, tap, end, sums);
            Add(dy.FullGroups, dy.Groups, dy.Count % dy.Lanes, group, channel, channels, tap, end, sums);      // dead lanes stay out
        }

        /// <summary>Adds what a range of image groups, with so many live lanes, contributes.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Add(int fromGroup, int endGroup, int live, int group, int channel, int channels, int firstTap, int endTap, T* sums)
        {
            if (fromGroup == endGroup)
                return;
            int lanes = dy.Lanes, bandRows = Math.Clamp(48 / shape.OutputWidth, 1, shape.OutputHeight);
            new Span<T>(sums, tiles * TileSums * lanes).Clear();
            for (int images = fromGroup; images < endGroup; images++)
                for (int row = 0; row < shape.OutputHeight; row += bandRows)
                {
                    T* px = x.At(images, group * shape.GroupInputChannels, row * shape.Rows.Stride), pdy = dy.At(images, channel, row), to = sums;
                    int rows = Math.Min(bandRows, shape.OutputHeight - row);
                    for (int tap = firstTap; tap < endTap; tap += TileTaps)
                        for (int lane = 0; lane < lanes; lane += V.Count, to += TileSums * V.Count)
                            Tile(pdy + lane, channels, px + lane, offsets + tap, rows, to);
                }
            // A tile's sums lie by parts of a vector's width, then channels, then taps, then lanes.
            T* all = stackalloc T[LaneTensor<T>.FullLanes];
            for (int tap = firstTap; tap < endTap; tap++)
                for (int c = 0; c < channels; c++)
                {
                    T* tile = sums + (nint)((tap - firstTap) / TileTaps) * TileSums * lanes + (c * TileTaps + (tap - firstTap) % TileTaps) * V.Count;
                    for (int lane = 0; lane < lanes; lane++)
                        all[lane] = tile[lane / V.Count * TileSums * V.Count + lane % V.Count];
                    dw[(nint)(channel + c) * taps + tap] += LaneSum.Of(all, lanes, live);
                }
        }

        /// <summary>Four channels of dy times three taps of x, over some rows, added to twelve sums.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Tile(T* gradient, int channels, T* pixels, nint* offset, int rows, T* sums)
        {
            nint plane = dy.PlanePitch, pixel = dy.Lanes, xPixel = shape.Columns.Stride * pixel, width = shape.OutputWidth * pixel;
            nint c1 = channels > 1 ? plane : 0, c2 = channels > 2 ? 2 * plane : c1, c3 = channels > 3 ? 3 * plane : c2;   // missing ones repeat
            nint o0 = offset[0], o1 = offset[1], o2 = offset[2];
            Pixels3<V, T> s0 = Pixels3<V, T>.Load(sums, V.Count), s1 = Pixels3<V, T>.Load(sums + 3 * V.Count, V.Count);
            Pixels3<V, T> s2 = Pixels3<V, T>.Load(sums + 6 * V.Count, V.Count), s3 = Pixels3<V, T>.Load(sums + 9 * V.Count, V.Count);
            for (int row = 0; row < rows; row++, gradient += dy.RowPitch, pixels += shape.Rows.Stride * x.RowPitch)
            {
                T* from = pixels;
                for (T* at = gradient, end = gradient + width; at < end; at += pixel, from += xPixel)
                {
                    Pixels3<V, T> taps = new(V.Load(from + o0), V.Load(from + o1), V.Load(from + o2));
                    s0 = s0.Plus(V.Load(at), taps);
                    s1 = s1.Plus(V.Load(at + c1), taps);
                    s2 = s2.Plus(V.Load(at + c2), taps);
                    s3 = s3.Plus(V.Load(at + c3), taps);
                }
            }
            s0.Store(sums, V.Count);
            s1.Store(sums + 3 * V.Count, V.Count);
            s2.Store(sums + 6 * V.Count, V.Count);
            s3.Store(sums + 9 * V.Count, V.Count);
        }
    }
}
