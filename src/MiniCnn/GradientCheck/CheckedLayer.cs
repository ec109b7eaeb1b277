using System.Numerics;

namespace MiniCnn;

/// <summary>
/// A layer as a function of its tensors: tensor 0 is the input, tensors from 1 on are the trainable parameters. The step of the session does not advance during
/// the check. <see cref="Dispose"/> restores the previous state of the layer.
/// </summary>
sealed class CheckedLayer<T> : IDisposable where T : unmanaged, IFloatingPointIeee754<T>
{
    readonly Layer layer;
    readonly LayerSession session;
    readonly Parameter[] parameters;
    readonly ScalarRun<T> function;
    readonly TorchGenerator random;
    readonly int[] inputShape;
    readonly T[] input;
    readonly (StoredTensor Tensor, SafeTensors.Entry Saved)[] stored;    // state that a training pass changes in addition to gradients

    public CheckedLayer(Layer layer, ReadOnlySpan<int> inputShape, int seed, bool training)
    {
        if (inputShape.Length is not (2 or 4) || inputShape.ContainsAnyInRange(int.MinValue, 0))
        {
            throw new ArgumentException(
                $"the input shape must be [N, C, H, W] or [N, features], all above 0, not [{string.Join(", ", inputShape.ToArray())}]");
        }
        ImageShape shape = inputShape.Length == 2 ? ImageShape.Features(inputShape[1]) : new(inputShape[1], inputShape[2], inputShape[3]);
        (this.layer, this.inputShape, random) = (layer, inputShape.ToArray(), new(seed));
        parameters = [.. layer.Parameters.Where(parameter => parameter.Trainable)];
        function = new(layer, inputShape[0], shape, training, seed);
        input = Random(checked((int)(inputShape[0] * shape.Length)));
        Dy = Random(checked((int)(inputShape[0] * function.Output.Length)));

        session = layer.Session.Enter();
        stored = [.. layer.Buffers.Select(tensor => (tensor, tensor.Save()))];
        foreach (Parameter parameter in layer.Parameters)
            parameter.BeginCheck();
        foreach (Parameter parameter in parameters)
            foreach (ref T value in parameter.ValueAs<T>())
                value += T.CreateTruncating(random.NextUniform(-0.25f, 0.25f));
    }

    /// <summary>∂f/∂y; always the same array.</summary>
    public T[] Dy { get; }

    public int Tensors => 1 + parameters.Length;

    /// <summary>Number of images in the batch.</summary>
    public int Batch => inputShape[0];

    public string Name(int tensor) => tensor == 0 ? "input" : parameters[tensor - 1].Name;

    public int[] Shape(int tensor) =>
        tensor == 0 ? inputShape : Array.ConvertAll(parameters[tensor - 1].Value.Lengths.ToArray(), n => (int)n);

    /// <summary>Description of the layer that a parameter belongs to.</summary>
    public string Owner(int tensor) => tensor == 0 ? layer.Description : parameters[tensor - 1].Owner.Description;

    /// <summary>Values of a tensor. Changes to them have an effect on the next Forward.</summary>
    public Span<T> Values(int tensor) => tensor == 0 ? input : parameters[tensor - 1].ValueAs<T>();

    public void Forward(Span<T> to) => function.Forward(input, to);

    public T[] Forward() => function.Forward(input);

    /// <summary>Returns ∂f/∂x for the last Forward, and adds to the gradients of the parameters.</summary>
    public T[] Backward() => function.Backward(Dy);

    /// <summary>
    /// Runs Forward and Backward. Returns ∂f/∂x, then the gradients of the parameters, which start from <paramref name="before"/>, or from zeros.
    /// </summary>
    public T[][] Gradients(T[][]? before)
    {
        for (int i = 0; i < parameters.Length; i++)
        {
            Span<T> gradient = parameters[i].GradientAs<T>();
            gradient.Clear();
            before?[i + 1].CopyTo(gradient);
        }
        Forward();
        return [Backward(), .. parameters.Select(parameter => parameter.GradientAs<T>().ToArray())];
    }

    /// <summary>Returns random start values for gradients, of the same magnitude as <paramref name="gradients"/>.</summary>
    public T[][] RandomGradients(T[][] gradients) =>
    [
        .. gradients.Select(gradient =>
        {
            T largest = T.Abs(gradient.MaxBy(T.Abs));
            return Array.ConvertAll(Random(gradient.Length), value => T.IsZero(largest) ? value : largest * value);
        }),
    ];

    public void Dispose()
    {
        foreach (Parameter parameter in layer.Parameters)
            parameter.EndCheck();
        foreach ((StoredTensor tensor, SafeTensors.Entry saved) in stored)
            tensor.Load(saved);
        session.Discard();
        session.Dispose();
    }

    /// <summary>Random numbers in ±[0.1, 1.1], away from 0, where many layers have a kink.</summary>
    T[] Random(int length)
    {
        T[] values = new T[length];
        foreach (ref T value in values.AsSpan())
        {
            float u = random.NextUniform(-1, 1);
            value = T.CreateTruncating(u < 0 ? u - 0.1f : u + 0.1f);
        }
        return values;
    }
}
