namespace MiniCnn;

/// <summary>Moves parameters against their gradients.</summary>
/// <remarks>
/// Parameters that are to learn by other numbers get an optimizer of their own. What PyTorch's groups are used for most, no weight decay on
/// biases and norms, which are the parameters of one axis:
/// <code>
/// AdamW weights = new(model.Parameters.Where(p => p.Value.Rank > 1), 1e-3f, weightDecay: 0.05f);
/// AdamW others = new(model.Parameters.Where(p => p.Value.Rank == 1), 1e-3f, weightDecay: 0);
/// </code>
/// </remarks>
public abstract class Optimizer
{
    readonly Parameter[] parameters;

    private protected Optimizer(Parameter[] parameters, float learningRate)
    {
        Require(learningRate >= 0, $"a learning rate must be at least 0, not {learningRate}");
        (this.parameters, LearningRate) = (parameters, learningRate);
    }

    /// <summary>What it moves.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>May be changed between steps; <see cref="MiniCnn.LearningRate"/> has schedules.</summary>
    public float LearningRate { get; set; }

    /// <summary>Moves every trainable parameter against its gradient.</summary>
    public void Step()
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].Trainable)
                Move(i, parameters[i]);
        }
    }

    /// <summary>Sets every gradient to zero.</summary>
    public unsafe void ZeroGrad()
    {
        foreach (Parameter parameter in parameters)
        {
            Span<float> gradient = parameter.GradientAs<float>();
            fixed (float* g = gradient)
                Elements.Run(gradient.Length, new Clear(g));
        }
    }

    /// <summary>What a file keeps of it: the state that its steps depend on beside its settings, and the learning rate.</summary>
    internal IEnumerable<StoredTensor> Stored => Moments.Append(new(
        "learning_rate", "F32 [1]", () => SafeTensors.Entry.From<float>([LearningRate], 1), entry => LearningRate = entry.As<float>()[0]));

    /// <summary>What it was made with, beside the learning rate, by PyTorch's names; true is 1.</summary>
    internal abstract IEnumerable<(string Name, double Value)> Settings { get; }

    /// <summary>What its steps so far have left.</summary>
    private protected abstract IEnumerable<StoredTensor> Moments { get; }

    /// <summary>One step of the parameter of an index.</summary>
    private protected abstract void Move(int index, Parameter parameter);

    private protected static void Require(bool holds, FormattableString otherwise)
    {
        if (!holds)
            throw new ArgumentException(FormattableString.Invariant(otherwise));
    }

    readonly unsafe struct Clear(float* g) : IElementWork
    {
        public void Run<V>(int i) where V : struct, ILanes<V, float> => V.Broadcast(0).Store(g + i);
    }
}
