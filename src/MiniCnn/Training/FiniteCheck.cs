using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Finds the tensor in which NaN or infinity appears first. Within one step they spread through the whole network.</summary>
static class FiniteCheck
{
    /// <summary>Returns the last trainable parameter, the one nearest to the loss, with a gradient that is not finite; null if all are finite.</summary>
    public static Parameter? Gradient(IReadOnlyList<Parameter> parameters) =>
        parameters.LastOrDefault(p => p.Trainable && !IsFinite(p.GradientAs<float>()));

    /// <summary>Returns the name of the first F32 tensor that is not finite; null if all are finite.</summary>
    public static string? Tensor(IEnumerable<KeyValuePair<string, SafeTensors.Entry>> tensors) =>
        tensors.FirstOrDefault(t => t.Value.Type == "F32" && !IsFinite(t.Value.As<float>())).Key;

    /// <summary>
    /// Describes the first tensor that is not finite in a forward pass. Runs all layers separately in training mode, also those inside containers.
    /// </summary>
    public static string Output(Layer model, Tensor<float> x)
    {
        if (!IsFinite(x))
            return "the images themselves";
        return First(model, ref x) is not { } layer ? "the loss"
            : layer.Parameters.FirstOrDefault(p => !IsFinite(p.Value)) is { } parameter ? $"parameter {parameter}" : $"the output of {layer.Description}";
    }

    /// <summary>
    /// Returns the innermost layer with the first output that is not finite, or null if all outputs are finite; x is then the output of the model.
    /// </summary>
    static Layer? First(Layer layer, ref Tensor<float> x)
    {
        Tensor<float> input = x;
        if (layer is Container container)
        {
            foreach ((_, Layer part) in container.Children)
            {
                if (First(part, ref input) is { } found)
                    return found;
                if (layer is not Sequential)
                    input = x;                                   // all branches read the input of the container
            }
        }
        x = layer is Sequential ? input : layer.Forward(x, training: true);
        return IsFinite(x) ? null : layer;
    }

    static bool IsFinite(Tensor<float> tensor) => IsFinite(tensor.AsSpan());

    static bool IsFinite(ReadOnlySpan<float> numbers) => numbers.IsEmpty || TensorPrimitives.IsFiniteAll(numbers);
}
