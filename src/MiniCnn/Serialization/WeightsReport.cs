using System.Text;

namespace MiniCnn;

/// <summary>
/// The tensors that <see cref="Weights.Load"/> loaded from a file, and those that it did not. Use <see cref="ToString"/> to print the report.
/// </summary>
public sealed class WeightsReport
{
    const int Most = 10;                                                // maximum number of names in a line

    readonly string path;
    readonly List<string> loaded = [], converted = [], missing = [], unexpected = [], mismatched = [], leftOut = [];
    readonly Dictionary<string, string> details = [];

    internal WeightsReport(string path) => this.path = path;

    /// <summary>Tensors of the model that were loaded.</summary>
    public IReadOnlyList<string> Loaded => loaded;

    /// <summary>Loaded tensors that were converted to float from F16, BF16 or F64.</summary>
    public IReadOnlyList<string> Converted => converted;

    /// <summary>
    /// Tensors of the model that are not in the file, and are unchanged: PyTorch's missing_keys. With <c>strict: true</c>, only num_batches_tracked can be
    /// missing.
    /// </summary>
    public IReadOnlyList<string> Missing => missing;

    /// <summary>Tensors of the file that the model does not have, by their names in the file: PyTorch's unexpected_keys.</summary>
    public IReadOnlyList<string> Unexpected => unexpected;

    /// <summary>Tensors of the model that have another shape or element type in the file, and are unchanged.</summary>
    public IReadOnlyList<string> Mismatched => mismatched;

    /// <summary>Tensors of the file that <c>rename</c> skipped, by their names in the file.</summary>
    public IReadOnlyList<string> LeftOut => leftOut;

    /// <summary>Returns one line for the loaded tensors, and one line for each kind of tensor that was not loaded.</summary>
    public override string ToString()
    {
        int all = loaded.Count + missing.Count + mismatched.Count;
        StringBuilder text = new(SafeTensors.OneLine($"{path}: {loaded.Count} of the model's {all} tensors loaded"));
        if (converted.Count > 0)
            text.Append($", {converted.Count} of them converted to F32 from {string.Join(", ", converted.Select(name => details[name]).Distinct())}");
        Add("not in the file, so unchanged", missing);
        Add("of another shape or type, so unchanged", mismatched);
        Add("in the file, but not in the model", unexpected);
        Add("skipped by rename", leftOut);
        return text.ToString();

        void Add(string what, List<string> names)
        {
            if (names.Count == 0)
                return;
            IEnumerable<string> some = names.Take(Most).Select(name => mismatched.Contains(name) ? $"{name} ({details[name]})" : name);
            string more = names.Count > Most ? $" and {names.Count - Most} more" : "";
            text.Append($"\n  {what}: {SafeTensors.OneLine(string.Join(", ", some))}{more}");
        }
    }

    internal void AddLoaded(string name, string type, bool isConverted)
    {
        loaded.Add(name);
        if (!isConverted)
            return;
        converted.Add(name);
        details[name] = type;
    }

    internal void AddMissing(string name) => missing.Add(name);

    internal void AddMismatched(string name, string detail)
    {
        mismatched.Add(name);
        details[name] = detail;
    }

    internal void AddUnexpected(string name) => unexpected.Add(name);

    internal void AddLeftOut(string name) => leftOut.Add(name);
}
