using System.Globalization;
using System.Text;

namespace MiniCnn;

/// <summary>What a gradient check found for one tensor: the gradient that Backward gave against the one that differences gave.</summary>
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
            findings.Add($"{Kinks} of {Checked} elements lie at kinks, where there is no derivative; at most 5 % may: "
                + "try a smaller input, another seed, or the layers one by one");
        }
    }

    /// <summary>“input”, or the parameter's name, “0.weight”.</summary>
    public string Name { get; }

    /// <summary>[N, C, H, W] or [N, features] for the input, [OC, IC/groups, kH, kW] for a convolution's weight.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Elements that were looked at, those at kinks counted.</summary>
    public int Checked => Places.Length;

    /// <summary>Elements that were skipped because they lie at kinks.</summary>
    public int Kinks { get; }

    /// <summary>
    /// max |analytic − numeric| / max(|analytic|, |numeric|, 10⁻³·max|numeric|, what rounding explains); infinite where NaN or infinity came.
    /// </summary>
    public double Error { get; }

    /// <summary>Sentences that say what is wrong; empty when nothing is.</summary>
    public IReadOnlyList<string> Findings => findings;

    /// <summary>One line when the gradient is right; else the findings too, and the worst elements.</summary>
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

    /// <summary>The gradient that Backward gave, every element.</summary>
    internal double[] Analytic { get; }

    /// <summary>The elements that are checked, in ascending order.</summary>
    internal int[] Places { get; }

    /// <summary>Their derivatives.</summary>
    internal Quotient[] Numeric { get; }

    internal void Add(string finding) => findings.Add(finding);

    /// <summary>The error that a gradient would have.</summary>
    internal double ErrorOf(Func<int, double> gradient) =>
        Enumerable.Range(0, Checked).Select(k => ErrorAt(k, gradient(Places[k]))).DefaultIfEmpty().Max();

    /// <summary>Which of the checked elements are wrong.</summary>
    internal IEnumerable<int> Wrong() => Enumerable.Range(0, Checked).Where(k => !(ErrorAt(k, Analytic[Places[k]]) <= Tolerance));

    /// <summary>An element's indices.</summary>
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
