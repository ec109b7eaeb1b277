using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = b + w · x over lanes, or over the features of images by themselves.</summary>
static unsafe class LinearForward
{
    /// <summary>Features of y in a part's work.</summary>
    public const int Block = 16;

    /// <summary>Overwrites y. w is [features of y, features of x]; no bias where b is null.</summary>
    public static void Run<T>(T* w, T* b, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        int features = x.Shape.Channels;
        if (IsRow(x))
            Simd.Run(x, Blocks(y), (nint)features * x.Count, new Dots<T>(w, b, x, y), row: features);
        else
            Multiply(new(w, features, 1), b, x, y);
    }

    /// <summary>Whether the features of an image lie side by side, so that vectors run along them.</summary>
    public static bool IsRow<T>(LaneTensor<T> images) where T : unmanaged => images.Lanes == 1 && images.PlanePitch == 1;

    /// <summary>y = b + m · x, m being w in the forward pass and w transposed in the backward one.</summary>
    public static void Multiply<T>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.Run(x, Blocks(y), (nint)x.Shape.Channels * x.Blocks * x.Lanes, new Outputs<T>(m, b, x, y));

    static int Blocks<T>(LaneTensor<T> y) where T : unmanaged => (y.Shape.Channels + Block - 1) / Block;

    /// <summary>Features of y for all images, a vector of images at a time.</summary>
    readonly struct Outputs<T>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>
        /// As many features of x as stay in the first cache while they meet a block of y's: 128 × 16 lanes × 4 bytes = 8 kB for each block of images.
        /// </summary>
        const int Depth = 128;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int block) where V : struct, ILanes<V, T>
        {
            int first = block * Block, rows = Math.Min(Block, y.Shape.Channels - first), features = x.Shape.Channels;
            for (int r = first; r < first + rows; r++)
            {
                V start = V.Broadcast(b == null ? T.Zero : b[r]);
                for (int images = 0; images < y.Blocks; images++)
                    for (T* to = y.At(images, r, 0), end = to + y.Lanes; to < end; to += V.Count)
                        start.Store(to);
            }
            for (int k = 0; k < features; k += Depth)
                for (int lane = 0; lane < y.Lanes; lane += V.Count)
                {
                    Grid<T> from = new(x.At(0, k, 0) + lane, x.PlanePitch, x.BlockPitch), to = new(y.At(0, first, 0) + lane, y.PlanePitch, y.BlockPitch);
                    new Product<T, V>(new(m.At(first, k), m.Row, m.Column), from, to).Add(rows, Math.Min(Depth, features - k), y.Blocks);
                }
        }
    }

    /// <summary>Features of y for images by themselves, a vector of x's features at a time.</summary>
    readonly struct Dots<T>(T* w, T* b, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int block) where V : struct, ILanes<V, T>
        {
            int features = x.Shape.Channels, end = Math.Min(y.Shape.Channels, (block + 1) * Block);
            for (int image = 0; image < x.Count; image++)
                for (int o = block * Block, height; o < end; o += height)
                {
                    height = (end - o) switch { >= 8 => 8, >= 4 => 4, int left => left };      // eight sums hide the latency of a multiply-add
                    Tiles.Run<T, V, Rows<V>>(
                        height, 1, new(w + (nint)o * features, b == null ? null : b + o, x.At(image, 0, 0), features, y.At(image, o, 0), y.PlanePitch));
                }
        }

        /// <summary>Some rows of w times an image.</summary>
        readonly struct Rows<V>(T* w, T* b, T* x, int features, T* y, nint pitch) : ITileWork<T, V> where V : struct, ILanes<V, T>
        {
            [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
            public void Run<S, P>() where S : struct, ISums<S, P, V, T> where P : struct, IPixels<P, V, T>
            {
                S sums = default;
                int i = 0;
                for (; i <= features - V.Count; i += V.Count)
                    sums.Add<OnePerLane<V, T>>(w + i, 0, features, x + i, 0, 0);
                T* lanes = stackalloc T[S.Count * V.Count];
                sums.Store(lanes, V.Count, 0);
                for (int r = 0; r < S.Count; r++)
                {
                    T sum = V.Sum(V.Load(lanes + r * V.Count));
                    for (int tail = i; tail < features; tail++)
                        sum += w[(nint)r * features + tail] * x[tail];
                    y[r * pitch] = b == null ? sum : b[r] + sum;
                }
            }
        }
    }
}
