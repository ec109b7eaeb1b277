using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// −log softmax(logits)[label] = log Σ exp(z[c]) − z[label] of each sample, or −Σ t[c] · log softmax(logits)[c] where its target is not one class but
/// probabilities t.
/// </summary>
/// <remarks>
/// With class weights w, label smoothing s and C classes, a label y being t[c] = [c = y]:
/// <code>
/// q[n,c] = w[c] · ((1 − s) · t[n,c] + s / C)
/// losses[n] = −Σ over c of q[n,c] · log softmax(z[n])[c]
/// ∂losses[n]/∂z[n,c] = softmax(z[n])[c] · Σ over k of q[n,k] − q[n,c]
/// </code>
/// The mean is Σ losses / Σ w[y] for labels, and Σ losses / N for probabilities. A sample whose label is ignored has no loss, no gradient and no weight.
/// For an empty batch, and where all labels are ignored, the mean is NaN, as PyTorch has it.
/// The largest logit is taken off first, so that nothing overflows, and its power, 1, is left out of the sum and goes into log(1 + x): so
/// a loss near 0 has all its digits.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
/// </remarks>
public sealed class CrossEntropyLoss : Loss
{
    readonly float[]? classWeights;
    LaneTensor<float>? logits, targets, losses, slopes;

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

    /// <summary>The label of samples that are left out.</summary>
    public int IgnoreIndex { get; }

    /// <summary>The share of a target that is spread evenly over all classes.</summary>
    public float LabelSmoothing { get; }

    /// <summary>The loss of a batch; keeps what <see cref="Loss.Backward()"/> needs.</summary>
    /// <param name="logits">[N, classes], any numbers: the model's output before a softmax.</param>
    /// <param name="labels">[N], each in 0 … classes − 1, or the label that is ignored.</param>
    /// <exception cref="ArgumentException">Another shape, a label that is no class, or another number of classes than of weights.</exception>
    public float Forward(Tensor<float> logits, ReadOnlySpan<int> labels) => Reduce(Compute(logits, labels));

    /// <summary>The loss of each sample, [N]; keeps what <see cref="Loss.Backward(Tensor{float})"/> needs.</summary>
    /// <param name="logits">[N, classes], any numbers: the model's output before a softmax.</param>
    /// <param name="labels">[N], each in 0 … classes − 1, or the label that is ignored, whose loss is 0.</param>
    /// <exception cref="ArgumentException">Another shape, a label that is no class, or another number of classes than of weights.</exception>
    public Tensor<float> ForwardEach(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        Compute(logits, labels);
        return Each();
    }

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

    double Compute(Tensor<float> logits, ReadOnlySpan<int> labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        int classes = Begin(logits);
        if (labels.Length != logits.Lengths[0])
            throw new ArgumentException($"cross-entropy takes logits [N, classes] and N labels, not {Text(logits.Lengths)} and {labels.Length} labels");
        Slopes.Fill(LabelSmoothing / classes);
        double total = 0;                                        // Σ w[label]
        for (int n = 0; n < labels.Length; n++)
        {
            if (labels[n] == IgnoreIndex)
                continue;
            if ((uint)labels[n] >= (uint)classes)
                throw new ArgumentException($"label {n} is {labels[n]}, but there are {classes} classes, 0 to {classes - 1}");
            Slopes[n * classes + labels[n]] += 1 - LabelSmoothing;
            total += classWeights?[labels[n]] ?? 1;
        }
        Run(logits, classes);
        for (int n = 0; n < labels.Length; n++)
        {
            if (labels[n] != IgnoreIndex)
                continue;
            Losses[n] = 0;
            Slopes.Slice(n * classes, classes).Clear();
        }
        return total;
    }

    private protected override double Compute(Tensor<float> outputs, Tensor<float> targets)
    {
        int classes = Begin(outputs);
        if (IgnoreIndex >= 0)
            throw new ArgumentException($"cross-entropy with probabilities as targets has no label {IgnoreIndex} to ignore");
        TensorPrimitives.Multiply(targets.AsSpan(), 1 - LabelSmoothing, Slopes);
        TensorPrimitives.Add(Slopes, LabelSmoothing / classes, Slopes);
        Run(outputs, classes);
        return Losses.Length;
    }

    int Begin(Tensor<float> logits)
    {
        Begin(logits, lossAxes: 1);
        if (logits.Rank != 2 || logits.Lengths[1] < 1)
            throw new ArgumentException($"cross-entropy takes logits [N, classes], not {Text(logits.Lengths)}");
        if (classWeights is not null && classWeights.Length != logits.Lengths[1])
            throw new ArgumentException($"cross-entropy was given weights for {classWeights.Length} classes, but the logits are of {logits.Lengths[1]}");
        return (int)logits.Lengths[1];
    }

    /// <summary>From the targets, (1 − s) · t + s / C, to the slopes in their place.</summary>
    void Run(Tensor<float> logits, int classes)
    {
        for (int n = 0; classWeights is not null && n < Losses.Length; n++)
            TensorPrimitives.Multiply(Slopes.Slice(n * classes, classes), classWeights, Slopes.Slice(n * classes, classes));
        if (this.logits?.Shape.Channels != classes)
            (this.logits, targets, slopes) = (Lanes(classes), Lanes(classes), Lanes(classes));
        losses ??= Lanes(1);
        this.logits.Resize(Losses.Length).Pack(logits.AsSpan());
        targets!.Resize(Losses.Length).Pack(Slopes);
        Work work = new(this.logits, targets, losses.Resize(Losses.Length), slopes!.Resize(Losses.Length));
        Simd.Run(this.logits, this.logits.Blocks, this.logits.BlockPitch, work);
        losses.Unpack(Losses);
        slopes.Unpack(Slopes);

        static LaneTensor<float> Lanes(int features) => new(LaneTensor<float>.FullLanes, ImageShape.Features(features));
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
        (int classes, nint pitch) = (logits.Shape.Channels, logits.PlanePitch);
        V zero = V.Broadcast(T.Zero), one = V.Broadcast(T.One);
        for (int lane = 0; lane < logits.Lanes; lane += V.Count)
        {
            T* z = logits.At(block, 0, 0) + lane, q = targets.At(block, 0, 0) + lane, dz = slopes.At(block, 0, 0) + lane;
            V others = ChannelExp.SumOfOthers(z, classes, pitch, dz, pitch, out V largest), all = one + others, sum = zero, loss = zero;
            for (int c = 0; c < classes; c++)
            {
                V target = V.Load(q + c * pitch), below = target * (largest - V.Load(z + c * pitch));
                sum += target;
                loss += V.Select(V.Equal(target, zero), zero, below);                      // a logit may be −∞ where nothing is to be
            }
            (loss + sum * NearOne.LogP1<T, V>(others)).Store(losses.At(block, 0, 0) + lane);

            // share · Σ q − q = share · (Σ q − q) − q · (1 − share): no digit is lost where a share is nearly 1, as the largest channel's may be.
            for (int c = 0; c < classes; c++)
            {
                V power = V.Load(dz + c * pitch), target = V.Load(q + c * pitch), rest = V.Select(V.Equal(power, one), others, all - power);
                ((power * (sum - target) - target * rest) / all).Store(dz + c * pitch);
            }
        }
    }
}
