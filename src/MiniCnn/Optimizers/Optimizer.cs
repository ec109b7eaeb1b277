namespace MiniCnn;

/// <summary>Base class of optimizers, which update parameters from their gradients.</summary>
/// <remarks>
/// Use several optimizers where PyTorch has parameter groups. Example: no weight decay for the parameters of rank 1, which are biases and the weights of
/// batch norms and group norms:
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

    /// <summary>The parameters that this optimizer updates.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>The learning rate. It can be changed between steps; <see cref="MiniCnn.LearningRate"/> has schedules.</summary>
    public float LearningRate { get; set; }

    /// <summary>Updates every trainable parameter from its gradient.</summary>
    public void Step()
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].Trainable)
                Move(i, parameters[i]);
        }
    }

    /// <summary>Sets the gradients of all parameters to zero.</summary>
    public unsafe void ZeroGrad()
    {
        foreach (Parameter parameter in parameters)
        {
            Span<float> gradient = parameter.GradientAs<float>();
            fixed (float* g = gradient)
                Elements.Run(gradient.Length, new Clear(g));
        }
    }

    /// <summary>The state that a checkpoint stores: moments and learning rate.</summary>
    internal IEnumerable<StoredTensor> Stored => Moments.Append(new(
        "learning_rate", "F32 [1]", () => SafeTensors.Entry.From<float>([LearningRate], 1), entry => LearningRate = entry.As<float>()[0]));

    /// <summary>The constructor arguments except parameters and learning rate, under PyTorch's names; true is 1, false is 0.</summary>
    internal abstract IEnumerable<(string Name, double Value)> Settings { get; }

    /// <summary>The state that depends on earlier steps, such as velocities and step counts.</summary>
    private protected abstract IEnumerable<StoredTensor> Moments { get; }

    /// <summary>Updates one parameter; index is its position in <see cref="Parameters"/>.</summary>
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
