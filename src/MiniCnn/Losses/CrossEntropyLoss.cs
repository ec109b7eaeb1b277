using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// −log softmax(logits)[label] = log Σ exp(z[c]) − z[label] of each sample or pixel, or −Σ t[c] · log softmax(logits)[c] where its target is not one class but
/// probabilities t.
/// </summary>
/// <remarks>
/// With class weights w, label smoothing s and C classes, a label y being t[c] = [c = y]:
/// <code>
/// q[n,c] = w[c] · ((1 − s) · t[n,c] + s / C)
/// losses[n] = −Σ over c of q[n,c] · log softmax(z[n])[c]
/// ∂losses[n]/∂z[n,c] = softmax(z[n])[c] · Σ over k of q[n,k] − q[n,c]
/// </code>
/// n counts samples, of logits [N, classes], or pixels, of [N, classes, H, W]. The mean is Σ losses / Σ w[y] for labels, and Σ losses over their number for
/// probabilities. A sample or pixel whose label is ignored has no loss, no gradient and no weight.
/// For an empty batch, and where all labels are ignored, the mean is NaN, as PyTorch has it.
/// The largest logit is taken off first, so that nothing overflows, and its power, 1, is left out of the sum and goes into log(1 + x): so
/// a loss near 0 has all its digits.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
/// </remarks>
public sealed class CrossEntropyLoss : LabelLoss
{
    const int Piece = 4096;                                      // pixels that one worker takes at a time

    readonly float[]? classWeights;
    float[] targets = [];                                        // of the logits' shape: q
    LaneTensor<float>? logits, laneTargets, losses, slopes;      // samples in lanes; pixels are side by side as they come

    /// <summary>The losses of labels, or of probabilities of classes.</summary>
    /// <param name="classWeights">How much each class counts, for classes that are rare: one number a class, at least 0; without them 1.</param>
    /// <param name="ignoreIndex">Samples with this label are left out.</param>
    /// <param name="labelSmoothing">The share of a target, from 0 to 1, that is spread evenly over all classes.</param>
    /// <param name="reduction">How Forward makes one number of the losses.</param>
    /// <exception cref="ArgumentException">A weight below 0 or not finite, or a smoothing outside 0 … 1.</exception>
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
            throw new ArgumentException(FormattableString.Invariant($"label smoothing is a share from 0 to 1, not {labelSmoothing}"));
        (this.classWeights, IgnoreIndex, LabelSmoothing) = (classWeights?.ToArray(), ignoreIndex, labelSmoothing);
    }

    /// <summary>How much each class counts; null where all count alike.</summary>
    public IReadOnlyList<float>? ClassWeights => classWeights;

    /// <inheritdoc/>
    public override int IgnoreIndex { get; }

    /// <summary>The share of a target that is spread evenly over all classes.</summary>
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

        int First(int i) => plane == 1 ? i * classes : i / plane * classes * plane + i % plane;             // where its class 0 stands
    }

    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets)
    {
        (int classes, int plane) = Begin(outputs);
        if (IgnoreIndex >= 0)
            throw new ArgumentException($"cross-entropy with probabilities as targets has no label {IgnoreIndex} to ignore");
        Span<float> q = this.targets.AsSpan(0, Slopes.Length);
        TensorPrimitives.Multiply(targets.AsSpan(), 1 - LabelSmoothing, q);
        TensorPrimitives.Add(q, LabelSmoothing / classes, q);
        Run(outputs, classes, plane);
        return Losses.Length;
    }

    /// <summary>Checks the logits, and makes room; an image has the number of classes times plane of them.</summary>
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
            throw new ArgumentException($"cross-entropy was given weights for {classWeights.Length} classes, but the logits are of {classes}");
        if (targets.Length < Slopes.Length)
            targets = new float[Slopes.Length];
        return ((int)classes, (int)plane);
    }

    /// <summary>From the targets, (1 − s) · t + s / C, to losses and slopes.</summary>
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

    /// <summary>Pixels side by side, classes a plane apart.</summary>
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

    /// <summary>Losses and slopes of a block of samples; targets: q.</summary>
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

    /// <summary>Losses and slopes of a vector of samples, whose classes are a pitch apart; targets: q.</summary>
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
            loss += V.Select(V.Equal(target, zero), zero, below);                          // a logit may be −∞ where nothing is to be
        }
        (loss + sum * NearOne.LogP1<T, V>(others)).Store(losses);

        // share · Σ q − q = share · (Σ q − q) − q · (1 − share): no digit is lost where a share is nearly 1, as the largest channel's may be.
        for (int c = 0; c < classes; c++)
        {
            V power = V.Load(slopes + c * pitch), target = V.Load(targets + c * pitch), rest = V.Select(V.Equal(power, one), others, all - power);
            ((power * (sum - target) - target * rest) / all).Store(slopes + c * pitch);
        }
    }
}
