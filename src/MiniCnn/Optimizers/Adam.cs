using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>
/// Adam: divides the running mean of each gradient element by the root of its running mean square. The step of an element is about the learning rate.
/// </summary>
/// <remarks>
/// For a parameter p and its gradient, in step t = 1, 2, … of this parameter, with m = v = 0 before the first step:
/// <code>
/// g = gradient + weightDecay · p
/// m = β₁ · m + (1 − β₁) · g
/// v = β₂ · v + (1 − β₂) · g²
/// p = p − learningRate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
/// </code>
/// The weight decay is part of g and therefore of m and v; <see cref="AdamW"/> decouples it.
/// Source: Kingma, Ba: Adam, 2015, as in https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html.
/// </remarks>
public class Adam : Optimizer
{
    readonly float[][] means, squares;
    readonly int[] steps;
    readonly bool decoupled;

    /// <summary>Creates an optimizer for these parameters.</summary>
    /// <param name="parameters">Parameters to update.</param>
    /// <param name="learningRate">Learning rate, at least 0.</param>
    /// <param name="beta1">β₁, the decay rate of m, from 0 to below 1. It is a double: in float, 1 − 0.999 has only four correct digits.</param>
    /// <param name="beta2">β₂, the decay rate of v, from 0 to below 1.</param>
    /// <param name="epsilon">ε, at least 0. It prevents a division by zero.</param>
    /// <param name="weightDecay">Factor of the L2 penalty, at least 0.</param>
    /// <exception cref="ArgumentException">A number is negative or NaN, or β₁ or β₂ is not from 0 to below 1.</exception>
    public Adam(
        IEnumerable<Parameter> parameters, float learningRate = 1e-3f, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : this([.. parameters], learningRate, beta1, beta2, epsilon, weightDecay, decoupled: false)
    {
    }

    private protected Adam(
        Parameter[] parameters, float learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool decoupled)
        : base(parameters, learningRate)
    {
        Require(beta1 is >= 0 and < 1 && beta2 is >= 0 and < 1, $"β₁ and β₂ must be at least 0 and below 1, not {beta1} and {beta2}");
        Require(epsilon >= 0 && weightDecay >= 0, $"ε and weight decay must be at least 0, not {epsilon} and {weightDecay}");
        (Beta1, Beta2, Epsilon, WeightDecay, this.decoupled) = (beta1, beta2, epsilon, weightDecay, decoupled);
        means = Array.ConvertAll(parameters, p => new float[p.Value.FlattenedLength]);
        squares = Array.ConvertAll(parameters, p => new float[p.Value.FlattenedLength]);
        steps = new int[parameters.Length];
    }

    /// <summary>β₁, the decay rate of m.</summary>
    public double Beta1 { get; }

    /// <summary>β₂, the decay rate of v.</summary>
    public double Beta2 { get; }

    /// <summary>ε, added to √v / √(1 − β₂ᵗ).</summary>
    public double Epsilon { get; }

    /// <summary>weightDecay · p is added to the gradient; in <see cref="AdamW"/>, learningRate · weightDecay · p is subtracted from p.</summary>
    public double WeightDecay { get; }

    internal override IEnumerable<(string Name, double Value)> Settings =>
        [("beta1", Beta1), ("beta2", Beta2), ("eps", Epsilon), ("weight_decay", WeightDecay)];

    private protected override IEnumerable<StoredTensor> Moments =>
    [
        .. means.Select((mean, i) => StoredTensor.Of($"{i}.mean", mean)), .. squares.Select((square, i) => StoredTensor.Of($"{i}.square", square)),
        StoredTensor.Of("steps", steps),
    ];

    private protected override unsafe void Move(int index, Parameter parameter)
    {
        int t = ++steps[index];
        float keep = decoupled ? (float)(1 - LearningRate * WeightDecay) : 1, decay = decoupled ? 0 : (float)WeightDecay;
        float stepSize = (float)(LearningRate / (1 - Math.Pow(Beta1, t))), correction = (float)Math.Sqrt(1 - Math.Pow(Beta2, t));
        Span<float> value = parameter.ValueAs<float>();
        fixed (float* p = value, g = parameter.GradientAs<float>(), m = means[index], v = squares[index])
        {
            Elements.Run(value.Length, new Update(
                p, g, m, v, keep, decay, (float)Beta1, (float)(1 - Beta1), (float)Beta2, (float)(1 - Beta2), stepSize, correction, (float)Epsilon));
        }
    }

    readonly unsafe struct Update(
        float* p, float* g, float* m, float* v, float keep, float decay, float beta1, float rest1, float beta2, float rest2,
        float stepSize, float correction, float epsilon) : IElementWork
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(int i) where V : struct, ILanes<V, float>
        {
            V value = V.Load(p + i) * V.Broadcast(keep), gradient = V.Load(g + i);
            if (decay != 0)
                gradient += value * V.Broadcast(decay);
            V mean = V.Load(m + i) * V.Broadcast(beta1) + gradient * V.Broadcast(rest1);
            V square = V.Load(v + i) * V.Broadcast(beta2) + gradient * V.Broadcast(rest2) * gradient;
            mean.Store(m + i);
            square.Store(v + i);
            V scale = V.Sqrt(square) / V.Broadcast(correction) + V.Broadcast(epsilon);
            (value - mean * V.Broadcast(stepSize) / scale).Store(p + i);
        }
    }
}
