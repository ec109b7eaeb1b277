using System.Globalization;

namespace MiniCnn;

/// <summary>
/// Saves and loads the state of a training run: weights and running statistics of the model, moments and learning rates of the optimizers, and the state of
/// the random numbers. After loading it into the same model and optimizers, training continues bit-identically to a run without interruption.
/// </summary>
/// <remarks>
/// A new file replaces the old one atomically, and the old one is kept as <c>path.previous</c>. One of the two is complete whenever the process is killed.
/// Gradients are not saved: save after ZeroGrad and before Backward. The position in the run (epoch, batch) is not saved either: the caller keeps it in the
/// metadata. A <see cref="Trainer"/> does this automatically.
/// </remarks>
public static class Checkpoint
{
    const string Seed = "minicnn.seed", Step = "minicnn.step";

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="model">The model that is trained.</param>
    /// <param name="optimizers">The optimizers that train it.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="metadata">Text to store in the file, by name.</param>
    /// <exception cref="IOException">The file cannot be written. The existing checkpoints are kept.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    public static void Save(
        Layer model, IEnumerable<Optimizer> optimizers, string path, IEnumerable<KeyValuePair<string, string>>? metadata = null) =>
        Write(model, path, metadata ?? [], Tensors(model, optimizers, more: []));

    /// <summary>Writes a checkpoint with the given tensors, which <see cref="Tensors"/> returns.</summary>
    internal static void Write(
        Layer model, string path, IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<KeyValuePair<string, SafeTensors.Entry>> tensors)
    {
        Dictionary<string, string> about = new(metadata)
        {
            [Seed] = model.Session.Seed.ToString(CultureInfo.InvariantCulture),
            [Step] = model.Session.Step.ToString(CultureInfo.InvariantCulture),
        };
        // A damaged file must not replace a good path.previous.
        SafeTensors.Write(path, tensors, about, SafeTensors.IsWhole(path) ? PreviousOf(path) : null);
    }

    /// <summary>Returns copies of the tensors of model and optimizers, and of the tensors in <paramref name="more"/>, by name.</summary>
    internal static KeyValuePair<string, SafeTensors.Entry>[] Tensors(Layer model, IEnumerable<Optimizer> optimizers, IEnumerable<StoredTensor> more) =>
        [.. Stored(model, optimizers).Concat(more).Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Save()))];

    /// <summary>Loads a checkpoint into a model and optimizers. If the file is missing or damaged, <c>path.previous</c> is loaded instead.</summary>
    /// <param name="model">The model; it must have the same layers as when it was saved.</param>
    /// <param name="optimizers">The optimizers, in the same order as when they were saved.</param>
    /// <param name="path">Path of the file.</param>
    /// <returns>The metadata of the file.</returns>
    /// <exception cref="FileNotFoundException">Neither file exists.</exception>
    /// <exception cref="InvalidDataException">
    /// Both files are damaged, or the checkpoint is of another model or other optimizers. The model and the optimizers are unchanged.
    /// </exception>
    public static IReadOnlyDictionary<string, string> Load(Layer model, IEnumerable<Optimizer> optimizers, string path) =>
        Load(model, optimizers, path, more: (_, _) => []);

    /// <summary>Loads more tensors too: <paramref name="more"/> returns them for the path and the metadata of the file that was read.</summary>
    internal static IReadOnlyDictionary<string, string> Load(
        Layer model, IEnumerable<Optimizer> optimizers, string path, Func<string, IReadOnlyDictionary<string, string>, IEnumerable<StoredTensor>> more)
    {
        ArgumentNullException.ThrowIfNull(model);
        SafeTensorsFile file = Read(path, out path);
        if (!int.TryParse(file.Metadata.GetValueOrDefault(Seed), CultureInfo.InvariantCulture, out int seed)
            || !int.TryParse(file.Metadata.GetValueOrDefault(Step), CultureInfo.InvariantCulture, out int step) || step < 0)
        {
            throw new InvalidDataException($"{path}: not a checkpoint; its metadata has no valid {Seed} and {Step}");
        }
        StoredTensor.LoadAll([.. Stored(model, optimizers), .. more(path, file.Metadata)], file.Tensors, path);
        model.Session.Resume(seed, step);
        foreach (Parameter parameter in model.Parameters)
            parameter.GradientAs<float>().Clear();
        return file.Metadata;
    }

    /// <summary>Returns whether the checkpoint or <c>path.previous</c> exists.</summary>
    public static bool Exists(string path) => File.Exists(path) || File.Exists(PreviousOf(path));

    /// <summary>Deletes the checkpoint and <c>path.previous</c>, for example when the run has ended and its model is saved.</summary>
    public static void Delete(string path)
    {
        File.Delete(PreviousOf(path));
        File.Delete(path);
    }

    static string PreviousOf(string path) => $"{path}.previous";

    static SafeTensorsFile Read(string path, out string found)
    {
        found = File.Exists(path) || !File.Exists(PreviousOf(path)) ? path : PreviousOf(path);
        try
        {
            return SafeTensors.Read(found);
        }
        catch (InvalidDataException) when (found == path && File.Exists(PreviousOf(path)))
        {
            return SafeTensors.Read(found = PreviousOf(path));
        }
    }

    static IEnumerable<StoredTensor> Stored(Layer model, IEnumerable<Optimizer> optimizers) =>
        model.Stored.Select(tensor => tensor with { Name = $"model.{tensor.Name}" })
            .Concat(optimizers.SelectMany((optimizer, i) => optimizer.Stored.Select(tensor => tensor with { Name = $"optimizer.{i}.{tensor.Name}" })));
}
