using System.Numerics.Tensors;

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
public sealed class Sgd
{
    readonly (Parameter Parameter, float[] Velocity)[] states;
    readonly bool[] started;
    readonly float momentum, dampening, weightDecay;
    readonly bool nesterov;
    float[] direction = [];

    /// <summary>An optimizer of these parameters.</summary>
    /// <exception cref="ArgumentException">A negative number, or Nesterov without momentum or with dampening.</exception>
    public Sgd(
        IEnumerable<Parameter> parameters, float learningRate, float momentum = 0, float dampening = 0, float weightDecay = 0, bool nesterov = false)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        if (!(learningRate >= 0 && momentum >= 0 && weightDecay >= 0))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"learning rate, momentum and weight decay must be at least 0, not {learningRate}, {momentum}, {weightDecay}"));
        }
        if (nesterov && (momentum == 0 || dampening != 0))
            throw new ArgumentException("Nesterov's form needs a momentum above 0 and no dampening");
        (LearningRate, this.momentum, this.dampening, this.weightDecay, this.nesterov) = (learningRate, momentum, dampening, weightDecay, nesterov);
        states = [.. parameters.Select(p => (p, momentum > 0 ? new float[p.Value.FlattenedLength] : []))];
        started = new bool[states.Length];
    }

    /// <summary>May be changed between steps.</summary>
    public float LearningRate { get; set; }

    /// <summary>Moves every trainable parameter against its gradient.</summary>
    public void Step()
    {
        for (int i = 0; i < states.Length; i++)
        {
            (Parameter parameter, float[] v) = states[i];
            if (!parameter.Trainable)
                continue;
            Span<float> p = parameter.ValueAs<float>();
            ReadOnlySpan<float> g = parameter.GradientAs<float>();
            if (direction.Length < p.Length)
                direction = new float[p.Length];
            Span<float> d = direction.AsSpan(0, p.Length);
            if (weightDecay != 0)
                TensorPrimitives.MultiplyAdd(p, weightDecay, g, d);
            else
                g.CopyTo(d);
            if (momentum != 0)
            {
                if (started[i])
                {
                    TensorPrimitives.Multiply(v, momentum, v);
                    TensorPrimitives.MultiplyAdd(d, 1 - dampening, v, v);
                }
                else
                {
                    d.CopyTo(v);
                }
                started[i] = true;
                if (nesterov)
                    TensorPrimitives.MultiplyAdd(v, momentum, d, d);
                else
                    v.CopyTo(d);
            }
            TensorPrimitives.MultiplyAdd(d, -LearningRate, p, p);
        }
    }

    /// <summary>Sets every gradient to zero.</summary>
    public void ZeroGrad()
    {
        foreach ((Parameter parameter, _) in states)
            parameter.GradientAs<float>().Clear();
    }
}
