using System.Globalization;
using System.Text;

namespace MiniCnn.Interop;

/// <summary>The error of a tensor of the model, computed in float, against the module's tensor, computed in double.</summary>
/// <param name="Name">Name of the tensor: “y”, “dx”, “dweight”.</param>
/// <param name="Absolute">The largest |difference|.</param>
/// <param name="Relative">Absolute divided by the tensor's largest |number|. NaN if the whole tensor is 0 except for rounding errors.</param>
/// <param name="Share">Absolute divided by the bound of the accumulated rounding error. Above 1, rounding does not explain the error.</param>
/// <param name="At">Index of the largest |difference|: “[0, 3, 1, 2]”.</param>
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

/// <summary>A layer of the model and the module that it was paired with.</summary>
/// <param name="Layer">The layer: “layer 1, BatchNorm2d(8)”.</param>
/// <param name="Module">The module: “'bn1', BatchNorm2d”. Empty if no module was paired, because a function is called instead or the layer is missing.</param>
/// <param name="Output">Error of the output. Null if it could not be computed or has a different shape.</param>
/// <param name="Gradient">The largest error of ∂loss/∂x and ∂loss/∂parameter. Null without a backward pass.</param>
public sealed record ParityRow(string Layer, string Module, ParityError? Output, ParityError? Gradient);

/// <summary>A difference between model and module.</summary>
/// <param name="Where">The layer and the module, or a place between two layers: “before layer 4, Linear(400→10)”.</param>
/// <param name="What">The values that differ, by how much, and the first element that differs.</param>
/// <param name="LooksLike">The mistake that explains the difference. Empty if no known mistake does.</param>
public sealed record ParityDifference(string Where, string What, string LooksLike)
{
    /// <summary>Returns two or three lines of text.</summary>
    public override string ToString() => $"{Where}:\n    {What}{(LooksLike is "" ? "" : $"\n    It looks like this: {LooksLike}.")}";
}

/// <summary>The result of <see cref="Parity.Compare"/>. <see cref="ToString"/> returns it as readable text.</summary>
public sealed record ParityReport
{
    /// <summary>Whether no difference was found: all errors are rounding errors.</summary>
    public bool Agrees => Differences.Count == 0;

    /// <summary>
    /// The differences in the order of computation: first the forward pass, then the backward pass. Each layer computes on the module's input, so
    /// the differences are independent of each other.
    /// </summary>
    public required IReadOnlyList<ParityDifference> Differences { get; init; }

    /// <summary>
    /// The layers in execution order, with their errors when the whole model runs in float. The errors include those of earlier layers.
    /// </summary>
    public required IReadOnlyList<ParityRow> Layers { get; init; }

    /// <summary>Differences that do not affect this batch, and parts that could not be compared.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The first line: model, module, batch and mode.</summary>
    public required string Title { get; init; }

    /// <summary>Returns the differences, the notes and a table of the layers.</summary>
    public override string ToString()
    {
        StringBuilder text = new(Title + "\n\n");
        text.Append(
            Agrees ? "No difference: all errors are rounding errors.\n"
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
        return text + "\noutput, worst gradient: the largest |error| of the model in float against the module in double; "
            + "relative: divided by the tensor's largest |number|;\n"
            + "of rounding: divided by the bound of the accumulated rounding error. Above 1, rounding does not explain the error.\n";

        static string Padded(string cell, int column, int width) => column is 0 or 1 or 5 ? cell.PadRight(width) : cell.PadLeft(width);
    }

    static string[] Cells(ParityError? error, bool withName) => error is null
        ? ["–", "", ""]
        : [FormattableString.Invariant($"{(withName ? $"{error.Name} " : "")}{error.Absolute:0.0E+0}"), error.RelativeText, error.ShareText];
}

/// <summary>One training step of the model and the module.</summary>
/// <param name="Step">Number of the step: 1, 2, …</param>
/// <param name="ModelLoss">The model's loss before the step.</param>
/// <param name="ModuleLoss">The module's loss before the step.</param>
/// <param name="GradientNorm">√Σ g² over all gradients of the model.</param>
/// <param name="ModuleGradientNorm">√Σ g² over all gradients of the module.</param>
/// <param name="Loss">Error of the model's loss.</param>
/// <param name="Gradient">The gradient error with the largest <see cref="ParityError.Share"/>.</param>
/// <param name="Parameter">The error with the largest share among the parameters and running statistics after the step.</param>
/// <param name="Parted">Names of the parameters and running statistics that differ by more than rounding explains after the step.</param>
public sealed record TrainingParityStep(
    int Step, double ModelLoss, double ModuleLoss, double GradientNorm, double ModuleGradientNorm,
    ParityError Loss, ParityError Gradient, ParityError Parameter, IReadOnlyList<string> Parted)
{
    /// <summary>Whether rounding explains all errors of this step.</summary>
    public bool Drifts => Loss.Share <= 1 && Gradient.Share <= 1 && Parameter.Share <= 1;
}

/// <summary>The result of <c>Parity.Train</c>. <see cref="ToString"/> returns it as readable text.</summary>
public sealed record TrainingParityReport
{
    /// <summary>Whether rounding explains all errors of all steps. False if model and module differ.</summary>
    public required bool Drifts { get; init; }

    /// <summary>The training steps, one per batch.</summary>
    public required IReadOnlyList<TrainingParityStep> Steps { get; init; }

    /// <summary>The result in one line: drift, or the value that deviates first and its step.</summary>
    public required string Verdict { get; init; }

    /// <summary>The mistake that explains the difference. Empty if no known mistake does.</summary>
    public required string LooksLike { get; init; }

    /// <summary>The first line: model, module and number of steps.</summary>
    public required string Title { get; init; }

    /// <summary>Returns a table of the steps, the verdict, and the step at which each parameter first deviates.</summary>
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
                text.Append(CultureInfo.InvariantCulture, $"first deviation at step {s.Step}: {string.Join(", ", now)}\n");
        }
        return text.ToString();
    }
}
