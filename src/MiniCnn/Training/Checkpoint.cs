using System.Globalization;

namespace MiniCnn;

/// <summary>
/// A run in a file: the model's weights and statistics, the optimizers' moments and rates, and the state of the random numbers. Loaded into the same model and
/// optimizers, training goes on as if it had never stopped, to the bit.
/// </summary>
/// <remarks>
/// A new file takes the old one's place whole or not at all, and the old one stays beside it as <c>path.previous</c>: whatever ends the process,
/// one of the two is there and whole. Gradients are not kept: save between ZeroGrad and Backward. Where the run is (epoch, batch) is the caller's to
/// keep, as text, unless a <see cref="Trainer"/> does.
/// </remarks>
public static class Checkpoint
{
    const string Seed = "minicnn.seed", Step = "minicnn.step";

    /// <summary>Writes one.</summary>
    /// <param name="model">What is being trained.</param>
    /// <param name="optimizers">By what.</param>
    /// <param name="path">The file.</param>
    /// <param name="metadata">Text to keep with it, by name.</param>
    /// <exception cref="IOException">The file cannot be written; the older ones stay.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public static void Save(
        Layer model, IEnumerable<Optimizer> optimizers, string path, IEnumerable<KeyValuePair<string, string>>? metadata = null) =>
        Write(model, path, metadata ?? [], Tensors(model, optimizers, more: []));

    /// <summary>As above, of tensors from <see cref="Tensors"/>.</summary>
    internal static void Write(
        Layer model, string path, IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<KeyValuePair<string, SafeTensors.Entry>> tensors)
    {
        Dictionary<string, string> about = new(metadata)
        {
            [Seed] = model.Session.Seed.ToString(CultureInfo.InvariantCulture),
            [Step] = model.Session.Step.ToString(CultureInfo.InvariantCulture),
        };
        SafeTensors.Write(path, tensors, about, SafeTensors.IsWhole(path) ? PreviousOf(path) : null);      // a damaged one takes no good one's place
    }

    /// <summary>What is to be written, by name, and other tensors besides.</summary>
    internal static KeyValuePair<string, SafeTensors.Entry>[] Tensors(Layer model, IEnumerable<Optimizer> optimizers, IEnumerable<StoredTensor> more) =>
        [.. Stored(model, optimizers).Concat(more).Select(tensor => KeyValuePair.Create(tensor.Name, tensor.Save()))];

    /// <summary>Reads one: the file, or where that is not there or damaged, the one before.</summary>
    /// <returns>The text that was kept with it.</returns>
    /// <exception cref="FileNotFoundException">There is neither.</exception>
    /// <exception cref="InvalidDataException">Both are damaged, or it is of another model or optimizer; nothing has changed then.</exception>
    public static IReadOnlyDictionary<string, string> Load(Layer model, IEnumerable<Optimizer> optimizers, string path) =>
        Load(model, optimizers, path, more: (_, _) => []);

    /// <summary>As above, with other tensors besides, which are known by the file's path and metadata.</summary>
    internal static IReadOnlyDictionary<string, string> Load(
        Layer model, IEnumerable<Optimizer> optimizers, string path, Func<string, IReadOnlyDictionary<string, string>, IEnumerable<StoredTensor>> more)
    {
        ArgumentNullException.ThrowIfNull(model);
        SafeTensorsFile file = Read(path, out path);
        if (!int.TryParse(file.Metadata.GetValueOrDefault(Seed), CultureInfo.InvariantCulture, out int seed)
            || !int.TryParse(file.Metadata.GetValueOrDefault(Step), CultureInfo.InvariantCulture, out int step) || step < 0)
        {
            throw new InvalidDataException($"{path}: is no checkpoint, it has no {Seed} and {Step}");
        }
        StoredTensor.LoadAll([.. Stored(model, optimizers), .. more(path, file.Metadata)], file.Tensors, path);
        model.Session.Resume(seed, step);
        foreach (Parameter parameter in model.Parameters)
            parameter.GradientAs<float>().Clear();
        return file.Metadata;
    }

    /// <summary>Whether there is one, or the one before.</summary>
    public static bool Exists(string path) => File.Exists(path) || File.Exists(PreviousOf(path));

    /// <summary>Removes both: of a run that has ended, when its model is saved.</summary>
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
