using System.Numerics;

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

    internal override void Initialize(TorchGenerator generator) => KaimingUniform.Draw(generator, Weight, Bias);

    internal override unsafe void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            Workers.Run(Product<T, V>.Blocks(outputFeatures), new Outputs<T, V>(new(w, inputFeatures, 1), b, x, y));
    }

    internal override unsafe void Backward<T, V>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, Pass<T> pass)
    {
        fixed (T* w = Weight.ValueAs<T>(), dw = Weight.GradientAs<T>(), db = Bias is null ? [] : Bias.GradientAs<T>())
        {
            if (Weight.Trainable)
            {
                // Images as rows of features, so that a vector of dw takes a vector of x.
                LaneTensor<T> rows = pass.Buffer(0, 1, x.Count, x.Shape);
                x.Unpack(new Span<T>(rows.At(0, 0), x.Count * inputFeatures));
                Workers.Run(Product<T, V>.Blocks(outputFeatures), new WeightGradient<T, V>(rows, dy, dw));
            }
            if (Bias is { Trainable: true })
                BiasGradient.Run<T, V>(dy, db);
            if (dx is not null)
                Workers.Run(Product<T, V>.Blocks(inputFeatures), new Outputs<T, V>(new(w, 1, inputFeatures), null, dy, dx));
        }
    }

    /// <summary>Four features of y for all images: y = b + m · x, m being w in the forward pass and w transposed in the backward one.</summary>
    readonly unsafe struct Outputs<T, V>(Product<T, V> m, T* b, LaneTensor<T> x, LaneTensor<T> y) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int block)
        {
            int first = block * Product<T, V>.Rows, rows = Math.Min(Product<T, V>.Rows, y.Shape.Channels - first);
            T* start = stackalloc T[Product<T, V>.Rows];
            for (int r = 0; r < rows; r++)
                start[r] = b == null ? T.Zero : b[first + r];
            for (int lane = 0; lane < y.Lanes; lane += V.Count)
            {
                m.Add(
                    first, rows, x.Shape.Channels, start, x.At(0, 0, 0) + lane, x.PlanePitch, x.GroupPitch,
                    y.At(0, first, 0) + lane, y.PlanePitch, y.GroupPitch, y.Groups);
            }
        }
    }

    /// <summary>Four rows of dw: dw[o,i] += Σ dy[n,o] · x[n,i] over the images n, a vector of features i at a time.</summary>
    readonly unsafe struct WeightGradient<T, V>(LaneTensor<T> x, LaneTensor<T> dy, T* dw) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        public void Run(int block)
        {
            int features = x.Shape.Channels, vectors = features / V.Count, tail = vectors * V.Count;
            int first = block * Product<T, V>.Rows, rows = Math.Min(Product<T, V>.Rows, dy.Shape.Channels - first);
            for (int group = 0; group < dy.Groups; group++)
            {
                int images = Math.Min(dy.Lanes, dy.Count - group * dy.Lanes);
                T* px = x.At(group * dy.Lanes, 0, 0), to = dw + (nint)first * features;
                new Product<T, V>(dy.At(group, first, 0), dy.PlanePitch, 1)
                    .Add(0, rows, images, null, px, features, V.Count, to, features, V.Count, vectors);
                new Product<T, Scalar<T>>(dy.At(group, first, 0), dy.PlanePitch, 1)
                    .Add(0, rows, images, null, px + tail, features, 1, to + tail, features, 1, features - tail);
            }
        }
    }
}
