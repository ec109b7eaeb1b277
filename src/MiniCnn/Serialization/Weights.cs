namespace MiniCnn;

/// <summary>
/// What a model has learnt in a safetensors file, under PyTorch's names (“0.weight”): parameters, and batch norm's running statistics.
/// </summary>
public static class Weights
{
    /// <summary>Writes them all; the same weights give the same bytes. An older file of that name is replaced whole or not at all.</summary>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="path">The file.</param>
    /// <param name="metadata">Text to keep beside them, by name: the classes, say. “format” is always “pt”, as PyTorch's users write it.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Layer model, string path, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Dictionary<string, string> about = new(metadata ?? []) { ["format"] = "pt" };
        SafeTensors.Write(path, model.Stored.ToDictionary(stored => stored.Name, stored => stored.Save()), about);
    }

    /// <summary>Reads them all. Nothing in the model changes unless the file holds all of them, and no others, in their shapes.</summary>
    /// <exception cref="InvalidDataException">The file is not a safetensors file, or not this model's.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(Layer model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        StoredTensor.LoadAll([.. model.Stored], SafeTensors.Read(path).Tensors, path);
    }
}
