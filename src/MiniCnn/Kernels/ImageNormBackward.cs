using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <content>dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon) with dx̂ = dy · weight.</content>
readonly unsafe partial struct ImageNorm<T>
{
    public void Backward(LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> dx, ImageNormBuffers<T> buffers)
    {
        LaneTensor<T> planes = buffers.Planes.Kept, image = buffers.Image.Kept, means = buffers.Means.Take(x, image.Shape);
        Simd.RunPlanes(x, new PlaneMeans(this, x, dy, planes, image));
        RunSets(x, new SetMeans(sets, planes, means));
        Simd.RunPlanes(x, new Gradient(this, x, dy, dx, image, means));
        if (dx.Blocks > 0)
            dx.ClearDeadLanes(dx.Blocks - 1);
    }

    /// <summary>Means of dx̂ and of dx̂·x̂ over a plane.</summary>
    readonly struct PlaneMeans(ImageNorm<T> norm, LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> planes, LaneTensor<T> image) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            (int block, int c) = Math.DivRem(plane, x.Shape.Channels);
            int at = norm.SetOf(x, c) * x.Lanes, step = norm.step;
            V zero = V.Broadcast(T.Zero), pixels = V.Broadcast(T.CreateTruncating(x.Shape.Height * x.Shape.Width));
            for (int lane = 0; lane < x.Lanes; lane += V.Count)
            {
                V mean = V.Load(image.At(block, 0, 0) + at + lane), inverse = V.Load(image.At(block, 1, 0) + at + lane), sum = zero, products = zero;
                T* w = norm.weight + (nint)c * norm.perChannel;
                for (int row = 0; row < x.Shape.Height; row++)
                {
                    T* px = x.At(plane, row) + lane, pdy = dy.At(plane, row) + lane;
                    V ofRow = zero, productsOfRow = zero;
                    for (int i = 0; i < x.RowLength; i += x.Lanes, w += step)
                    {
                        V gradient = V.Load(pdy + i) * V.Broadcast(*w);
                        ofRow += gradient;
                        productsOfRow = V.MultiplyAdd(gradient, (V.Load(px + i) - mean) * inverse, productsOfRow);
                    }
                    (sum, products) = (sum + ofRow, products + productsOfRow);
                }
                (sum / pixels).Store(planes.At(block, 0, 0) + c * x.Lanes + lane);
                (products / pixels).Store(planes.At(block, 1, 0) + c * x.Lanes + lane);
            }
        }
    }

    /// <summary>The same means over a set.</summary>
    readonly struct SetMeans(int sets, LaneTensor<T> planes, LaneTensor<T> means) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int set) = Math.DivRem(part, sets);
            for (int channel = 0; channel < 2; channel++)
                for (int lane = 0; lane < planes.Lanes; lane += V.Count)
                    Mean<V, ValueTerm<V, T>>(sets, planes, block, set, lane, channel, default).Store(means.At(block, channel, 0) + set * means.Lanes + lane);
        }
    }

    readonly struct Gradient(
        ImageNorm<T> norm, LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> dx, LaneTensor<T> image, LaneTensor<T> means) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            (int block, int c) = Math.DivRem(plane, x.Shape.Channels);
            int at = norm.SetOf(x, c) * x.Lanes, step = norm.step;
            for (int lane = 0; lane < x.Lanes; lane += V.Count)
            {
                V mean = V.Load(image.At(block, 0, 0) + at + lane), inverse = V.Load(image.At(block, 1, 0) + at + lane);
                V share = V.Load(means.At(block, 0, 0) + at + lane), slope = inverse * V.Load(means.At(block, 1, 0) + at + lane);
                T* w = norm.weight + (nint)c * norm.perChannel;
                for (int row = 0; row < x.Shape.Height; row++)
                {
                    T* px = x.At(plane, row) + lane, pdy = dy.At(plane, row) + lane, pdx = dx.At(plane, row) + lane;
                    for (int i = 0; i < x.RowLength; i += x.Lanes, w += step)
                    {
                        V shared = V.MultiplyAdd(V.Load(px + i) - mean, slope, share);
                        ((V.Load(pdy + i) * V.Broadcast(*w) - shared) * inverse).Store(pdx + i);
                    }
                }
            }
        }
    }
}
