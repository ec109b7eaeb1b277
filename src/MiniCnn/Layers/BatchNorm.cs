using System.Numerics;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;

namespace MiniCnn;

/// <summary>
/// y = (x − mean[c]) / √(variance[c] + epsilon) · weight[c] + bias[c]: in training by the mean and the biased variance of the batch's channel,
/// in evaluation by the running ones. <see cref="BatchNorm2d"/> of images, <see cref="BatchNorm1d"/> of features.
/// </summary>
/// <remarks>
/// <code>
/// running ← (1 − momentum) · running + momentum · the batch's, the variance unbiased there, once a training Forward
/// x̂ = (x − mean) / √(variance + epsilon),  dbias = Σ dy,  dweight = Σ dy·x̂,  dx = weight / √(variance + epsilon) · (dy − dbias/m − x̂ · dweight/m)
/// </code>
/// with m = N·H·W numbers in a channel, N in a feature. In evaluation the running statistics are constants: dx = weight / √(variance + epsilon) · dy.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html; Ioffe and Szegedy, 2015.
/// </remarks>
public abstract class BatchNorm : Layer
{
    readonly int channels;
    readonly double epsilon, momentum;
    readonly float[] runningMean, runningVar;

    private protected BatchNorm(int channels, double epsilon, double momentum)
    {
        if (channels < 1)
            throw new ArgumentException($"{GetType().Name} needs at least one channel, not {channels}");
        if (!(epsilon > 0 && double.IsFinite(epsilon)) || momentum is not (>= 0 and <= 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"{GetType().Name} needs epsilon > 0 and momentum in [0, 1], not {epsilon} and {momentum}"));
        }
        (this.channels, this.epsilon, this.momentum) = (channels, epsilon, momentum);
        (Weight, Bias) = (new(this, "weight", channels), new(this, "bias", channels));
        Parameters = [Weight, Bias];
        (runningMean, runningVar) = (new float[channels], new float[channels]);
        (RunningMean, RunningVar) = (Tensor.Create(runningMean, [channels]), Tensor.Create(runningVar, [channels]));
        Initialize(seed: 0);
    }

    /// <summary>Channels, or features, of x and y.</summary>
    public int Channels => channels;

    /// <summary>Added to the variance.</summary>
    public double Epsilon => epsilon;

    /// <summary>The new value's share in a running one.</summary>
    public double Momentum => momentum;

    /// <summary>[C]. Per-channel scale, named as in PyTorch.</summary>
    public Parameter Weight { get; }

    /// <summary>[C].</summary>
    public Parameter Bias { get; }

    /// <summary>[C]: the mean in evaluation.</summary>
    public Tensor<float> RunningMean { get; }

    /// <summary>[C]: the variance in evaluation.</summary>
    public Tensor<float> RunningVar { get; }

    /// <summary>Training passes that went into the running statistics.</summary>
    public long BatchesTracked { get; private set; }

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>“BatchNorm2d(32)”.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{GetType().Name}({channels}{(epsilon == 1e-5 ? "" : $", epsilon {epsilon}")}{(momentum == 0.1 ? "" : $", momentum {momentum}")})");

    internal override IReadOnlyList<(string Name, JsonNode Value)>? Arguments => [("channels", channels), ("epsilon", epsilon), ("momentum", momentum)];

    internal override IEnumerable<StoredTensor> Buffers =>
    [
        StoredTensor.Of(NameOf("running_mean"), RunningMean),
        StoredTensor.Of(NameOf("running_var"), RunningVar),
        new(NameOf("num_batches_tracked"), "I64 []", () => SafeTensors.Entry.From<long>([BatchesTracked]), entry => BatchesTracked = entry.As<long>()[0])
            { IsOptional = true },
    ];

    internal override void Initialize(TorchGenerator generator)
    {
        Init.Constant(Weight, 1);
        Init.Constant(Bias, 0);
        runningMean.AsSpan().Clear();
        runningVar.AsSpan().Fill(1);
        BatchesTracked = 0;
    }

    internal override void Forward<T>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context) => Forward<T, NoCurve<T>>(x, y, context);

    internal override void Backward<T>(LaneTensor<T> x, LaneTensor<T> y, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context) =>
        Backward<T, NoCurve<T>>(x, dy, dx, context);

    /// <summary>As Forward, with a curve after it.</summary>
    internal unsafe void Forward<T, F>(LaneTensor<T> x, LaneTensor<T> y, LayerContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        long numbers = (long)x.Count * x.Shape.Height * x.Shape.Width;
        bool measures = Trains(context) && numbers > 0;
        if (measures && numbers == 1)
            Refuse($"training needs more than one value a channel; give it a larger batch{(x.Shape.IsFlat ? "" : " or larger images")}");
        LaneTensor<T> statistics = context.State<LaneBuffer<T>>().Take(lanes: 1, count: 1, new(2, 1, channels));       // mean; 1 / √(variance + epsilon)
        T* mean = statistics.At(0, 0, 0), inverse = statistics.At(0, 1, 0);
        if (!measures)
        {
            for (int c = 0; c < channels; c++)
                (mean[c], inverse[c]) = (T.CreateTruncating(runningMean[c]), T.CreateTruncating(1 / Math.Sqrt(runningVar[c] + epsilon)));
        }
        fixed (T* weight = Weight.ValueAs<T>(), bias = Bias.ValueAs<T>())
        fixed (float* toMean = runningMean, toVar = runningVar)
            Simd.Run(x, channels, x.Blocks * x.PlanePitch, new BatchNormForward<T, F>(
                x, y, weight, bias, mean, inverse, epsilon, measures ? numbers : 0, toMean, toVar, momentum), row: x.Shape.Width);
        if (measures)
            BatchesTracked++;
        GC.KeepAlive(statistics);
    }

    /// <summary>As Backward, with a curve after it; dy is ∂loss/∂(what the curve gave).</summary>
    internal unsafe void Backward<T, F>(LaneTensor<T> x, LaneTensor<T> dy, LaneTensor<T>? dx, LayerContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T> where F : struct, ICurve<T>
    {
        LaneTensor<T> statistics = context.State<LaneBuffer<T>>().Kept;
        fixed (T* weight = Weight.ValueAs<T>(), bias = Bias.ValueAs<T>(), dweight = Weight.GradientAs<T>(), dbias = Bias.GradientAs<T>())
        {
            Simd.Run(x, channels, x.Blocks * x.PlanePitch, new BatchNormBackward<T, F>(
                x, dy, dx, weight, bias, Weight.Trainable ? dweight : null, Bias.Trainable ? dbias : null, statistics.At(0, 0, 0), statistics.At(0, 1, 0),
                context.Trained),
                row: x.Shape.Width);
        }
        dx?.ClearDeadLanes();
        GC.KeepAlive(statistics);
    }
}
