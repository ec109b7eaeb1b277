using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Cross-entropy of logits z and a class label for each sample or pixel: −log softmax(z)[label] = log Σ exp(z[c]) − z[label]. With class
/// probabilities t as target: −Σ t[c] · log softmax(z)[c].
/// </summary>
/// <remarks>
/// With class weights w, label smoothing s and C classes, where a label y is the target t[c] = 1 for c = y, else 0:
/// <code>
/// q[n,c] = w[c] · ((1 − s) · t[n,c] + s / C)
/// losses[n] = −Σ over c of q[n,c] · log softmax(z[n])[c]
/// ∂losses[n]/∂z[n,c] = softmax(z[n])[c] · Σ over k of q[n,k] − q[n,c]
/// </code>
/// n is the index of a sample for logits [N, classes], and of a pixel for logits [N, classes, H, W]. The mean is Σ losses / Σ w[y] for labels, and
/// Σ losses / number of losses for probabilities. A sample or pixel with the ignored label has loss 0, gradient 0 and weight 0.
/// If the batch is empty or all labels are ignored, the mean is NaN, as in PyTorch.
/// The largest logit is subtracted first, so that exp cannot overflow. Its own term, exp(0) = 1, is added by log(1 + x), where x is the sum of the other
/// terms. Losses near 0 therefore keep full precision.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
/// </remarks>
public sealed class CrossEntropyLoss : LabelLoss
{
    const int Piece = 4096;                                      // pixels per work item

    readonly float[]? classWeights;
    float[] targets = [];                                        // q, with the shape of the logits
    LaneTensor<float>? logits, laneTargets, losses, slopes;      // for logits [N, classes]: samples in lanes. Pixels are vectorized in place.

