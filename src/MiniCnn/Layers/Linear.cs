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

    internal override void Initialize(TorchGenerator generator) => KaimingUniform.Draw(generator, Weight, Bias);

    internal override unsafe void Forward<T, V>(LaneTensor<T> x, LaneTensor<T> y, Pass<T> pass)
    {
        fixed (T* w = Weight.ValueAs<T>(), b = Bias is null ? [] : Bias.ValueAs<T>())
            Workers.Run(y.Groups * Blocks(outputFeatures), new Product<T, V>(w, inputFeatures, 1, b, x, y));
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
                Workers.Run(outputFeatures, new WeightGradient<T, V>(rows, dy, dw));
            }
            if (Bias is { Trainable: true })
                Conv2dBackwardWeight.RunBias<T, V>(dy, db);
            if (dx is not null)
                Workers.Run(dx.Groups * Blocks(inputFeatures), new Product<T, V>(w, 1, inputFeatures, null, dy, dx));
        }
    }

    static int Blocks(int features) => (features + 3) / 4;

    /// <summary>
    /// Four features of to, for one group: to[r] = b[r] + Σ w[r·rowStep + k·columnStep] · from[k]. Forward takes w's rows, backward its columns.
    /// </summary>
    readonly unsafe struct Product<T, V>(T* w, nint rowStep, nint columnStep, T* b, LaneTensor<T> from, LaneTensor<T> to) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int part)
        {
            int features = to.Shape.Channels, last = features - 1;
            (int group, int block) = Math.DivRem(part, Blocks(features));
            int r0 = 4 * block, r1 = Math.Min(r0 + 1, last), r2 = Math.Min(r0 + 2, last), r3 = Math.Min(r0 + 3, last);
            T* w0 = w + r0 * rowStep, w1 = w + r1 * rowStep, w2 = w + r2 * rowStep, w3 = w + r3 * rowStep;
            for (int lane = 0; lane < to.Lanes; lane += V.Count)
            {
                V sum0 = Bias(r0), sum1 = Bias(r1), sum2 = Bias(r2), sum3 = Bias(r3);
                T* x = from.At(group, 0, 0) + lane;
                nint at = 0;
                for (int k = 0; k < from.Shape.Channels; k++, at += columnStep, x += from.PlanePitch)
                {
                    V value = V.Load(x);
                    sum0 = V.MultiplyAdd(V.Broadcast(w0[at]), value, sum0);
                    sum1 = V.MultiplyAdd(V.Broadcast(w1[at]), value, sum1);
                    sum2 = V.MultiplyAdd(V.Broadcast(w2[at]), value, sum2);
                    sum3 = V.MultiplyAdd(V.Broadcast(w3[at]), value, sum3);
                }
                sum0.Store(to.At(group, r0, 0) + lane);
                sum1.Store(to.At(group, r1, 0) + lane);                 // past the last feature, the last one once more
                sum2.Store(to.At(group, r2, 0) + lane);
                sum3.Store(to.At(group, r3, 0) + lane);
            }
        }

        V Bias(int r) => V.Broadcast(b == null ? T.Zero : b[r]);
    }

    /// <summary>One row of dw: dw[o,i] += Σ dy[n,o] · x[n,i] over the images n.</summary>
    readonly unsafe struct WeightGradient<T, V>(LaneTensor<T> rows, LaneTensor<T> dy, T* dw) : IWork
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int o)
        {
            int features = rows.Shape.Channels;
            T* to = dw + (nint)o * features;
            for (int n = 0; n < dy.Count; n++)
            {
                T gradient = dy.At(n / dy.Lanes, o, 0)[n % dy.Lanes];
                T* x = rows.At(n, 0, 0);
                int i = 0;
                for (V g = V.Broadcast(gradient); i <= features - V.Count; i += V.Count)
                    V.MultiplyAdd(g, V.Load(x + i), V.Load(to + i)).Store(to + i);
                for (; i < features; i++)
                    to[i] = T.MultiplyAddEstimate(gradient, x[i], to[i]);
            }
        }
    }
}
