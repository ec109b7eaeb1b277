using System.Text;

namespace MiniCnn;

/// <summary>What <see cref="Weights.Load"/> took from a file and what it did not. ToString is the report to read.</summary>
public sealed class WeightsReport
{
    const int Most = 10;                                                // names in a line of text

    readonly string path;
    readonly List<string> loaded = [], converted = [], missing = [], unexpected = [], mismatched = [], leftOut = [];
    readonly Dictionary<string, string> details = [];

    internal WeightsReport(string path) => this.path = path;

    /// <summary>The model's tensors that were loaded.</summary>
    public IReadOnlyList<string> Loaded => loaded;

    /// <summary>Those of them that were converted to float: from F16, BF16 or F64.</summary>
    public IReadOnlyList<string> Converted => converted;

    /// <summary>
    /// The model's tensors that the file does not have, which stay as they were: PyTorch's missing_keys. With <c>strict: true</c> only a
    /// num_batches_tracked can be one.
    /// </summary>
    public IReadOnlyList<string> Missing => missing;

    /// <summary>The file's tensors that the model does not have, by the file's names: PyTorch's unexpected_keys.</summary>
    public IReadOnlyList<string> Unexpected => unexpected;

    /// <summary>The model's tensors that have another shape or element type in the file, which stay as they were.</summary>
    public IReadOnlyList<string> Mismatched => mismatched;

    /// <summary>The file's tensors that <c>rename</c> left out, by the file's names.</summary>
    public IReadOnlyList<string> LeftOut => leftOut;

    /// <summary>A line on what was loaded, and one for each kind of tensor that was not.</summary>
    public override string ToString()
    {
        int all = loaded.Count + missing.Count + mismatched.Count;
        StringBuilder text = new(SafeTensors.OneLine($"{path}: {loaded.Count} of the model's {all} tensors loaded"));
        if (converted.Count > 0)
            text.Append($", {converted.Count} of them converted to F32 from {string.Join(", ", converted.Select(name => details[name]).Distinct())}");
        Add("not in the file, so they stay as they were", missing);
        Add("of another shape or type, so they stay as they were", mismatched);
        Add("in the file, but not in the model", unexpected);
        Add("left out by rename", leftOut);
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