    /// <summary>Creates a cross-entropy loss for labels or class probabilities.</summary>
    /// <param name="classWeights">Weight of each class, at least 0, for example larger for rare classes. The default is 1 for all classes.</param>
    /// <param name="ignoreIndex">Samples and pixels with this label are ignored.</param>
    /// <param name="labelSmoothing">Label smoothing s, from 0 to 1: the fraction of each target that is distributed equally over all classes.</param>
    /// <param name="reduction">How Forward reduces the losses to one number.</param>
    /// <exception cref="ArgumentException">
    /// A weight is negative or not finite, the label smoothing is outside [0, 1], or the reduction does not exist.
    /// </exception>
    public CrossEntropyLoss(
        float[]? classWeights = null, int ignoreIndex = -100, float labelSmoothing = 0, Reduction reduction = Reduction.Mean) : base(reduction)
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
            throw new ArgumentException(FormattableString.Invariant($"label smoothing must be in [0, 1], not {labelSmoothing}"));
        (this.classWeights, IgnoreIndex, LabelSmoothing) = (classWeights?.ToArray(), ignoreIndex, labelSmoothing);
    }

    /// <summary>Weight of each class; null if all weights are 1.</summary>
    public IReadOnlyList<float>? ClassWeights => classWeights;

    /// <inheritdoc/>
    public override int IgnoreIndex { get; }

    /// <summary>The fraction of each target that is distributed equally over all classes.</summary>
    public float LabelSmoothing { get; }

    /// <summary>“CrossEntropyLoss(class weights 5.5, 0.55; ignored label 2; label smoothing 0.1; Sum)”.</summary>
    public override string ToString()
    {
        string[] options =
        [
            classWeights is null ? "" : $"class weights {string.Join(", ", classWeights.Select(w => FormattableString.Invariant($"{w}")))}",
            IgnoreIndex == -100 ? "" : $"ignored label {IgnoreIndex}",
            LabelSmoothing == 0 ? "" : FormattableString.Invariant($"label smoothing {LabelSmoothing}"), Reduction == Reduction.Mean ? "" : $"{Reduction}",
        ];
        return $"CrossEntropyLoss({string.Join("; ", options.Where(option => option is not ""))})";
    }

    internal override int Channels(int classes) => classes;

    private protected override double Compute(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        (int classes, int plane) = Begin(logits);
        if (labels.Length != Losses.Length)
        {
            throw new ArgumentException(
                "cross-entropy takes logits [N, classes] and N labels, or [N, classes, H, W] and N·H·W labels, "
                + $"not {Text(logits.Lengths)} and {labels.Length} labels");
        }
        Span<float> q = targets.AsSpan(0, Slopes.Length);
        q.Fill(LabelSmoothing / classes);
        double total = 0;                                        // Σ w[label]
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] == IgnoreIndex)
                continue;
            if ((uint)labels[i] >= (uint)classes)
                throw new ArgumentException($"label {i} is {labels[i]}, but there are {classes} classes, 0 to {classes - 1}");
            q[First(i) + labels[i] * plane] += 1 - LabelSmoothing;
            total += classWeights?[labels[i]] ?? 1;
        }
        Run(logits, classes, plane);
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] != IgnoreIndex)
                continue;
            Losses[i] = 0;
            for (int c = 0; c < classes; c++)
                Slopes[First(i) + c * plane] = 0;
        }
        return total;

        int First(int i) => plane == 1 ? i * classes : i / plane * classes * plane + i % plane;             // index of the logit of class 0
    }

    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets)
    {
        (int classes, int plane) = Begin(outputs);
        if (IgnoreIndex >= 0)
            throw new ArgumentException($"cross-entropy with probabilities as targets cannot ignore label {IgnoreIndex}; use a negative ignoreIndex");
        Span<float> q = this.targets.AsSpan(0, Slopes.Length);
        TensorPrimitives.Multiply(targets.AsSpan(), 1 - LabelSmoothing, q);
        TensorPrimitives.Add(q, LabelSmoothing / classes, q);
        Run(outputs, classes, plane);
        return Losses.Length;
    }

    /// <summary>Checks the logits and allocates memory. Each image has Classes · Plane logits.</summary>
    (int Classes, int Plane) Begin(Tensor<float> logits)
    {
        if (logits.Rank is not (2 or 4) || logits.Lengths[1] < 1)
            throw new ArgumentException($"cross-entropy takes logits [N, classes] or [N, classes, H, W], not {Text(logits.Lengths)}");
        (nint images, nint classes, nint plane) = (logits.Lengths[0], logits.Lengths[1], 1);
        if (logits.Rank == 2)
            Begin(logits, [images]);
        else
        {
            Begin(logits, [images, logits.Lengths[2], logits.Lengths[3]]);
            plane = logits.Lengths[2] * logits.Lengths[3];
        }
        if (classWeights is not null && classWeights.Length != classes)
            throw new ArgumentException($"cross-entropy has weights for {classWeights.Length} classes, but the logits have {classes} classes");
        if (targets.Length < Slopes.Length)
            targets = new float[Slopes.Length];
        return ((int)classes, (int)plane);
    }

    /// <summary>Computes losses and slopes from the targets (1 − s) · t + s / C, which it multiplies by the class weights to get q.</summary>
    unsafe void Run(Tensor<float> logits, int classes, int plane)
    {
        Span<float> q = targets.AsSpan(0, Slopes.Length);
        for (int at = 0; classWeights is not null && at < q.Length; at += plane)
            TensorPrimitives.Multiply(q.Slice(at, plane), classWeights[at / plane % classes], q.Slice(at, plane));
        if (logits.Rank == 4)
        {
            int pieces = (plane + Piece - 1) / Piece;
            fixed (float* z = logits.AsSpan(), t = q, loss = Losses, slope = Slopes)
                Simd.Run((int)logits.Lengths[0] * pieces, new PixelWork(z, t, loss, slope, classes, plane, pieces));
            return;
        }
        if (this.logits?.Shape.Channels != classes)
            (this.logits, laneTargets, slopes) = (Lanes(classes), Lanes(classes), Lanes(classes));
        losses ??= Lanes(1);
        this.logits.Resize(Losses.Length).Pack(logits.AsSpan());
        laneTargets!.Resize(Losses.Length).Pack(q);
        Work work = new(this.logits, laneTargets, losses.Resize(Losses.Length), slopes!.Resize(Losses.Length));
        Simd.Run(this.logits, this.logits.Blocks, this.logits.BlockPitch, work);
        losses.Unpack(Losses);
        slopes.Unpack(Slopes);

        static LaneTensor<float> Lanes(int features) => new(LaneTensor<float>.FullLanes, ImageShape.Features(features));
    }

    /// <summary>Logits [N, classes, H, W]: pixels are contiguous; the stride between classes is plane.</summary>
    readonly unsafe struct PixelWork(float* z, float* targets, float* losses, float* slopes, int classes, int plane, int pieces) : ILaneWork<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<V>(int part) where V : struct, ILanes<V, float>
        {
            (int n, int piece) = Math.DivRem(part, pieces);
            nint image = (nint)n * classes * plane, loss = (nint)n * plane;
            int i = piece * Piece, end = Math.Min(plane, i + Piece);
            for (; i <= end - V.Count; i += V.Count)
                Samples<float, V>(z + image + i, targets + image + i, losses + loss + i, slopes + image + i, classes, plane);
            for (; i < end; i++)
                Samples<float, Scalar<float>>(z + image + i, targets + image + i, losses + loss + i, slopes + image + i, classes, plane);
        }
    }

    readonly struct Work(LaneTensor<float> logits, LaneTensor<float> targets, LaneTensor<float> losses, LaneTensor<float> slopes) : ILaneWork<float>
    {
        public void Run<V>(int block) where V : struct, ILanes<V, float> => Block<float, V>(logits, targets, losses, slopes, block);
    }

    /// <summary>Computes losses and slopes of a block of samples. targets is q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Block<T, V>(LaneTensor<T> logits, LaneTensor<T> targets, LaneTensor<T> losses, LaneTensor<T> slopes, int block)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        for (int lane = 0; lane < logits.Lanes; lane += V.Count)
        {
            Samples<T, V>(
                logits.At(block, 0, 0) + lane, targets.At(block, 0, 0) + lane, losses.At(block, 0, 0) + lane, slopes.At(block, 0, 0) + lane,
                logits.Shape.Channels, logits.PlanePitch);
        }
    }

    /// <summary>Computes losses and slopes of a vector of samples. The stride between classes is pitch; targets is q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe void Samples<T, V>(T* z, T* targets, T* losses, T* slopes, int classes, nint pitch)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One);
        V others = ChannelExp.SumOfOthers(z, classes, pitch, slopes, pitch, out V largest), all = one + others, sum = zero, loss = zero;
        for (int c = 0; c < classes; c++)
        {
            V target = V.Load(targets + c * pitch), below = target * (largest - V.Load(z + c * pitch));
            sum += target;
            loss += V.Select(V.Equal(target, zero), zero, below);                          // a logit may be −∞ where q = 0
        }
        (loss + sum * NearOne.LogP1<T, V>(others)).Store(losses);

        // With p = softmax: p · Σ q − q = p · (Σ q − q) − q · (1 − p). This form loses no precision where p is nearly 1.
        for (int c = 0; c < classes; c++)
        {
            V power = V.Load(slopes + c * pitch), target = V.Load(targets + c * pitch), rest = V.Select(V.Equal(power, one), others, all - power);
            ((power * (sum - target) - target * rest) / all).Store(slopes + c * pitch);
        }
    }
}
