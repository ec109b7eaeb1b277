using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// The mean over the batch of −log softmax(logits)[label]: log Σ exp(z[c]) − z[label], with the largest logit taken off first so that nothing overflows.
/// </summary>
/// <remarks>
/// Its gradient is (softmax(logits) − onehot(label)) / N. For an empty batch the mean is NaN, as PyTorch has it.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html.
/// </remarks>
public sealed class CrossEntropyLoss
{
    LaneTensor<float>? logits, labels, losses, gradient;
    float[] memory = [];
    bool ready;

    /// <summary>The loss of a batch; keeps what <see cref="Backward"/> needs.</summary>
    /// <param name="logits">[N, classes], any numbers: the model's output before a softmax.</param>
    /// <param name="labels">[N], each in 0 … classes − 1.</param>
    /// <exception cref="ArgumentException">Another shape, or a label that is no class.</exception>
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
        if (memory.Length < labels.Length)
            memory = new float[labels.Length];
        Span<float> numbers = memory.AsSpan(0, labels.Length);
        for (int n = 0; n < labels.Length; n++)
        {
            if ((uint)labels[n] >= (uint)classes)
                throw new ArgumentException($"label {n} is {labels[n]}, but there are {classes} classes, 0 to {classes - 1}");
            numbers[n] = labels[n];
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
        Simd.Run(this.logits.Lanes, new Work(this.logits, this.labels, losses.Resize(labels.Length), null));
        losses.Unpack(numbers);
        ready = true;
        double sum = 0;
        foreach (float loss in numbers)
            sum += loss;
        return (float)(sum / numbers.Length);
    }

    /// <summary>∂loss/∂logits, [N, classes], for the batch of the last Forward.</summary>
    /// <exception cref="InvalidOperationException">There was no Forward, or its gradient has been taken.</exception>
    public Tensor<float> Backward()
    {
        if (!ready)
            throw new InvalidOperationException("CrossEntropyLoss: Backward needs a Forward before it, and takes what that kept only once");
        ready = false;
        Simd.Run(logits!.Lanes, new Work(logits, labels!, null, gradient!.Resize(logits.Count)));
        return LayerRun.ToTensor(gradient);
    }

    readonly struct Work(LaneTensor<float> logits, LaneTensor<float> labels, LaneTensor<float>? losses, LaneTensor<float>? gradient) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float>
        {
            if (losses is not null)
                Losses<float, V>(logits, labels, losses);
            if (gradient is not null)
                Gradient<float, V>(logits, labels, gradient);
        }
    }

    /// <summary>losses[n] = log Σ exp(z[c] − m) − (z[label] − m), m the largest z.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Losses<T, V>(LaneTensor<T> logits, LaneTensor<T> labels, LaneTensor<T> losses)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        for (int group = 0; group < logits.Groups; group++)
            for (int lane = 0; lane < logits.Lanes; lane += V.Count)
            {
                T* z = logits.At(group, 0, 0) + lane;
                V label = V.Load(labels.At(group, 0, 0) + lane), picked = V.Broadcast(T.Zero);
                V largest = Largest<T, V>(z, logits.Shape.Channels, logits.PlanePitch), sum = picked;
                for (int c = 0; c < logits.Shape.Channels; c++)
                {
                    V shifted = V.Load(z + c * logits.PlanePitch) - largest;
                    sum += V.Exp(shifted);
                    picked = V.Select(V.Equal(label, V.Broadcast(T.CreateTruncating(c))), shifted, picked);
                }
                (V.Log(sum) - picked).Store(losses.At(group, 0, 0) + lane);
            }
    }

    /// <summary>gradient[n,c] = (exp(z[c] − m) / Σ exp(z − m) − [c = label]) / N; zero in dead lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Gradient<T, V>(LaneTensor<T> logits, LaneTensor<T> labels, LaneTensor<T> gradient)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V one = V.Broadcast(T.One), zero = V.Broadcast(T.Zero), count = V.Broadcast(T.CreateTruncating(logits.Count));
        for (int group = 0; group < logits.Groups; group++)
        {
            for (int lane = 0; lane < logits.Lanes; lane += V.Count)
            {
                T* z = logits.At(group, 0, 0) + lane, dz = gradient.At(group, 0, 0) + lane;
                V label = V.Load(labels.At(group, 0, 0) + lane), sum = zero;
                V largest = Largest<T, V>(z, logits.Shape.Channels, logits.PlanePitch);
                for (int c = 0; c < logits.Shape.Channels; c++)
                {
                    V exp = V.Exp(V.Load(z + c * logits.PlanePitch) - largest);
                    exp.Store(dz + c * gradient.PlanePitch);
                    sum += exp;
                }
                for (int c = 0; c < logits.Shape.Channels; c++)
                {
                    V target = V.Select(V.Equal(label, V.Broadcast(T.CreateTruncating(c))), one, zero);
                    ((V.Load(dz + c * gradient.PlanePitch) / sum - target) / count).Store(dz + c * gradient.PlanePitch);
                }
            }
            gradient.ClearDeadLanes(group);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe V Largest<T, V>(T* z, int classes, nint pitch)
        where T : unmanaged, IFloatingPointIeee754<T> where V : struct, ILanes<V, T>
    {
        V largest = V.Load(z);
        for (int c = 1; c < classes; c++)
            largest = V.Max(largest, V.Load(z + c * pitch));
        return largest;
    }
}
