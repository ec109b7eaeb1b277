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
public sealed class Sgd
{
    readonly (Parameter Parameter, float[] Velocity)[] states;
    readonly bool[] started;
    readonly float momentum, dampening, weightDecay;
    readonly bool nesterov;

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
    public unsafe void Step()
    {
        for (int i = 0; i < states.Length; i++)
        {
            (Parameter parameter, float[] velocity) = states[i];
            if (!parameter.Trainable)
                continue;
            // The velocity begins as zeros: the first step, undampened, makes it g.
            float share = started[i] ? 1 - dampening : 1;
            started[i] = true;
            Span<float> value = parameter.ValueAs<float>();
            fixed (float* p = value, g = parameter.GradientAs<float>(), v = velocity)
                Simd.Run(16, new Update(p, g, v, value.Length, LearningRate, momentum, share, weightDecay, nesterov));
        }
    }

    /// <summary>Sets every gradient to zero.</summary>
    public unsafe void ZeroGrad()
    {
        foreach ((Parameter parameter, _) in states)
        {
            Span<float> gradient = parameter.GradientAs<float>();
            fixed (float* g = gradient)
                Workers.Run(Pieces(gradient.Length), new ClearPiece(g, gradient.Length));
        }
    }

    const int Piece = 16384;

    static int Pieces(int length) => (length + Piece - 1) / Piece;

    readonly unsafe struct ClearPiece(float* g, int length) : IWork
    {
        public void Run(int piece) => new Span<float>(g, length)[(piece * Piece)..Math.Min(length, (piece + 1) * Piece)].Clear();
    }

    readonly unsafe struct Update(
        float* p, float* g, float* v, int length, float learningRate, float momentum, float share, float weightDecay, bool nesterov) : ILaneWork
    {
        public void Run<V>() where V : struct, ILanes<V, float> => Workers.Run(Pieces(length), new UpdatePiece<V>(this));

        readonly struct UpdatePiece<V>(Update all) : IWork where V : struct, ILanes<V, float>
        {
            public void Run(int piece) => all.Run<V>(piece * Piece);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        void Run<V>(int i) where V : struct, ILanes<V, float>
        {
            int end = Math.Min(length, i + Piece);
            for (; i <= end - V.Count; i += V.Count)
                Step<V>(i);
            for (; i < end; i++)
                Step<Scalar<float>>(i);
        }

        // Products are rounded before they are added, as PyTorch's are.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Step<V>(int i) where V : struct, ILanes<V, float>
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
