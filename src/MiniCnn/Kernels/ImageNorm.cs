using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The common computation of <see cref="GroupNorm"/> and <see cref="LayerNorm"/>: y = x̂ · weight + bias with x̂ = (x − mean) / √(variance + epsilon).
/// Mean and biased variance are those of a set of neighboring channels of one image, separately for each lane.
/// </summary>
/// <remarks>
/// Mean and variance are computed first for each plane, to give all threads work and to keep rounding errors small, then for the k channels of a set:
/// <code>
/// mean = Σ mean[c] / k,  variance = Σ (variance[c] + (mean[c] − mean)²) / k
/// dx̂ = dy · weight,  dx = (dx̂ − Mean(dx̂) − x̂ · Mean(dx̂·x̂)) / √(variance + epsilon)
/// </code>
/// Mean(…) is the mean over the set.
/// Source: Chan, Golub and LeVeque, “Algorithms for computing the sample variance”, 1983; Wu and He, “Group normalization”, 2018.
/// </remarks>
/// <param name="sets">Number of sets of channels in an image.</param>
/// <param name="perChannel">Number of weights for each channel: one, or one for each pixel.</param>
/// <param name="weight">[channels · perChannel].</param>
readonly unsafe partial struct ImageNorm<T>(int sets, int perChannel, T* weight) where T : unmanaged, IFloatingPointIeee754<T>
{
    readonly int sets = sets, perChannel = perChannel;
    readonly T* weight = weight;

    public void Forward(LaneTensor<T> x, LaneTensor<T> y, T* bias, double epsilon, ImageNormBuffers<T> buffers)
    {
        LaneTensor<T> planes = buffers.Planes.Take(x, new(2, 1, x.Shape.Channels)), image = buffers.Image.Take(x, new(2, 1, sets));
        Simd.RunPlanes(x, new PlaneMoments(x, planes));
        RunSets(x, new SetMoments(sets, planes, image, T.CreateTruncating(epsilon)));
        Run(new(this, x, null, y, bias, image, image, new(AcrossPlanes(x), x, y)));
    }

    /// <summary>Statistics of the forward pass for each set and lane: the mean in channel 0, 1 / √(variance + epsilon) in channel 1.</summary>
    static LaneTensor<T> Statistics(ImageNormBuffers<T> buffers) => buffers.Image.Kept;

    void RunSets<W>(LaneTensor<T> x, in W work) where W : struct, ILaneWork<T> =>
        Simd.Run(x, x.Blocks * sets, x.Shape.Channels / sets * x.Lanes, work);

    int SetOf(LaneTensor<T> x, int channel) => channel / (x.Shape.Channels / sets);

    /// <summary>Computes mean and variance of a plane.</summary>
    readonly struct PlaneMoments(LaneTensor<T> x, LaneTensor<T> planes) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int plane) where V : struct, ILanes<V, T>
        {
            (int block, int c) = Math.DivRem(plane, x.Shape.Channels);
            V pixels = V.Broadcast(T.CreateTruncating(x.Shape.Height * x.Shape.Width));
            for (int lane = 0; lane < x.Lanes; lane += V.Count)
            {
                V mean = PlaneSum.Of<T, V, ValueTerm<V, T>>(x, x, plane, lane, default) / pixels;
                mean.Store(planes.At(block, 0, 0) + c * x.Lanes + lane);
                (PlaneSum.Of<T, V, SquareTerm<V, T>>(x, x, plane, lane, new(mean)) / pixels).Store(planes.At(block, 1, 0) + c * x.Lanes + lane);
            }
        }
    }

    /// <summary>Computes mean and 1 / √(variance + epsilon) of a set.</summary>
    readonly struct SetMoments(int sets, LaneTensor<T> planes, LaneTensor<T> image, T epsilon) : ILaneWork<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int set) = Math.DivRem(part, sets);
            for (int lane = 0; lane < planes.Lanes; lane += V.Count)
            {
                V mean = Mean<V, ValueTerm<V, T>>(sets, planes, block, set, lane, channel: 0, default);
                V within = Mean<V, ValueTerm<V, T>>(sets, planes, block, set, lane, channel: 1, default);
                V between = Mean<V, SquareTerm<V, T>>(sets, planes, block, set, lane, channel: 0, new(mean));
                mean.Store(image.At(block, 0, 0) + set * image.Lanes + lane);
                (V.Broadcast(T.One) / V.Sqrt(within + between + V.Broadcast(epsilon))).Store(image.At(block, 1, 0) + set * image.Lanes + lane);
            }
        }
    }

    /// <summary>Whether a line may cross channels: all channels belong to one set, and neighboring elements of the image have neighboring weights.</summary>
    bool AcrossPlanes(LaneTensor<T> x) => sets == 1 && perChannel == x.Shape.Height * x.Shape.Width;

    static void Run(in Apply work) => Simd.Run(work.To, work.To.Blocks * work.Lines.Count, work.Lines.Size, work, work.Lines.Length);

    /// <summary>Computes y, or dx if dy is not null, for lines of pixels of one set.</summary>
    readonly struct Apply(
        ImageNorm<T> norm, LaneTensor<T> x, LaneTensor<T>? dy, LaneTensor<T> to, T* bias, LaneTensor<T> image, LaneTensor<T> means, Lines<T> lines)
        : ILaneWork<T>
    {
        public readonly LaneTensor<T> To = to;
        public readonly Lines<T> Lines = lines;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, T>
        {
            (int block, int first, int rows, int numbers) = Lines.Of(part);
            int lanes = x.Lanes, pixels = numbers / lanes, plane = x.Shape.Height * x.Shape.Width, set = norm.SetOf(x, first / plane) * lanes;
            bool along = lanes < V.Count, perPixel = norm.perChannel == plane;
            int across = along ? V.Count : 1;
            if (pixels < across)
            {
                Run<Scalar<T>>(part);
                return;
            }
            V Statistic(LaneTensor<T> of, int channel, int lane) =>
                along ? V.Broadcast(of.At(block, channel, 0)[set]) : V.Load(of.At(block, channel, 0) + set + lane);
            V Weight(T* weights, int pixel) => !perPixel ? V.Broadcast(*weights) : along ? V.Load(weights + pixel) : V.Broadcast(weights[pixel]);

            for (; rows > 0; rows--, first += x.Shape.Width)
            {
                T* px = x.Pixel(block, first), pdy = dy is null ? null : dy.Pixel(block, first), pto = To.Pixel(block, first);
                T* w = norm.weight + (perPixel ? first : first / plane), b = bias + (perPixel ? first : first / plane);
                for (int lane = 0; lane < lanes; lane += V.Count)
                {
                    V mean = Statistic(image, 0, lane), inverse = Statistic(image, 1, lane);
                    V share = Statistic(means, 0, lane), slope = inverse * Statistic(means, 1, lane);
                    for (int pixel = 0; pixel < pixels; pixel += across)
                    {
                        int p = Math.Min(pixel, pixels - across), i = p * lanes + lane;                     // the last vector overlaps the one before it
                        V centered = V.Load(px + i) - mean;
                        V result = pdy == null
                            ? V.MultiplyAdd(centered * inverse, Weight(w, p), Weight(b, p))
                            : (V.Load(pdy + i) * Weight(w, p) - V.MultiplyAdd(centered, slope, share)) * inverse;
                        result.Store(pto + i);
                    }
                }
            }
        }
    }

    /// <summary>
    /// Returns the mean of a term over the planes of a set. Summing in blocks limits the error to about 64 roundings instead of one rounding per channel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static V Mean<V, F>(int sets, LaneTensor<T> planes, int block, int set, int lane, int channel, F term)
        where V : struct, ILanes<V, T> where F : struct, ITerm<V, T>
    {
        const int Block = 64;
        int count = planes.Shape.Width / sets;
        T* from = planes.At(block, channel, 0) + set * count * planes.Lanes + lane;
        V total = V.Broadcast(T.Zero);
        for (int first = 0; first < count; first += Block)
        {
            V sum = V.Broadcast(T.Zero);
            for (int i = first; i < Math.Min(count, first + Block); i++)
                sum += term.Of(from + i * planes.Lanes, from + i * planes.Lanes);
            total += sum;
        }
        return total / V.Broadcast(T.CreateTruncating(count));
    }
}

/// <summary>Reusable memory of an <see cref="ImageNorm{T}"/>.</summary>
sealed class ImageNormBuffers<T> where T : unmanaged
{
    /// <summary>
    /// Two channels for each lane: the statistics of the planes; mean and 1 / √(variance + epsilon) of the sets; Mean(dx̂) and Mean(dx̂·x̂) of the sets.
    /// </summary>
    public readonly LaneBuffer<T> Planes = new(), Image = new(), Means = new();
}
