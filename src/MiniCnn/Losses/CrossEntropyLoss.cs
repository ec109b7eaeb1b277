using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The mean over the batch of −log softmax(logits)[label]: log Σ exp(z[c]) − z[label], with the largest logit taken off first so that nothing overflows.
/// </summary>
/// <remarks>
/// With class weights w, label smoothing s and C classes, a label y stands for the targets
/// <code>
/// q[c] = w[c] · ((1 − s) · [c = y] + s / C)
/// loss = Σ over n of −Σ over c of q[n,c] · log softmax(z[n])[c], divided by Σ over n of w[y[n]]
/// ∂loss/∂z[n,c] = (softmax(z[n])[c] · Σ over k of q[n,k] − q[n,c]) / Σ over n of w[y[n]]
/// </code>
/// where samples whose label is ignored are left out of every sum over n, and their gradient is zero. Without options w = 1 and s = 0: the gradient is
/// (softmax(logits) − onehot(label)) / N. For an empty batch, and where all labels are ignored, the mean is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
/// </remarks>
public sealed class CrossEntropyLoss
{
    const float Ignored = -1;                                    // among the labels in lanes: no class

    readonly float[]? weights;
    readonly LaneTensor<float>? classWeights;                    // [1, classes], in one lane
    readonly int ignoreIndex;
    readonly float smoothing;
    LaneTensor<float>? logits, labels, losses, gradient;
    float[] memory = [];
    double total;                                                // Σ w[label]
    bool ready;

    /// <summary>The mean of the losses of labels.</summary>
    /// <param name="classWeights">How much a label of each class counts, for classes that are rare: one number a class, at least 0; without them 1.</param>
    /// <param name="ignoreIndex">Samples with this label are left out.</param>
    /// <param name="labelSmoothing">The share of a target, from 0 to 1, that is spread evenly over all classes.</param>
    /// <exception cref="ArgumentException">A weight below 0 or not finite, or a smoothing outside 0 … 1.</exception>
    public CrossEntropyLoss(float[]? classWeights = null, int ignoreIndex = -100, float labelSmoothing = 0)
    {
        for (int c = 0; c < classWeights?.Length; c++)
        {
            if (!(classWeights[c] >= 0 && float.IsFinite(classWeights[c])))
            {
                throw new ArgumentException(FormattableString.Invariant(
                    $"the weight of class {c} is {classWeights[c]}; weights must be finite and at least 0"));
            }
        }
        if (!(labelSmoothing is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"label smoothing is a share from 0 to 1, not {labelSmoothing}"));
        (this.ignoreIndex, smoothing) = (ignoreIndex, labelSmoothing);
        if (classWeights is null)
            return;
        weights = [.. classWeights];
        this.classWeights = new LaneTensor<float>(1, ImageShape.Features(weights.Length)).Resize(1);
        this.classWeights.Pack(weights);
    }

    /// <summary>“CrossEntropyLoss(class weights 5.5, 0.55; ignored label 2; label smoothing 0.1)”.</summary>
    public override string ToString()
    {
        string[] options =
        [
            weights is null ? "" : $"class weights {string.Join(", ", weights.Select(w => FormattableString.Invariant($"{w}")))}",
            ignoreIndex == -100 ? "" : $"ignored label {ignoreIndex}", smoothing == 0 ? "" : FormattableString.Invariant($"label smoothing {smoothing}"),
        ];
        return $"CrossEntropyLoss({string.Join("; ", options.Where(option => option is not ""))})";
    }

    internal int IgnoreIndex => ignoreIndex;

    /// <summary>What the last Forward's sum was divided by, Σ w[label]; 0 where nothing counts.</summary>
    internal double Total => total;

    /// <summary>The loss of a batch; keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="logits">[N, classes], any numbers: the model's output before a softmax.</param>
    /// <param name="labels">[N], each in 0 … classes − 1, or the label that is ignored.</param>
    /// <exception cref="ArgumentException">Another shape, a label that is no class, or another number of classes than of weights.</exception>
    public float Forward(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ready = false;
        if (logits.Rank != 2 || logits.Lengths[0] != labels.Length || logits.Lengths[1] < 1)
        {
            throw new ArgumentException(
                $"cross-entropy takes logits [N, classes] and N labels, not [{string.Join(", ", logits.Lengths.ToArray())}] and {labels.Length} labels");
        }
        int classes = (int)logits.Lengths[1];
        if (weights is not null && weights.Length != classes)
            throw new ArgumentException($"cross-entropy was given weights for {weights.Length} classes, but the logits are of {classes}");
        if (memory.Length < labels.Length)
            memory = new float[labels.Length];
        Span<float> numbers = memory.AsSpan(0, labels.Length);
        total = 0;
        for (int n = 0; n < labels.Length; n++)
        {
            bool ignored = labels[n] == ignoreIndex;
            if (!ignored && (uint)labels[n] >= (uint)classes)
                throw new ArgumentException($"label {n} is {labels[n]}, but there are {classes} classes, 0 to {classes - 1}");
            numbers[n] = ignored ? Ignored : labels[n];
            total += ignored ? 0 : weights is null ? 1 : weights[labels[n]];
        }
        if (this.logits is null || this.logits.Shape.Channels != classes)
        {
            this.logits = new(LaneTensor<float>.FullLanes, ImageShape.Features(classes));
            gradient = new(LaneTensor<float>.FullLanes, ImageShape.Features(classes));
        }
        this.labels ??= new(LaneTensor<float>.FullLanes, ImageShape.Features(1));
        losses ??= new(LaneTensor<float>.FullLanes, ImageShape.Features(1));
        this.logits.Resize(labels.Length).Pack(logits.AsSpan());
        this.labels.Resize(labels.Length).Pack(numbers);
        Simd.Run(this.logits, 1, nint.MaxValue, new Work(this, losses.Resize(labels.Length), null));
        losses.Unpack(numbers);
        ready = true;
        double sum = 0;
        foreach (float loss in numbers)
            sum += loss;
        return (float)(sum / total);
    }

