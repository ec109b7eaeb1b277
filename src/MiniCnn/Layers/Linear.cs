using System.Numerics;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>y[o] = b[o] + Σ w[o,i] · x[i], the sum over the input features i.</summary>
/// <remarks>Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html.</remarks>
public sealed class Linear : Layer
{
    readonly int inputFeatures, outputFeatures;

    /// <summary>A layer from inputFeatures to outputFeatures.</summary>
    /// <exception cref="ArgumentException">Features below 1.</exception>
    public Linear(int inputFeatures, int outputFeatures, bool bias = true)
    {
        if (inputFeatures < 1 || outputFeatures < 1)
            throw new ArgumentException($"features must be at least 1, not {inputFeatures} in, {outputFeatures} out");
        (this.inputFeatures, this.outputFeatures) = (inputFeatures, outputFeatures);
        Weight = new(this, "weight", outputFeatures, inputFeatures);
        Bias = bias ? new(this, "bias", outputFeatures) : null;
        Parameters = Bias is null ? [Weight] : [Weight, Bias];
        Initialize(seed: 0);
    }

    /// <summary>[outputFeatures, inputFeatures].</summary>
    public Parameter Weight { get; }

    /// <summary>[outputFeatures], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <inheritdoc/>
    public override ImageShape OutputShape(ImageShape input)
    {
        if (!input.IsFlat)
            Refuse($"takes {inputFeatures} features, not images of {input}; put a Flatten() before it");
        if (input.Channels != inputFeatures)
            Refuse($"takes {inputFeatures} features, not {input.Channels}");
        return ImageShape.Features(outputFeatures);
    }

    /// <summary>“Linear(400→10)”.</summary>
    public override string ToString() => $"Linear({inputFeatures}→{outputFeatures}{(Bias is null ? ", no bias" : "")})";

    internal override long MultiplyAdds(ImageShape input) => (long)inputFeatures * outputFeatures;

    internal override void Initialize(TorchGenerator generator) => Init.Default(generator, Weight, Bias);

