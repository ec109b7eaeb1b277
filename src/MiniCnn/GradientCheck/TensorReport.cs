using System.Globalization;
using System.Text;

namespace MiniCnn;

/// <summary>The result of a gradient check for one tensor: the gradient from Backward (analytic) compared with difference quotients (numeric).</summary>
public sealed class TensorReport
{
    const double MostKinks = 0.05;

    readonly List<string> findings = [];
    readonly string owner;
    readonly double largest;

    internal TensorReport(string name, string owner, int[] shape, double[] analytic, int[] places, Quotient[] numeric, double tolerance)
    {
        (Name, this.owner, Shape, Analytic, Places, Numeric, Tolerance) = (name, owner, shape, analytic, places, numeric, tolerance);
        Kinks = numeric.Count(n => n.IsKink);
        largest = numeric.Where(n => !n.IsKink).Select(n => Math.Abs(n.Value)).DefaultIfEmpty().Max();
        Error = analytic.All(double.IsFinite) ? ErrorOf(i => analytic[i]) : double.PositiveInfinity;
        if (Kinks > MostKinks * Checked)
        {
            findings.Add($"{Kinks} of {Checked} elements are at kinks, where there is no derivative; at most 5 % are allowed: "
                + "try a smaller input, another seed, or the layers one by one");
        }
    }

    /// <summary>“input”, or the name of the parameter, “0.weight”.</summary>
    public string Name { get; }

    /// <summary>Shape of the tensor: [N, C, H, W] or [N, features] for the input, [OC, IC/groups, kH, kW] for a convolution's weight.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Number of checked elements, including those at kinks.</summary>
    public int Checked => Places.Length;

    /// <summary>Number of elements that were skipped because they are at kinks.</summary>
    public int Kinks { get; }

    /// <summary>
    /// The largest error: max |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³·max|numeric|, rounding error / tolerance). Infinite if a gradient is NaN
    /// or infinite.
    /// </summary>
    public double Error { get; }

    /// <summary>Descriptions of the errors; empty if the gradient is correct.</summary>
    public IReadOnlyList<string> Findings => findings;

    /// <summary>Returns one line. If the gradient is wrong, the findings and the five worst elements follow.</summary>
    public override string ToString()
    {
        string elements =
            Checked < Analytic.Length ? $"{Checked} of {Analytic.Length} elements, drawn at random"
            : Checked == 1 ? "1 element" : $"{Checked} elements";
        string kinks = Kinks == 0 ? "" : $", {Kinks} of them at kinks";
        StringBuilder text = new($"{Name} [{string.Join(", ", Shape)}]: {elements}{kinks}, error ");
        text.Append(CultureInfo.InvariantCulture, $"{Error:0.0E+0} (at most {Tolerance:0E+0})");
        if (findings.Count == 0)
            return text.ToString();
        text.Append($"  WRONG, {owner}");
        foreach (string finding in findings)
            text.Append($"\n    {finding}");
        foreach (int k in Wrong().OrderByDescending(k => ErrorAt(k, Analytic[Places[k]])).Take(5))
        {
            (double analytic, double numeric) = (Analytic[Places[k]], Numeric[k].Value);
            text.Append(CultureInfo.InvariantCulture, $"\n    at {Index(Places[k])}: analytic {analytic:G7}, numeric {numeric:G7}");
        }
        return text.ToString();
    }

    internal double Tolerance { get; }

    /// <summary>The gradient from Backward, all elements.</summary>
    internal double[] Analytic { get; }

    /// <summary>Indices of the checked elements, ascending.</summary>
    internal int[] Places { get; }

    /// <summary>Derivatives of the checked elements.</summary>
    internal Quotient[] Numeric { get; }

    internal void Add(string finding) => findings.Add(finding);

    /// <summary>Computes <see cref="Error"/> for another gradient, given by element index.</summary>
    internal double ErrorOf(Func<int, double> gradient) =>
        Enumerable.Range(0, Checked).Select(k => ErrorAt(k, gradient(Places[k]))).DefaultIfEmpty().Max();

    /// <summary>Returns the positions in <see cref="Places"/> of the wrong elements.</summary>
    internal IEnumerable<int> Wrong() => Enumerable.Range(0, Checked).Where(k => !(ErrorAt(k, Analytic[Places[k]]) <= Tolerance));

    /// <summary>Returns the indices of an element along each axis.</summary>
    internal int[] Indices(int place)
    {
        int[] indices = new int[Shape.Count];
        for (int axis = Shape.Count - 1; axis >= 0; axis--)
            (place, indices[axis]) = Math.DivRem(place, Shape[axis]);
        return indices;
    }

    /// <summary>“[1, 0, 2, 3]”.</summary>
    internal string Index(int place) => $"[{string.Join(", ", Indices(place))}]";

    double ErrorAt(int k, double gradient)
    {
        Quotient n = Numeric[k];
        if (!double.IsFinite(gradient) || !double.IsFinite(n.Value))
            return double.PositiveInfinity;
        double difference = Math.Abs(gradient - n.Value);
        double size = Math.Max(Math.Max(Math.Abs(gradient), Math.Abs(n.Value)), Math.Max(1e-3 * largest, n.Rounding / Tolerance));
        return n.IsKink || difference == 0 ? 0 : difference / size;
    }
}
