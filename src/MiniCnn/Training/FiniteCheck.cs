using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Finds where numbers stopped being finite: NaN and infinity spread through a net within a step.</summary>
static class FiniteCheck
{
    /// <summary>The first parameter, from the loss backwards, whose gradient is not finite.</summary>
    public static Parameter? Gradient(IReadOnlyList<Parameter> parameters) =>
        parameters.LastOrDefault(p => p.Trainable && !IsFinite(p.GradientAs<float>()));

    /// <summary>The name of the first of some tensors that is not finite.</summary>
    public static string? Tensor(IEnumerable<KeyValuePair<string, SafeTensors.Entry>> tensors) =>
        tensors.FirstOrDefault(t => t.Value.Type == "F32" && !IsFinite(t.Value.As<float>())).Key;

    /// <summary>Where a batch's output stopped being finite, in words: runs the layers one by one, as in training, those in containers too.</summary>
    public static string Output(Layer model, Tensor<float> x)
    {
        if (!IsFinite(x))
            return "the images themselves";
        return First(model, ref x) is not { } layer ? "the loss"
            : layer.Parameters.FirstOrDefault(p => !IsFinite(p.Value)) is { } parameter ? $"parameter {parameter}" : $"the output of {layer.Description}";
    }

    /// <summary>The innermost layer whose output is the first that is not finite; null, and x the model's output, if all of them are finite.</summary>
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
                    input = x;                                   // branches read the same
            }
        }
        x = layer is Sequential ? input : layer.Forward(x, training: true);
        return IsFinite(x) ? null : layer;
    }

    static bool IsFinite(Tensor<float> tensor) => IsFinite(tensor.AsSpan());

    static bool IsFinite(ReadOnlySpan<float> numbers) => numbers.IsEmpty || TensorPrimitives.IsFiniteAll(numbers);
}
