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
        Run(new(this, x, dy, dx, null, image, means, new(AcrossPlanes(x), x, dy, dx)));
        dx.ClearDeadLanes();
    }

    /// <summary>Computes the means of dx̂ and of dx̂·x̂ over a plane.</summary>
    readonly struct PlaneMeans(ImageNorm<T> norm, LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> planes, LaneTensor<T> image) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            (int block, int c) = Math.DivRem(plane, x.Shape.Channels);
            int at = norm.SetOf(x, c) * x.Lanes, step = norm.perChannel == 1 ? 0 : 1;
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

    /// <summary>Computes the means of dx̂ and of dx̂·x̂ over a set.</summary>
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

    /// <summary>
    /// Adds to dweight and dbias for one weight per channel. Each plane is summed separately for each lane; lanes and blocks are added in double.
    /// </summary>
    public void ChannelGradients(LaneTensor<T> x, LaneTensor<T> dy, T* dweight, T* dbias, ImageNormBuffers<T> buffers)
    {
        if (dweight is not null)
            Simd.Run(x, x.Shape.Channels, x.Blocks * x.PlanePitch, new ChannelWeights(this, x, dy, Statistics(buffers), dweight));
        if (dbias is not null)
            BiasGradient.Run(dy, dbias);
    }

    /// <summary>Adds to dweight and dbias for one weight per pixel: sums over the lanes, block by block.</summary>
    public static void PixelGradients(LaneTensor<T> x, LaneTensor<T> dy, T* dweight, T* dbias, ImageNormBuffers<T> buffers)
    {
        Lines<T> lines = new(acrossPlanes: x.Lanes == 1, x, dy);
        PixelWeights work = new(x, dy, Statistics(buffers), dweight, dbias, lines);
        Simd.Run(x, lines.Count, lines.Size * x.Blocks, work, LaneTensor<T>.FullLanes);
    }

    readonly struct ChannelWeights(ImageNorm<T> norm, LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> image, T* dweight) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int c) where V : struct, ILanes<V, T>
        {
            T* lanes = stackalloc T[LaneTensor<T>.FullLanes];
            int set = norm.SetOf(x, c) * x.Lanes;
            double sum = 0;
            for (int block = 0; block < x.Blocks; block++)
            {
                T* mean = image.At(block, 0, 0) + set, inverse = image.At(block, 1, 0) + set;
                for (int lane = 0; lane < x.Lanes; lane += V.Count)
                {
                    V products = PlaneSum.Of<T, V, ProductTerm<V, T>>(x, dy, block * x.Shape.Channels + c, lane, new(V.Load(mean + lane)));
                    (products * V.Load(inverse + lane)).Store(lanes + lane);
                }
                for (int lane = 0; lane < Math.Min(x.Lanes, x.Count - block * x.Lanes); lane++)         // without dead lanes
                    sum += double.CreateTruncating(lanes[lane]);
            }
            dweight[c] += T.CreateTruncating(sum);
        }
    }

    readonly struct PixelWeights(
        LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T> image, T* dweight, T* dbias, Lines<T> lines) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (_, int start, int rows, int numbers) = lines.Of(part);
            for (int line = 0; line < rows * x.Blocks; line++)
            {
                (int block, int row) = Math.DivRem(line, rows);
                int first = start + row * x.Shape.Width;
                T* px = x.Pixel(block, first), pdy = dy.Pixel(block, first), mean = image.At(block, 0, 0), inverse = image.At(block, 1, 0);
                if (x.Lanes > 1)
                    AcrossLanes<V>(px, pdy, mean, inverse, Math.Min(x.Lanes, x.Count - block * x.Lanes), first, numbers);
                else
                {
                    int i = 0;
                    for (; i <= numbers - V.Count; i += V.Count)
                        Along<V>(px + i, pdy + i, *mean, *inverse, first + i);
                    for (; i < numbers; i++)
                        Along<Scalar<T>>(px + i, pdy + i, *mean, *inverse, first + i);
                }
            }
        }

        /// <summary>Adds a vector of pixels of one image.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Along<V>(T* px, T* pdy, T mean, T inverse, int at) where V : struct, ILanes<V, T>
        {
            V gradient = V.Load(pdy), product = gradient * ((V.Load(px) - V.Broadcast(mean)) * V.Broadcast(inverse));
            if (dweight is not null)
                (V.Load(dweight + at) + product).Store(dweight + at);
            if (dbias is not null)
                (V.Load(dbias + at) + gradient).Store(dbias + at);
        }

        /// <summary>Adds the sums over the lanes of a block of images, pixel by pixel.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void AcrossLanes<V>(T* px, T* pdy, T* mean, T* inverse, int live, int at, int numbers) where V : struct, ILanes<V, T>
        {
            T* gradients = stackalloc T[LaneTensor<T>.FullLanes], products = stackalloc T[LaneTensor<T>.FullLanes];
            for (int i = 0; i < numbers; i += x.Lanes, at++)
            {
                for (int lane = 0; lane < x.Lanes; lane += V.Count)
                {
                    V gradient = V.Load(pdy + i + lane);
                    gradient.Store(gradients + lane);
                    (gradient * ((V.Load(px + i + lane) - V.Load(mean + lane)) * V.Load(inverse + lane))).Store(products + lane);
                }
                if (dweight is not null)
                    dweight[at] += LaneSum.Of<T, V>(products, x.Lanes, live);
                if (dbias is not null)
                    dbias[at] += LaneSum.Of<T, V>(gradients, x.Lanes, live);
            }
        }
    }
}