    internal override void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
            Simd.Run(inputFeatures, new ForwardRow(this, row, (LaneTensor<float>)(object)y));
        else
            Forward<T, V>(x, y);
    }

    internal override void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        if (V.Count == 1 && (object)x is LaneTensor<float> { Lanes: 1 } row)
            Simd.Run(inputFeatures, new BackwardRow(this, row, (LaneTensor<float>)(object)dy, (LaneTensor<float>?)(object?)dx, (Pass<float>)(object)pass));
        else
            Backward<T, V>(x, dy, dx, pass);
    }

    // One lane: vectors lie along the features.
    readonly struct ForwardRow(Linear layer, LaneTensor<float> x, LaneTensor<float> y) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Forward<float, V>(x, y);
    }

    readonly struct BackwardRow(Linear layer, LaneTensor<float> x, LaneTensor<float> dy, LaneTensor<float>? dx, Pass<float> pass) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => layer.Backward<float, V>(x, dy, dx, pass);
    }

    unsafe void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
        {
            if (IsRow(x))
                Share(outputFeatures, (nint)inputFeatures * x.Count, new Dots<T, V>(w, b, x, y));
            else
                Multiply<T, V>(new(w, inputFeatures, 1), b, x, y);
        }
    }

    unsafe void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            int panels = (inputFeatures + Panel - 1) / Panel;
            if (Weight.Trainable)
            {
                LaneTensor<T> rows = dy;
                if (dy.Lanes > 1)
                {
                    rows = pass.Buffer(0, 1, dy.Count, dy.Shape);
                    dy.Unpack(new Span<T>(rows.At(0, 0), dy.Count * outputFeatures));
                }
                Workers.Run(panels, new WeightGradient<T, V>(x, rows, dw));
            }
            if (Bias is { Trainable: true })
                BiasGradient.Run<T, V>(dy, db);
            if (dx is null)
                return;
            if (IsRow(dx))
                Workers.Run(panels, new InputGradient<T, V>(w, dy, dx));
            else
                Multiply<T, V>(new(w, 1, inputFeatures), null, dy, dx);
        }
    }

    /// <summary>Features in a part's work on images in lanes.</summary>
    const int Block = 16;

    /// <summary>Input features in a part's work on rows of features.</summary>
    const int Panel = 64;

    /// <summary>Whether the features of an image lie side by side, so that vectors run along them.</summary>
    static bool IsRow<T>(LaneTensor<T> images) where T : unmanaged => images.Lanes == 1 && images.PlanePitch == 1;

    static void Share<W>(int features, nint products, in W work) where W : struct, IWork =>
        Workers.RunMany((features + Block - 1) / Block, products, work);

    /// <summary>y = b + m · x, m being w in the forward pass and w transposed in the backward one.</summary>
    static unsafe void Multiply<T, V>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        nint products = (nint)x.Shape.Channels * x.Groups * x.Lanes;
        if (x.Lanes == 1)
            Share(y.Shape.Channels, products, new Outputs<T, Scalar<T>>(m, b, x, y));
        else
            Share(y.Shape.Channels, products, new Outputs<T, V>(m, b, x, y));
    }

    /// <summary>Features of y for all images, a vector of images at a time.</summary>
    readonly unsafe struct Outputs<T, V>(Grid<T> m, T* b, LaneTensor<T> x, LaneTensor<T> y) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        /// <summary>As many features of x as stay in the first cache while they meet a block of y's.</summary>
        const int Depth = 128;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int block)
        {
            int first = block * Block, rows = Math.Min(Block, y.Shape.Channels - first), features = x.Shape.Channels;
            for (int r = first; r < first + rows; r++)
            {
                V start = V.Broadcast(b == null ? T.Zero : b[r]);
                for (int group = 0; group < y.Groups; group++)
                    for (T* to = y.At(group, r, 0), end = to + y.Lanes; to < end; to += V.Count)
                        start.Store(to);
            }
            for (int k = 0; k < features; k += Depth)
                for (int lane = 0; lane < y.Lanes; lane += V.Count)
                {
                    Grid<T> from = new(x.At(0, k, 0) + lane, x.PlanePitch, x.GroupPitch), to = new(y.At(0, first, 0) + lane, y.PlanePitch, y.GroupPitch);
                    new Product<T, V>(new(m.At(first, k), m.Row, m.Column), from, to).Add(rows, Math.Min(Depth, features - k), y.Groups);
                }
        }
    }

    /// <summary>Features of y for images by themselves, a vector of x's features at a time.</summary>
    readonly unsafe struct Dots<T, V>(T* w, T* b, LaneTensor<T> x, LaneTensor<T> y) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int block)
        {
            for (int image = 0; image < x.Count; image++)
                for (int o = block * Block; o < Math.Min(y.Shape.Channels, (block + 1) * Block); o += 4)
                    Four(image, o);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Four(int image, int o)
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

    /// <summary>Features of dx for images by themselves: dx[n,i] = Σ dy[n,o] · w[o,i], a vector of features i at a time.</summary>
    readonly unsafe struct InputGradient<T, V>(T* w, LaneTensor<T> dy, LaneTensor<T> dx) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int panel)
        {
            int features = dx.Shape.Channels, first = panel * Panel, width = Math.Min(Panel, features - first), tail = width / V.Count * V.Count;
            for (int image = 0; image < dx.Count; image++)
                new Span<T>(dx.At(image, first, 0), width).Clear();
            Grid<T> m = new(dy.At(0, 0, 0), dy.GroupPitch, dy.PlanePitch);
            T* from = w + first, to = dx.At(0, first, 0);
            new Product<T, V>(m, new(from, features, V.Count), new(to, dx.GroupPitch, V.Count)).Add(dx.Count, dy.Shape.Channels, tail / V.Count);
            new Product<T, Scalar<T>>(m, new(from + tail, features, 1), new(to + tail, dx.GroupPitch, 1)).Add(dx.Count, dy.Shape.Channels, width - tail);
        }
    }

    /// <summary>Some columns of dw: dw[o,i] += Σ dy[n,o] · x[n,i] over the images n, a vector of features i at a time.</summary>
    readonly unsafe struct WeightGradient<T, V>(LaneTensor<T> x, LaneTensor<T> dy, T* dw) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        const int Images = 64;

        [SkipLocalsInit]
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int panel)
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
                    new Product<T, V>(new(dy.At(n, 0, 0), dy.PlanePitch, dy.GroupPitch), from, new(dw + first, features, V.Count))
                        .Add(outputs, images, Panel / V.Count);
                    continue;
                }
                for (int o = 0; o < outputs; o += Block)               // the last panel: what stands beyond its width is never copied back
                {
                    int block = Math.Min(Block, outputs - o);
                    Copy(dw + (nint)o * features + first, features, sums, Panel, block, width);
                    new Product<T, V>(new(dy.At(n, o, 0), dy.PlanePitch, dy.GroupPitch), from, new(sums, Panel, V.Count))
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
