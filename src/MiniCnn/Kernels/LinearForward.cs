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
            for (int image = 0; image < x.Count; image++)
                for (int o = block * Block; o < Math.Min(y.Shape.Channels, (block + 1) * Block); o += 4)
                    Four<V>(image, o);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Four<V>(int image, int o) where V : struct, ILanes<V, T>
        {
            int features = x.Shape.Channels, rows = Math.Min(4, y.Shape.Channels - o);
            T* px = x.At(image, 0, 0), w0 = w + (nint)o * features;
            T* w1 = w0 + Math.Min(1, rows - 1) * features, w2 = w0 + Math.Min(2, rows - 1) * features, w3 = w0 + (rows - 1) * features;
            V s0 = V.Broadcast(T.Zero), s1 = s0, s2 = s0, s3 = s0;
            int i = 0;
            for (; i <= features - V.Count; i += V.Count)
            {
                V from = V.Load(px + i);
                s0 = V.MultiplyAdd(V.Load(w0 + i), from, s0);
                s1 = V.MultiplyAdd(V.Load(w1 + i), from, s1);
                s2 = V.MultiplyAdd(V.Load(w2 + i), from, s2);
                s3 = V.MultiplyAdd(V.Load(w3 + i), from, s3);
            }
            T* sums = stackalloc T[4 * V.Count];
            s0.Store(sums);
            s1.Store(sums + V.Count);
            s2.Store(sums + 2 * V.Count);
            s3.Store(sums + 3 * V.Count);
            for (int r = 0; r < rows; r++)
            {
                T sum = LaneSum.Of<T, V>(sums + r * V.Count, V.Count, V.Count);
                for (int tail = i; tail < features; tail++)
                    sum += w[(nint)(o + r) * features + tail] * px[tail];
                *y.At(image, o + r, 0) = b == null ? sum : b[o + r] + sum;
            }
        }
    }
}
