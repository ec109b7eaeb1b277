using System.Text;

namespace MiniCnn;

/// <summary>The result of a gradient check. Use <see cref="ToString"/> to print it.</summary>
public sealed class GradientReport
{
    readonly string title;
    readonly List<TensorReport> tensors = [];
    readonly List<string> findings = [];

    internal GradientReport(string title) => this.title = title;

    /// <summary>Whether all gradients are correct.</summary>
    public bool Passed => Findings.Count == 0;

    /// <summary>Reports of the input, then of the trainable parameters. Empty if Forward has no derivative.</summary>
    public IReadOnlyList<TensorReport> Tensors => tensors;

    /// <summary>Descriptions of the errors, “weight: analytic = −1 × numeric everywhere: the sign is wrong”. Empty if the check passed.</summary>
    public IReadOnlyList<string> Findings =>
        [.. findings, .. tensors.SelectMany(tensor => tensor.Findings.Select(finding => $"{tensor.Name}: {finding}"))];

    /// <summary>Returns one line for the layer and one for each tensor. A wrong tensor is followed by its findings and its worst elements.</summary>
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