    /// <summary>∂loss/∂logits, [N, classes], for the batch of the last Forward.</summary>
    /// <exception cref="InvalidOperationException">There was no Forward, or its gradient has been taken.</exception>
    public Tensor<float> Backward()
    {
        if (!ready)
            throw new InvalidOperationException("CrossEntropyLoss: Backward needs a Forward before it, and takes what that kept only once");
        ready = false;
        Simd.Run(logits!, 1, nint.MaxValue, new Work(this, null, gradient!.Resize(logits!.Count)));
        return LayerSession.ToTensor(gradient);
    }

    readonly struct Work(CrossEntropyLoss loss, LaneTensor<float>? losses, LaneTensor<float>? gradient) : ILaneWork<float>
    {
        public void Run<V>(int part) where V : struct, ILanes<V, float>
        {
            if (losses is not null)
                Losses<float, V>(loss.logits!, loss.labels!, losses, loss.classWeights, loss.smoothing);
            if (gradient is not null)
                Gradient<float, V>(loss.logits!, loss.labels!, gradient, loss.classWeights, loss.smoothing, (float)loss.total);
        }
    }

    /// <summary>
    /// losses[n] = (1 − s) · w[label] · (L − z[label]) + s / C · Σ w[c] · (L − z[c]), L = log Σ exp(z[c]), the largest z taken off both; zero where ignored.
    /// </summary>
    internal static unsafe void Losses<T, V>(
        LaneTensor<T> logits, LaneTensor<T> labels, LaneTensor<T> losses, LaneTensor<T>? weights = null, T smoothing = default)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        int classes = logits.Shape.Channels;
        V zero = V.Broadcast(T.Zero), sharp = V.Broadcast(T.One - smoothing), spread = V.Broadcast(smoothing / T.CreateTruncating(classes));
        for (int block = 0; block < logits.Blocks; block++)
            for (int lane = 0; lane < logits.Lanes; lane += V.Count)
            {
                T* z = logits.At(block, 0, 0) + lane;
                V label = V.Load(labels.At(block, 0, 0) + lane), picked = zero, weight = zero;
                V largest = ChannelMax.Of<T, V>(z, classes, logits.PlanePitch), sum = zero;
                for (int c = 0; c < classes; c++)
                {
                    V shifted = V.Load(z + c * logits.PlanePitch) - largest, isLabel = V.Equal(label, V.Broadcast(T.CreateTruncating(c)));
                    sum += V.Exp(shifted);
                    picked = V.Select(isLabel, shifted, picked);
                    weight = V.Select(isLabel, Weight<T, V>(weights, c), weight);
                }
                V log = V.Log(sum), loss = weight * (log - picked);
                if (smoothing != T.Zero)
                {
                    V all = zero;
                    for (int c = 0; c < classes; c++)
                        all += Weight<T, V>(weights, c) * (log - (V.Load(z + c * logits.PlanePitch) - largest));
                    loss = sharp * loss + spread * all;
                }
                V.Select(V.Greater(zero, label), zero, loss).Store(losses.At(block, 0, 0) + lane);
            }
    }

    /// <summary>
    /// gradient[n,c] = (exp(z[c] − m) / Σ exp(z − m) · Σ q − q[c]) / total, q the targets, total by default N; zero where ignored and in dead lanes.
    /// </summary>
    internal static unsafe void Gradient<T, V>(
        LaneTensor<T> logits, LaneTensor<T> labels, LaneTensor<T> gradient, LaneTensor<T>? weights = null, T smoothing = default, T? total = null)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        int classes = logits.Shape.Channels;
        T even = smoothing / T.CreateTruncating(classes);
        V zero = V.Broadcast(T.Zero), divisor = V.Broadcast(total ?? T.CreateTruncating(logits.Count));
        V spread = V.Broadcast(even), sharp = V.Broadcast(T.One - smoothing + even);         // of a class that is not the label, and that is
        for (int block = 0; block < logits.Blocks; block++)
        {
            for (int lane = 0; lane < logits.Lanes; lane += V.Count)
            {
                T* z = logits.At(block, 0, 0) + lane, dz = gradient.At(block, 0, 0) + lane;
                V label = V.Load(labels.At(block, 0, 0) + lane), sum = zero, targets = zero;
                V largest = ChannelMax.Of<T, V>(z, classes, logits.PlanePitch);
                for (int c = 0; c < classes; c++)
                {
                    V exp = V.Exp(V.Load(z + c * logits.PlanePitch) - largest);
                    exp.Store(dz + c * gradient.PlanePitch);
                    sum += exp;
                    targets += Target<T, V>(weights, c, label, sharp, spread);
                }
                for (int c = 0; c < classes; c++)
                {
                    V share = V.Load(dz + c * gradient.PlanePitch) / sum, target = Target<T, V>(weights, c, label, sharp, spread);
                    V.Select(V.Greater(zero, label), zero, (share * targets - target) / divisor).Store(dz + c * gradient.PlanePitch);
                }
            }
        }
        gradient.ClearDeadLanes();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe V Weight<T, V>(LaneTensor<T>? weights, int c) where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        V.Broadcast(weights is null ? T.One : *weights.At(0, c, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Target<T, V>(LaneTensor<T>? weights, int c, V label, V sharp, V spread)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T> =>
        Weight<T, V>(weights, c) * V.Select(V.Equal(label, V.Broadcast(T.CreateTruncating(c))), sharp, spread);
}
