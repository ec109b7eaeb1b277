using System.Globalization;
using System.Text;

namespace MiniCnn.Interop;

/// <summary>How far a tensor of the model, in float, is from the module's, in double.</summary>
/// <param name="Name">“y”, “dx”, “dweight”.</param>
/// <param name="Absolute">The largest |difference|.</param>
/// <param name="Relative">Absolute as a share of the tensor's largest number; NaN where the whole tensor is 0 except for rounding.</param>
/// <param name="Share">Absolute as a share of what rounding to float in every layer up to here may do.</param>
/// <param name="At">The index of the largest |difference|, “[0, 3, 1, 2]”.</param>
public sealed record ParityError(string Name, double Absolute, double Relative, double Share, string At)
{
    internal static ParityError Of(string name, Values ours, Values exact, double bound)
    {
        (double error, int at) = ours.DifferenceFrom(exact);
        double relative = error == 0 ? 0
            : exact.Largest <= bound ? double.NaN
            : error / exact.Largest;
        return new(name, error, relative, error == 0 ? 0 : error / bound, exact.Place(at));
    }

    internal string RelativeText => double.IsNaN(Relative) ? "–" : Relative.ToString("0.0E+0", CultureInfo.InvariantCulture);

    internal string ShareText => double.IsInfinity(Share) ? "∞" : Share.ToString(Share < 1000 ? "0.00" : "0E+0", CultureInfo.InvariantCulture);
}

/// <summary>A layer of the model beside the module that it was paired with.</summary>
/// <param name="Layer">“layer 1, BatchNorm2d(8)”.</param>
/// <param name="Module">“'bn1', BatchNorm2d”; empty where no module was paired: a function is called instead, or the layer is missing.</param>
/// <param name="Output">The output's error; null where it could not be computed, or has another shape.</param>
/// <param name="Gradient">The largest of the errors of ∂loss/∂x and ∂loss/∂parameter; null without a backward pass.</param>
public sealed record ParityRow(string Layer, string Module, ParityError? Output, ParityError? Gradient);

/// <summary>Something that model and module do not compute alike.</summary>
/// <param name="Where">The layer and the module, or a place between two: “before layer 4, Linear(400→10)”.</param>
/// <param name="What">What differs, by how much, and the first element that does.</param>
/// <param name="LooksLike">The mistake that explains it; empty where no known mistake does.</param>
public sealed record ParityDifference(string Where, string What, string LooksLike)
{
    /// <summary>Two or three lines.</summary>
    public override string ToString() => $"{Where}:\n    {What}{(LooksLike is "" ? "" : $"\n    It looks like this: {LooksLike}.")}";
}

/// <summary>What <see cref="Parity.Compare"/> found. <see cref="ToString"/> gives it as a text to read.</summary>
public sealed record ParityReport
{
    /// <summary>True when no difference was found: what is left is rounding.</summary>
    public bool Agrees => Differences.Count == 0;

    /// <summary>
    /// The differences in the order in which they come up: forward, then backward. Each layer was given the module's own numbers, so no difference
    /// follows from another.
    /// </summary>
    public required IReadOnlyList<ParityDifference> Differences { get; init; }

    /// <summary>
    /// The layers in the order in which they run, with their errors when the whole model runs in float. These include the errors of earlier layers.
    /// </summary>
    public required IReadOnlyList<ParityRow> Layers { get; init; }

    /// <summary>What does not change the numbers of this batch, or could not be compared.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The first line: what was compared.</summary>
    public required string Title { get; init; }

