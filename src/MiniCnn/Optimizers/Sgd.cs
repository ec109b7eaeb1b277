using System.Runtime.CompilerServices;

namespace MiniCnn;

/// <summary>Stochastic gradient descent with momentum, Nesterov's form and weight decay, as PyTorch has them.</summary>
/// <remarks>
/// For a parameter p and its gradient:
/// <code>
/// g = gradient + weightDecay · p
/// v = g at the first step, then momentum · v + (1 − dampening) · g        (with momentum only)
/// g = v, or with Nesterov g + momentum · v
/// p = p − learningRate · g
/// </code>
/// The learning rate is not folded into v, so it may change from step to step.
/// Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.
/// </remarks>
public sealed class Sgd : Optimizer
{
    readonly float[][] velocities;
    readonly int[] steps;

    /// <summary>An optimizer of these parameters.</summary>
    /// <exception cref="ArgumentException">A negative number, or Nesterov without momentum or with dampening.</exception>
    public Sgd(
        IEnumerable<Parameter> parameters, float learningRate, float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
        : this([.. parameters], learningRate, momentum, dampening, weightDecay, nesterov)
    {
    }

    Sgd(Parameter[] parameters, float learningRate, float momentum, float dampening, float weightDecay, bool nesterov)
        : base(parameters, learningRate)
    {
        Require(momentum >= 0 && weightDecay >= 0, $"momentum and weight decay must be at least 0, not {momentum} and {weightDecay}");
        Require(!nesterov || (momentum > 0 && dampening == 0), $"Nesterov's form needs a momentum above 0 and no dampening");
        (Momentum, Dampening, WeightDecay, Nesterov) = (momentum, dampening, weightDecay, nesterov);
        velocities = Array.ConvertAll(parameters, p => momentum > 0 ? new float[p.Value.FlattenedLength] : []);
        steps = new int[parameters.Length];
    }

    /// <summary>The share of v that stays in a step.</summary>
    public float Momentum { get; }

    /// <summary>The share of g that does not go into v.</summary>
    public float Dampening { get; }

    /// <summary>The share of p that is added to its gradient.</summary>
    public float WeightDecay { get; }

    /// <summary>Whether steps are Nesterov's.</summary>
    public bool Nesterov { get; }

    internal override IEnumerable<(string Name, double Value)> Settings =>
        [("momentum", Momentum), ("dampening", Dampening), ("weight_decay", WeightDecay), ("nesterov", Nesterov ? 1 : 0)];

    private protected override IEnumerable<StoredTensor> Moments =>
        velocities.Select((velocity, i) => StoredTensor.Of($"{i}.velocity", velocity)).Append(StoredTensor.Of("steps", steps));

    private protected override unsafe void Move(int index, Parameter parameter)
    {
        // The velocity begins as zeros: the first step, undampened, makes it g.
        float share = steps[index]++ > 0 ? 1 - Dampening : 1;
        Span<float> value = parameter.ValueAs<float>();
        fixed (float* p = value, g = parameter.GradientAs<float>(), v = velocities[index])
            Elements.Run(value.Length, new Update(p, g, v, LearningRate, Momentum, share, WeightDecay, Nesterov));
    }

    readonly unsafe struct Update(
        float* p, float* g, float* v, float learningRate, float momentum, float share, float weightDecay, bool nesterov) : IElementWork
    {
        // Products are rounded before they are added, as PyTorch's are.
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
