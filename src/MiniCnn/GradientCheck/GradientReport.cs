using System.Text;

namespace MiniCnn;

/// <summary>What a gradient check found. ToString is the report to read; findings are sentences that say what is wrong.</summary>
public sealed class GradientReport
{
    readonly string title;
    readonly List<TensorReport> tensors = [];
    readonly List<string> findings = [];

    internal GradientReport(string title) => this.title = title;

    /// <summary>Whether every gradient is right.</summary>
    public bool Passed => Findings.Count == 0;

    /// <summary>The input, then the trainable parameters; empty where Forward could not be differentiated at all.</summary>
    public IReadOnlyList<TensorReport> Tensors => tensors;

    /// <summary>What is wrong, “weight: analytic = −1 × numeric everywhere: the sign is turned”; empty when the check passed.</summary>
    public IReadOnlyList<string> Findings =>
        [.. findings, .. tensors.SelectMany(tensor => tensor.Findings.Select(finding => $"{tensor.Name}: {finding}"))];

    /// <summary>A line for the layer, one for each tensor, and below a wrong one its findings and its worst elements.</summary>
    public override string ToString()
    {
        StringBuilder text = new($"gradient check {(Passed ? "passed" : "FAILED")}: {title}");
        foreach (string finding in findings)
            text.Append($"\n  {finding}");
        foreach (TensorReport tensor in tensors)
            text.Append($"\n  {tensor}");
        return text.ToString();
    }

    internal void Add(string finding) => findings.Add(finding);

    internal void Add(TensorReport tensor) => tensors.Add(tensor);
}