    /// <summary>The differences, the notes, and a table of the layers.</summary>
    public override string ToString()
    {
        StringBuilder text = new(Title + "\n\n");
        text.Append(
            Agrees ? "No difference: all that is left is rounding.\n"
            : Differences.Count == 1 ? "1 difference:\n"
            : $"{Differences.Count} differences:\n");
        for (int i = 0; i < Differences.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{i + 1}. {Differences[i]}\n");
        foreach (string note in Notes)
            text.Append(CultureInfo.InvariantCulture, $"Note: {note}.\n");

        string[][] cells =
        [
            ["layer", "module", "output", "relative", "of rounding", "worst gradient", "relative", "of rounding"],
            .. Layers.Select(row => (string[])[row.Layer, row.Module, .. Cells(row.Output, withName: false), .. Cells(row.Gradient, withName: true)]),
        ];
        int[] widths = [.. Enumerable.Range(0, 8).Select(column => cells.Max(row => row[column].Length))];
        text.Append('\n');
        foreach (string[] row in cells)
            text.Append(string.Join("  ", row.Select((cell, column) => Padded(cell, column, widths[column]))).TrimEnd() + "\n");
        return text + "\noutput, worst gradient: the largest |error| of the model in float, the module computing in double; "
            + "relative: of the tensor's largest number;\n"
            + "of rounding: of what rounding to float up to here may do. Above 1, it is more than rounding.\n";

        static string Padded(string cell, int column, int width) => column is 0 or 1 or 5 ? cell.PadRight(width) : cell.PadLeft(width);
    }

    static string[] Cells(ParityError? error, bool withName) => error is null
        ? ["–", "", ""]
        : [FormattableString.Invariant($"{(withName ? $"{error.Name} " : "")}{error.Absolute:0.0E+0}"), error.RelativeText, error.ShareText];
}

/// <summary>One training step of both.</summary>
/// <param name="Step">1, 2, …</param>
/// <param name="ModelLoss">The model's loss, before the step.</param>
/// <param name="ModuleLoss">The module's.</param>
/// <param name="GradientNorm">√Σ g² over all gradients of the model.</param>
/// <param name="ModuleGradientNorm">That of the module.</param>
/// <param name="Loss">The error of the model's loss.</param>
/// <param name="Gradient">The gradient with the largest share of what rounding may do.</param>
/// <param name="Parameter">The parameter, or running statistic, with the largest share after the step.</param>
/// <param name="Parted">The parameters and statistics that are off by more than rounding may do after the step.</param>
public sealed record TrainingParityStep(
    int Step, double ModelLoss, double ModuleLoss, double GradientNorm, double ModuleGradientNorm,
    ParityError Loss, ParityError Gradient, ParityError Parameter, IReadOnlyList<string> Parted)
{
    /// <summary>True when nothing is off by more than rounding may do up to this step.</summary>
    public bool Drifts => Loss.Share <= 1 && Gradient.Share <= 1 && Parameter.Share <= 1;
}

/// <summary>What <c>Parity.Train</c> found. <see cref="ToString"/> gives it as a text to read.</summary>
public sealed record TrainingParityReport
{
    /// <summary>True when the two only drift apart, as rounding explains; false when they differ.</summary>
    public required bool Drifts { get; init; }

    /// <summary>One step for each batch.</summary>
    public required IReadOnlyList<TrainingParityStep> Steps { get; init; }

    /// <summary>Whether the two only drift apart; else what parts first, and at which step.</summary>
    public required string Verdict { get; init; }

    /// <summary>The mistake that explains a difference; empty where no known mistake does.</summary>
    public required string LooksLike { get; init; }

    /// <summary>The first line: what was compared.</summary>
    public required string Title { get; init; }

    /// <summary>A table of the steps, the verdict, and which parameter parts at which step.</summary>
    public override string ToString()
    {
        StringBuilder text = new(Title + "\n\nstep        loss      module  of rounding   gradient      module  of rounding   ");
        text.Append("after the step: relative  of rounding\n");
        foreach (TrainingParityStep s in Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"{s.Step,4}  {s.ModelLoss,10:G6}  {s.ModuleLoss,10:G6}  {s.Loss.ShareText,11}  ");
            text.Append(CultureInfo.InvariantCulture, $"{s.GradientNorm,9:G5}  {s.ModuleGradientNorm,10:G5}  {s.Gradient.ShareText,11}   ");
            text.Append(CultureInfo.InvariantCulture, $"{s.Parameter.Name,-14} {s.Parameter.RelativeText,8}  {s.Parameter.ShareText,11}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"\n{Verdict}\n");
        if (LooksLike != "")
            text.Append(CultureInfo.InvariantCulture, $"    It looks like this: {LooksLike}.\n");
        HashSet<string> parted = [];
        foreach (TrainingParityStep s in Steps)
        {
            string[] now = [.. s.Parted.Where(parted.Add)];
            if (now.Length > 0)
                text.Append(CultureInfo.InvariantCulture, $"step {s.Step}: {string.Join(", ", now)} part\n");
        }
        return text.ToString();
    }
}
