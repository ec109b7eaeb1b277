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

    /// <summary>
    /// Reads a file as PyTorch's <c>load_state_dict</c> does. F16, BF16 and F64 are converted to float as by <c>.float()</c>. A batch norm's
    /// num_batches_tracked may be missing, as it is in files of before PyTorch 0.4.1: <see cref="BatchNorm.BatchesTracked"/> stays as it was, 0 in a new model.
    /// </summary>
    /// <remarks>
    /// The weights of a PyTorch network's feature extractor, which was trained by DataParallel and has another head:
    /// <code>
    /// WeightsReport report = Weights.Load(model, "resnet.safetensors", strict: false, rename: name => name.StartsWith("fc.") ? null : name.Replace("module.", ""));
    /// Console.WriteLine(report);
    /// </code>
    /// If it throws, nothing in the model has changed.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="path">The file.</param>
    /// <param name="strict">
    /// True: the file must hold all of the model's tensors, and no others, in their shapes. False: what fits is loaded, and the report tells of the rest;
    /// other than in PyTorch, which throws there, a tensor of another shape is among the rest.
    /// </param>
    /// <param name="rename">From a name in the file to the name in the model; null to leave the tensor out. If not given, the names are the same.</param>
    /// <returns>What was loaded, converted and not loaded; its ToString is to be read.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is not a safetensors file, or not this model's; nothing in it fits; or two of its tensors are renamed to one.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WeightsReport Load(Layer model, string path, bool strict = true, Func<string, string?>? rename = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return StoredTensor.LoadAll([.. model.Stored], SafeTensors.Read(path).Tensors, path, strict, rename, "; strict: false loads what fits, rename: gives tensors other names");
    }
}
