namespace MiniCnn;

/// <summary>A model's parameters in a safetensors file, under PyTorch's names (“0.weight”).</summary>
public static class Weights
{
    /// <summary>Writes every parameter; the same weights give the same bytes. An older file of that name is replaced whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Layer model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        SafeTensors.Write(
            path, model.Parameters.ToDictionary(p => p.Name, p => SafeTensors.Entry.From(p.Value)), new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Reads every parameter. Nothing in the model changes unless the file holds all of them, and no others, in their shapes.</summary>
    /// <exception cref="InvalidDataException">The file is not a safetensors file, or not this model's.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(Layer model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        IReadOnlyDictionary<string, SafeTensors.Entry> tensors = SafeTensors.Read(path).Tensors;
        foreach (Parameter parameter in model.Parameters)
        {
            if (!tensors.TryGetValue(parameter.Name, out SafeTensors.Entry? entry))
                throw new InvalidDataException($"{path}: has no {parameter}; it holds {string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal))}");
            string expected = $"F32 [{string.Join(", ", parameter.Value.Lengths.ToArray())}]";
            if (entry.ToString() != expected)
                throw new InvalidDataException($"{path}: {parameter.Name} is {entry}, but the model's is {expected}");
        }
        string? extra = tensors.Keys.Except(model.Parameters.Select(p => p.Name)).Order(StringComparer.Ordinal).FirstOrDefault();
        if (extra is not null)
            throw new InvalidDataException($"{path}: holds {extra}, which the model does not have");
        foreach (Parameter parameter in model.Parameters)
            tensors[parameter.Name].As<float>().CopyTo(parameter.ValueAs<float>());
    }
}
