using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Numbers of a model that its file holds.</summary>
/// <param name="Name">PyTorch's name, “0.running_mean”.</param>
/// <param name="Form">Element type and shape, “F32 [8]”.</param>
/// <param name="Save">A copy for the file.</param>
/// <param name="Load">Takes over what a file held, of the same form.</param>
sealed record StoredTensor(string Name, string Form, Func<SafeTensors.Entry> Save, Action<SafeTensors.Entry> Load)
{
    public static StoredTensor Of<T>(string name, T[] numbers) where T : unmanaged => new(
        name, $"{SafeTensors.TypeOf<T>()} [{numbers.Length}]",
        () => SafeTensors.Entry.From<T>(numbers, numbers.Length), entry => entry.As<T>().CopyTo(numbers));

    public static StoredTensor Of(string name, Tensor<float> tensor) => new(
        name, $"F32 [{string.Join(", ", tensor.Lengths.ToArray())}]", () => SafeTensors.Entry.From(tensor),
        entry => entry.As<float>().CopyTo(tensor.AsSpan()));

    public static StoredTensor Of(Parameter parameter) => new(
        parameter.Name, $"F32 [{string.Join(", ", parameter.Lengths.ToArray())}]", () => SafeTensors.Entry.From(parameter.Value),
        entry => entry.As<float>().CopyTo(parameter.Give()));

    /// <summary>Takes over a file's tensors. Nothing changes unless it holds all that are wanted in their shapes, and no others.</summary>
    /// <exception cref="InvalidDataException">It does not.</exception>
    public static void LoadAll(StoredTensor[] wanted, IReadOnlyDictionary<string, SafeTensors.Entry> tensors, string? path = null)
    {
        foreach (StoredTensor stored in wanted)
        {
            if (!tensors.TryGetValue(stored.Name, out SafeTensors.Entry? entry))
                throw Fault($"has no {stored}; it holds {string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal))}");
            if (entry.ToString() != stored.Form)
                throw Fault($"{stored.Name} is {entry}, but the model's is {stored.Form}");
        }
        string? extra = tensors.Keys.Except(wanted.Select(stored => stored.Name)).Order(StringComparer.Ordinal).FirstOrDefault();
        if (extra is not null)
            throw Fault($"holds {extra}, which the model does not have");
        foreach (StoredTensor stored in wanted)
            stored.Load(tensors[stored.Name]);

        InvalidDataException Fault(string why) => new(SafeTensors.OneLine(path is null ? why : $"{path}: {why}"));
    }

    /// <summary>“0.weight F32 [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} {Form}";
}
