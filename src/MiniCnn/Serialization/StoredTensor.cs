using System.Numerics.Tensors;

namespace MiniCnn;

/// <summary>Numbers of a model that its file holds.</summary>
/// <param name="Name">PyTorch's name, “0.running_mean”.</param>
/// <param name="Form">Element type and shape, “F32 [8]”.</param>
/// <param name="Save">A copy for the file.</param>
/// <param name="Load">Takes over what a file held, of a form that <see cref="Takes"/> accepts.</param>
sealed record StoredTensor(string Name, string Form, Func<SafeTensors.Entry> Save, Action<SafeTensors.Entry> Load)
{
    /// <summary>Whether a file may be without it; the model's number stays then.</summary>
    public bool IsOptional { get; init; }

    public static StoredTensor Of<T>(string name, T[] numbers) where T : unmanaged => new(
        name, $"{SafeTensors.TypeOf<T>()} [{numbers.Length}]",
        () => SafeTensors.Entry.From<T>(numbers, numbers.Length), entry => entry.CopyTo<T>(numbers));

    public static StoredTensor Of(string name, Tensor<float> tensor) => new(
        name, $"F32 [{string.Join(", ", tensor.Lengths.ToArray())}]", () => SafeTensors.Entry.From(tensor), entry => entry.CopyTo(tensor.AsSpan()));

    public static StoredTensor Of(Parameter parameter) => new(
        parameter.Name, $"F32 [{string.Join(", ", parameter.Lengths.ToArray())}]", () => SafeTensors.Entry.From(parameter.Value),
        entry => entry.CopyTo(parameter.Give()));

    /// <summary>Whether a file's tensor is of its form, or is converted to it.</summary>
    public bool Takes(SafeTensors.Entry entry) =>
        entry.ToString() == Form || entry.IsFloatingPoint && Form == $"F32 {entry.ShapeText}";

    /// <summary>Takes over a file's tensors. Nothing changes unless it holds all that are wanted in their shapes, and no others; or, if not strict, any of them.</summary>
    /// <param name="wanted">The model's.</param>
    /// <param name="tensors">The file's.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="strict">Whether one that is missing, is there beside the model's or does not fit is a fault.</param>
    /// <param name="rename">From a file's name to the model's; null for what is to be left out.</param>
    /// <param name="wayOut">What to do about a strict fault, for messages.</param>
    /// <exception cref="InvalidDataException">It does not.</exception>
    public static WeightsReport LoadAll(
        StoredTensor[] wanted, IReadOnlyDictionary<string, SafeTensors.Entry> tensors, string? path = null, bool strict = true,
        Func<string, string?>? rename = null, string wayOut = "")
    {
        WeightsReport report = new(path ?? "the file");
        Dictionary<string, string> left = [];                           // the model's name of each of the file's tensors, and the file's
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
            throw Fault($"nothing in it fits the model; it holds {string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal))}, the model {wanted[0]} and so on");
        foreach ((StoredTensor stored, SafeTensors.Entry entry) in loads)
            stored.Load(entry);
        return report;

        InvalidDataException Fault(string why) => new(SafeTensors.OneLine(path is null ? why : $"{path}: {why}"));
    }

    /// <summary>“0.weight F32 [8, 1, 5, 5]”.</summary>
    public override string ToString() => $"{Name} {Form}";
}
