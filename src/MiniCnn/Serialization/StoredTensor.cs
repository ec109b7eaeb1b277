using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>A tensor of a model that is stored in its file.</summary>
/// <param name="Name">PyTorch's name, “0.running_mean”.</param>
/// <param name="Form">Element type and shape, “F32 [8]”.</param>
/// <param name="Save">Returns a copy for the file.</param>
/// <param name="Load">Loads a tensor of a file, of a form that <see cref="Takes"/> accepts.</param>
sealed record StoredTensor(string Name, string Form, Func<SafeTensors.Entry> Save, Action<SafeTensors.Entry> Load)
{
    /// <summary>Whether a file may lack the tensor; the model is then unchanged.</summary>
    public bool IsOptional { get; init; }

    public static StoredTensor Of<T>(string name, T[] numbers) where T : unmanaged => new(
        name, $"{SafeTensors.TypeOf<T>()} [{numbers.Length}]",
        () => SafeTensors.Entry.From<T>(numbers, numbers.Length), entry => entry.CopyTo<T>(numbers));

    public static StoredTensor Of(string name, Tensor<float> tensor) => new(
        name, $"F32 [{string.Join(", ", tensor.Lengths.ToArray())}]", () => SafeTensors.Entry.From(tensor), entry => entry.CopyTo(tensor.AsSpan()));

    public static StoredTensor Of(Parameter parameter) => new(
        parameter.Name, $"F32 [{string.Join(", ", parameter.Lengths.ToArray())}]", () => SafeTensors.Entry.From(parameter.Value),
        entry => entry.CopyTo(parameter.Give()));

    /// <summary>Whether a tensor of a file has this form, or can be converted to it.</summary>
    public bool Takes(SafeTensors.Entry entry) =>
        entry.ToString() == Form || entry.IsFloatingPoint && Form == $"F32 {entry.ShapeText}";

    /// <summary>Loads tensors of a file into a model. If an exception is thrown, the model is unchanged.</summary>
    /// <param name="wanted">Tensors of the model.</param>
    /// <param name="tensors">Tensors of the file.</param>
    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="strict">Whether a missing tensor, an additional tensor, or a tensor of another form is an error.</param>
    /// <param name="rename">Maps a name in the file to a name in the model, or to null to skip the tensor.</param>
    /// <param name="wayOut">Text at the end of the messages for strict errors.</param>
    /// <exception cref="InvalidDataException">The tensors do not match (strict), none matches, or two are renamed to the same name.</exception>
    public static WeightsReport LoadAll(
        StoredTensor[] wanted, IReadOnlyDictionary<string, SafeTensors.Entry> tensors, string? path = null, bool strict = true,
        Func<string, string?>? rename = null, string wayOut = "")
    {
        WeightsReport report = new(path ?? "the file");
        Dictionary<string, string> left = [];                           // name in the model → name in the file
        foreach (string name in tensors.Keys.Order(StringComparer.Ordinal))
        {
            if ((rename is null ? name : rename(name)) is not { } renamed)
                report.AddLeftOut(name);
            else if (!left.TryAdd(renamed, name))
                throw Fault($"{left[renamed]} and {name} are both renamed to {renamed}");
        }
        List<(StoredTensor Stored, SafeTensors.Entry Entry)> loads = [];
        foreach (StoredTensor stored in wanted)
        {
            if (!left.Remove(stored.Name, out string? name))
            {
                if (strict && !stored.IsOptional)
                    throw Fault($"has no {stored}; it holds {string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal))}{wayOut}");
                report.AddMissing(stored.Name);
            }
            else if (!stored.Takes(tensors[name]))
            {
                if (strict)
                    throw Fault($"{name} is {tensors[name]}, but the model's is {stored.Form}{wayOut}");
                report.AddMismatched(stored.Name, $"{tensors[name]} in the file, {stored.Form} in the model");
            }
            else
            {
                loads.Add((stored, tensors[name]));
                report.AddLoaded(stored.Name, tensors[name].Type, isConverted: tensors[name].ToString() != stored.Form);
            }
        }
        foreach (string name in left.Values)
            report.AddUnexpected(name);
        if (strict && report.Unexpected.Count > 0)
            throw Fault($"holds {report.Unexpected[0]}, which the model does not have{wayOut}");
        if (loads.Count == 0 && wanted.Length > 0)
            throw Fault("no tensor in it matches the model; "
                + $"it holds {string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal))}, the model has {wanted[0]}, …");
        foreach ((StoredTensor stored, SafeTensors.Entry entry) in loads)
            stored.Load(entry);
        return report;

        InvalidDataException Fault(string why) => new(SafeTensors.OneLine(path is null ? why : $"{path}: {why}"));
    }

    /// <summary>“0.weight F32 [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} {Form}";
}
