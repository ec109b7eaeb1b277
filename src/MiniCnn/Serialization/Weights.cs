namespace MiniCnn;

/// <summary>
/// Saves and loads the weights of a model in a safetensors file, under PyTorch's names (“0.weight”): parameters and the running statistics of batch norms.
/// </summary>
public static class Weights
{
    /// <summary>Writes all weights. The same weights give the same bytes. An existing file is replaced atomically.</summary>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="metadata">Text to store in the file, by name, for example the class names. “format” is always “pt”, the usual value for PyTorch.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Layer model, string path, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Dictionary<string, string> about = new(metadata ?? []) { ["format"] = "pt" };
        SafeTensors.Write(path, model.Stored.ToDictionary(stored => stored.Name, stored => stored.Save()), about);
    }

    /// <summary>
    /// Loads weights like PyTorch's <c>load_state_dict</c>. F16, BF16 and F64 are converted to float like <c>.float()</c>. The num_batches_tracked of a batch
    /// norm may be missing, as in files from PyTorch before 0.4.1: <see cref="BatchNorm.BatchesTracked"/> is then unchanged, 0 in a new model.
    /// </summary>
    /// <remarks>
    /// Example: load the feature extractor of a PyTorch network that was trained with DataParallel and has another head:
    /// <code>
    /// WeightsReport report = Weights.Load(model, "resnet.safetensors", strict: false, rename: name => name.StartsWith("fc.") ? null : name.Replace("module.",
    /// "")); Console.WriteLine(report);
    /// </code>
    /// If an exception is thrown, the model is unchanged.
    /// </remarks>
    /// <param name="model">A model, or a layer.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="strict">
    /// If true (the default), the file must hold exactly the tensors of the model, with the same shapes. If false, the matching tensors are loaded, and the
    /// report lists the others. Unlike PyTorch, a tensor with another shape is then reported and is not an error.
    /// </param>
    /// <param name="rename">Maps a name in the file to a name in the model, or to null to skip the tensor. The default is equal names.</param>
    /// <returns>A report of the tensors that were loaded, converted and not loaded. Print it to read it.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is not a safetensors file; it does not match the model (strict); no tensor in it matches the model; or two tensors are renamed to the same
    /// name.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WeightsReport Load(Layer model, string path, bool strict = true, Func<string, string?>? rename = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return StoredTensor.LoadAll(
            [.. model.Stored], SafeTensors.Read(path).Tensors, path, strict, rename, "; strict: false loads the matching tensors, rename: maps names");
    }
}
