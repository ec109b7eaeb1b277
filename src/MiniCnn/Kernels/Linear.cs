using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y = b + w · x, with vectors over lanes or, with one lane, over the features of each image.</summary>
static unsafe class LinearForward
{
    /// <summary>Number of features of y in one part.</summary>
    public const int Block = 16;

    /// <summary>Overwrites y. w is [features of y, features of x]. b is null for no bias.</summary>
    public static void Run<T>(T* w, T* b, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T>
    {
        int features = x.Shape.Channels;
        if (IsRow(x))
            Simd.Run(x, Blocks(y), (nint)features * x.Count, new Dots<T>(w, b, x, y), row: features);
        else
            Multiply(new(w, features, 1), b, x, y);
    }

    /// <summary>Whether the features of an image are contiguous, so that vectors can hold features.</summary>
    public static bool IsRow<T>(LaneTensor<T> images) where T : unmanaged => images.Lanes == 1 && images.PlanePitch == 1;

    /// <summary>Computes y = b + m · x. m is w in the forward pass and the transpose of w in the backward pass.</summary>
    public static void Multiply<T>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        Simd.Run(x, Blocks(y), (nint)x.Shape.Channels * x.Blocks * x.Lanes, new Outputs<T>(m, b, x, y));

    static int Blocks<T>(LaneTensor<T> y) where T : unmanaged => (y.Shape.Channels + Block - 1) / Block;

    /// <summary>Computes features of y for all images, one vector of images at a time.</summary>
    readonly struct Outputs<T>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>
        /// Features of x that stay in the L1 cache for a block of features of y: 128 × 16 lanes × 4 bytes = 8 kB for each block of images.
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

    /// <summary>Computes features of y image by image, one vector of features of x at a time.</summary>
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

        /// <summary>Multiplies some rows of w by an image.</summary>
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

/// <summary>The gradients of a linear layer: dw += Σ dy · x over the images, dx = dy · w.</summary>
static unsafe class LinearBackward
{
    /// <summary>Number of features of x in one part.</summary>
    const int Panel = 64;

    /// <summary>Adds to dw, [features of y, features of x]. The buffer holds dy with one lane.</summary>
    public static void Weight<T>(LaneTensor<T> x, LaneTensor<T> dy, T* dw, LaneBuffer<T> buffer) where T : unmanaged, IFloatingPointIeee754<T>
    {
        LaneTensor<T> rows = dy;
        if (dy.Lanes > 1)
        {
            rows = buffer.Take(1, dy.Count, dy.Shape);
            dy.Unpack(new Span<T>(rows.At(0, 0), (int)(dy.Count * dy.Shape.Length)));
        }
        Simd.Run(x, Panels(x), nint.MaxValue, new WeightGradient<T>(x, rows, dw), row: x.Shape.Channels);
    }

    /// <summary>Overwrites dx.</summary>
    public static void Input<T>(LaneTensor<T> dy, T* w, LaneTensor<T> dx) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (LinearForward.IsRow(dx))
            Simd.Run(dx, Panels(dx), nint.MaxValue, new InputGradient<T>(w, dy, dx), row: dx.Shape.Channels);
        else
            LinearForward.Multiply(new(w, 1, dx.Shape.Channels), null, dy, dx);
    }

    static int Panels<T>(LaneTensor<T> x) where T : unmanaged => (x.Shape.Channels + Panel - 1) / Panel;

    /// <summary>Computes features of dx with one lane: dx[n,i] = Σ dy[n,o] · w[o,i], one vector of features i at a time.</summary>
    readonly struct InputGradient<T>(T* w, LaneTensor<T> dy, LaneTensor<T> dx) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int panel) where V : struct, ILanes<V, T>
        {
            int features = dx.Shape.Channels, first = panel * Panel, width = Math.Min(Panel, features - first), tail = width / V.Count * V.Count;
            for (int image = 0; image < dx.Count; image++)
                new Span<T>(dx.At(image, first, 0), width).Clear();
            Grid<T> m = new(dy.At(0, 0, 0), dy.BlockPitch, dy.PlanePitch);
            T* from = w + first, to = dx.At(0, first, 0);
            new Product<T, V>(m, new(from, features, V.Count), new(to, dx.BlockPitch, V.Count)).Add(dx.Count, dy.Shape.Channels, tail / V.Count);
            new Product<T, Scalar<T>>(m, new(from + tail, features, 1), new(to + tail, dx.BlockPitch, 1)).Add(dx.Count, dy.Shape.Channels, width - tail);
        }
    }

    /// <summary>Adds to some columns of dw: dw[o,i] += Σ dy[n,o] · x[n,i] over the images n, one vector of features i at a time.</summary>
    readonly struct WeightGradient<T>(LaneTensor<T> x, LaneTensor<T> dy, T* dw) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Rows of x: 64 images × 64 features × 4 bytes = 16 kB, half of the L1 cache.
        const int Images = 64, Block = 16;

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int panel) where V : struct, ILanes<V, T>
        {
            int features = x.Shape.Channels, outputs = dy.Shape.Channels, first = panel * Panel, width = Math.Min(Panel, features - first);
            T* memory = stackalloc T[Images * Panel + Block * Panel + 16], rows = Scratch<T>.Align(memory), sums = rows + Images * Panel;
            for (int n = 0; n < x.Count; n += Images)
            {
                int images = Math.Min(Images, x.Count - n);
                for (int i = 0; i < images; i += x.Lanes)
                    Transpose.ToRows(x.At((n + i) / x.Lanes, first, 0), x.PlanePitch, rows + i * Panel, Panel, x.Lanes, width);
                Grid<T> from = new(rows, Panel, V.Count);
                if (width == Panel)
                {
                    new Product<T, V>(new(dy.At(n, 0, 0), dy.PlanePitch, dy.BlockPitch), from, new(dw + first, features, V.Count))
                        .Add(outputs, images, Panel / V.Count);
                    continue;
                }
                for (int o = 0; o < outputs; o += Block)               // last panel: columns beyond its width are not copied back
                {
                    int block = Math.Min(Block, outputs - o);
                    Copy(dw + (nint)o * features + first, features, sums, Panel, block, width);
                    new Product<T, V>(new(dy.At(n, o, 0), dy.PlanePitch, dy.BlockPitch), from, new(sums, Panel, V.Count))
                        .Add(block, images, (width + V.Count - 1) / V.Count);
                    Copy(sums, Panel, dw + (nint)o * features + first, features, block, width);
                }
            }
        }

        static void Copy(T* from, nint fromRow, T* to, nint toRow, int rows, int width)
        {
            for (int r = 0; r < rows; r++)
                new Span<T>(from + r * fromRow, width).CopyTo(new(to + r * toRow, width));
        }
    }
}
