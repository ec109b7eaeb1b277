using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as in PyTorch.</summary>
/// <remarks>
/// For a parameter p and its gradient:
/// <code>
/// g = gradient + weightDecay · p
/// v = g in the first step, then v = momentum · v + (1 − dampening) · g    (only if momentum > 0)
/// g = v, or with Nesterov momentum: g = g + momentum · v                  (only if momentum > 0)
/// p = p − learningRate · g
/// </code>
/// The learning rate is not a factor of v. It can therefore change from step to step.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.
/// </remarks>
public sealed class Sgd : Optimizer
{
    readonly float[][] velocities;
    readonly int[] steps;

    /// <summary>Creates an optimizer for these parameters.</summary>
    /// <param name="parameters">Parameters to update.</param>
    /// <param name="learningRate">Learning rate, at least 0.</param>
    /// <param name="momentum">Momentum, at least 0.</param>
    /// <param name="dampening">Dampening of the momentum.</param>
    /// <param name="weightDecay">Factor of the L2 penalty, at least 0.</param>
    /// <param name="nesterov">Whether to use Nesterov momentum. It requires a momentum above 0 and a dampening of 0.</param>
    /// <exception cref="ArgumentException">
    /// The learning rate, momentum or weight decay is negative or NaN, or nesterov is set without momentum or with dampening.
    /// </exception>
    public Sgd(
        IEnumerable<Parameter> parameters, float learningRate, float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
        : this([.. parameters], learningRate, momentum, dampening, weightDecay, nesterov)
    {
    }

    Sgd(Parameter[] parameters, float learningRate, float momentum, float dampening, float weightDecay, bool nesterov)
        : base(parameters, learningRate)
    {
        Require(momentum >= 0 && weightDecay >= 0, $"momentum and weight decay must be at least 0, not {momentum} and {weightDecay}");
        Require(
            !nesterov || (momentum > 0 && dampening == 0), $"Nesterov momentum needs a momentum above 0 and a dampening of 0, not {momentum} and {dampening}");
        (Momentum, Dampening, WeightDecay, Nesterov) = (momentum, dampening, weightDecay, nesterov);
        velocities = Array.ConvertAll(parameters, p => momentum > 0 ? new float[p.Value.FlattenedLength] : []);
        steps = new int[parameters.Length];
    }

    /// <summary>Factor of the previous velocity v.</summary>
    public float Momentum { get; }

    /// <summary>Dampening: the factor of g in v is 1 − dampening.</summary>
    public float Dampening { get; }

    /// <summary>Factor of the L2 penalty: weightDecay · p is added to the gradient.</summary>
    public float WeightDecay { get; }

    /// <summary>Whether to use Nesterov momentum.</summary>
    public bool Nesterov { get; }

    internal override IEnumerable<(string Name, double Value)> Settings =>
        [("momentum", Momentum), ("dampening", Dampening), ("weight_decay", WeightDecay), ("nesterov", Nesterov ? 1 : 0)];

    private protected override IEnumerable<StoredTensor> Moments =>
        velocities.Select((velocity, i) => StoredTensor.Of($"{i}.velocity", velocity)).Append(StoredTensor.Of("steps", steps));

    private protected override unsafe void Move(int index, Parameter parameter)
    {
        // The velocity is initially 0, so that a factor of 1 in the first step gives v = g.
        float share = steps[index]++ > 0 ? 1 - Dampening : 1;
        Span<float> value = parameter.ValueAs<float>();
        fixed (float* p = value, g = parameter.GradientAs<float>(), v = velocities[index])
            Elements.Run(value.Length, new Update(p, g, v, LearningRate, Momentum, share, WeightDecay, Nesterov));
    }

    readonly unsafe struct Update(
        float* p, float* g, float* v, float learningRate, float momentum, float share, float weightDecay, bool nesterov) : IElementWork
    {
        // No fused multiply-add: products are rounded before they are added, as in PyTorch.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V>(int i) where V : struct, ILanes<V, float>
        {
            V value = V.Load(p + i), step = V.Load(g + i);
            if (weightDecay != 0)
                step += value * V.Broadcast(weightDecay);
            if (momentum != 0)
            {
                V velocity = V.Load(v + i) * V.Broadcast(momentum) + step * V.Broadcast(share);
                velocity.Store(v + i);
                step = nesterov ? step + velocity * V.Broadcast(momentum) : velocity;
            }
            (value - step * V.Broadcast(learningRate)).Store(p + i);
        }
    }
}
