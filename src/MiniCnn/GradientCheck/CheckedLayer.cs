using System.Numerics;

namespace MiniCnn;

/// <summary>
/// A layer as a function of its tensors, number 0 the input, 1 and up the trainable parameters: one lane, the step held, and all that the
/// layer had before put back at the end.
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
    readonly (StoredTensor Tensor, SafeTensors.Entry Saved)[] stored;    // what a training pass changes besides gradients

    public CheckedLayer(Layer layer, ReadOnlySpan<int> inputShape, int seed, bool training)
    {
        if (inputShape.Length is not (2 or 4) || inputShape.ContainsAnyInRange(int.MinValue, 0))
        {
            throw new ArgumentException(
                $"an input [N, C, H, W] or [N, features] is needed, all above 0, not [{string.Join(", ", inputShape.ToArray())}]");
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

    /// <summary>∂f/∂y, one array for ever.</summary>
    public T[] Dy { get; }

    public int Tensors => 1 + parameters.Length;

    /// <summary>Images in the batch.</summary>
    public int Batch => inputShape[0];

    public string Name(int tensor) => tensor == 0 ? "input" : parameters[tensor - 1].Name;

    public int[] Shape(int tensor) =>
        tensor == 0 ? inputShape : Array.ConvertAll(parameters[tensor - 1].Value.Lengths.ToArray(), n => (int)n);

    /// <summary>The layer that a parameter belongs to.</summary>
    public string Owner(int tensor) => tensor == 0 ? layer.Description : parameters[tensor - 1].Owner.Description;

    /// <summary>The numbers of a tensor; change them, and the next Forward is another one.</summary>
    public Span<T> Values(int tensor) => tensor == 0 ? input : parameters[tensor - 1].ValueAs<T>();

    public void Forward(Span<T> to) => function.Forward(input, to);

    public T[] Forward() => function.Forward(input);

    /// <summary>∂f/∂x, for the last Forward; parameters' gradients are added to.</summary>
    public T[] Backward() => function.Backward(Dy);

    /// <summary>
    /// A forward and a backward pass: ∂f/∂x, and what the parameters' gradients hold then, which held these numbers before, or zeros.
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

    /// <summary>Numbers of the gradients' size for parameters' gradients to hold before.</summary>
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

    /// <summary>Numbers in ±[0.1, 1.1], clear of the kinks that many layers have at 0.</summary>
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
