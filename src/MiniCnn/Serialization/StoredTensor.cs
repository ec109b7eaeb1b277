using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Numbers of a model that its file holds.</summary>
/// <param name="Name">PyTorch's name, “0.running_mean”.</param>
/// <param name="Form">Element type and shape, “F32 [8]”.</param>
/// <param name="Save">A copy for the file.</param>
/// <param name="Load">Takes over what a file held, of the same form.</param>
sealed record StoredTensor(string Name, string Form, Func<SafeTensors.Entry> Save, Action<SafeTensors.Entry> Load)
{
    public static StoredTensor Of(string name, Tensor<float> tensor) => new(
        name, $"F32 [{string.Join(", ", tensor.Lengths.ToArray())}]", () => SafeTensors.Entry.From(tensor),
        entry => entry.As<float>().CopyTo(tensor.AsSpan()));

    /// <summary>“0.weight F32 [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} {Form}";
}
