using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>The gradients of a linear layer: dw += Σ dy · x over the images, dx = dy · w.</summary>
static unsafe class LinearBackward
{
    /// <summary>Features of x in a part's work.</summary>
    const int Panel = 64;

    /// <summary>Adds to dw, [features of y, features of x]; the buffer is for dy image by image.</summary>
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

    /// <summary>Features of dx for images by themselves: dx[n,i] = Σ dy[n,o] · w[o,i], a vector of features i at a time.</summary>
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

    /// <summary>Some columns of dw: dw[o,i] += Σ dy[n,o] · x[n,i] over the images n, a vector of features i at a time.</summary>
    readonly struct WeightGradient<T>(LaneTensor<T> x, LaneTensor<T> dy, T* dw) : ILaneWork<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Rows of x: 64 images × 64 features × 4 bytes = 16 kB, half of the first cache.
        const int Images = 64, Block = 16;

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int panel) where V : struct, ILanes<V, T>
        {
            int features = x.Shape.Channels, outputs = dy.Shape.Channels, first = panel * Panel, width = Math.Min(Panel, features - first);
            T* rows = stackalloc T[Images * Panel], sums = stackalloc T[Block * Panel];
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
                for (int o = 0; o < outputs; o += Block)               // the last panel: what stands beyond its width is never copied back
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
