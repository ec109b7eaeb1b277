using System.Globalization;
using System.Numerics;

namespace MiniCnn;

/// <summary>
/// Describes in one sentence what is wrong with a gradient. Each usual mistake is reverted in turn; if the gradient is then correct, that mistake is reported.
/// </summary>
static class Diagnosis
{
    public static string Of<T>(TensorReport tensor, CheckedLayer<T> layer, int number) where T : unmanaged, IFloatingPointIeee754<T>
    {
        double[] a = tensor.Analytic;
        int bad = Array.FindIndex(a, value => !double.IsFinite(value));
        int badNumeric = Array.FindIndex(tensor.Numeric, n => !double.IsFinite(n.Value));
        if (bad >= 0)
            return $"analytic is NaN, infinite or never written, first at {tensor.Index(bad)}";
        if (badNumeric >= 0)
            return $"numeric is NaN or infinite, first at {tensor.Index(tensor.Places[badNumeric])}";
        if (a.All(value => value == 0))
            return "no gradient at all: analytic = 0 everywhere";

        (int Place, double Value)[] smooth =
            [.. tensor.Places.Zip(tensor.Numeric).Where(pair => !pair.Second.IsKink).Select(pair => (pair.First, pair.Second.Value))];
        double ratio = smooth.Sum(n => a[n.Place] * n.Value) / smooth.Sum(n => n.Value * n.Value);
        double offset = smooth.Average(n => a[n.Place] - n.Value);
        bool several = smooth.Length > 1;
        if (IsRight(i => a[i] / ratio) && Meaning(ratio, layer.Batch, several) is { } meaning)
            return meaning;
        if (several && IsRight(i => a[i] - offset))
            return string.Create(CultureInfo.InvariantCulture, $"analytic = numeric + {offset:G6} everywhere: a constant is added");

        foreach ((string what, Func<int, int[], int> turn) in Turns)
        {
            if (IsRight(i => a[turn(i, layer.Shape(number))]))
                return $"analytic = numeric with {what}";
        }
        for (int other = 1; number == 0 && other < layer.Tensors; other++)
        {
            foreach ((string what, Func<int, int[], int> turn) in Turns)
            {
                double[] dx = GradientWith(layer, other, turn);
                if (IsRight(i => dx[i]))
                    return $"Backward uses {layer.Name(other)} with {what}";
            }
        }
        return BordersOnly(tensor) ?? $"{tensor.Wrong().Count()} of {tensor.Checked} elements are wrong{Where(tensor)}";

        bool IsRight(Func<int, double> gradient) => tensor.ErrorOf(gradient) <= 4 * tensor.Tolerance;
    }

    /// <summary>Returns null if Backward added to the existing gradient, as it must; otherwise a description of the error.</summary>
    public static string? OfAccumulation<T>(T[] before, T[] gradient, T[] after) where T : unmanaged, IFloatingPointIeee754<T>
    {
        double largest = before.Concat(gradient).Max(value => Math.Abs(double.CreateTruncating(value)));
        if (Enumerable.Range(0, after.Length).All(i => Near(after[i], before[i] + gradient[i])))
            return null;
        return Enumerable.Range(0, after.Length).All(i => Near(after[i], gradient[i]))
            ? "Backward overwrites the gradient: it must add to the existing values"
            : "Backward does not add to the existing gradient: the gradient that it adds depends on the start values";

        bool Near(T x, T y) => !(Math.Abs(double.CreateTruncating(x - y)) > 1e-3 * largest);
    }

    static string? Meaning(double ratio, int batch, bool several)
    {
        string? meaning =
            Is(-1) ? "−1 × numeric everywhere: the sign is wrong"
            : batch > 1 && Is(1.0 / batch) ? $"1/{batch} × numeric everywhere: divided by the batch size"
            : batch > 1 && Is(batch) ? $"{batch} × numeric everywhere: not divided by the batch size, or multiplied by it"
            : Is(2) ? "2 × numeric everywhere: counted twice"
            : several ? string.Create(CultureInfo.InvariantCulture, $"{ratio:G6} × numeric everywhere: a factor is missing or too many")
            : null;
        return meaning is null ? null : $"analytic = {meaning}";

        bool Is(double value) => Math.Abs(ratio - value) <= 1e-3 * Math.Abs(value);
    }

    /// <summary>
    /// Usual mistakes in the last two axes: the index at which the gradient of an element is found, from the index of the element and the shape.
    /// </summary>
    public static readonly (string What, Func<int, int[], int> Turn)[] Turns =
    [
        ("its last two axes turned by 180°: the kernel is flipped", static (i, shape) => shape.Length < 4 ? i : Flip(i, shape[^2] * shape[^1])),
        ("its last two axes swapped: H and W are mixed up", static (i, shape) => shape.Length < 2 ? i : Swap(i, shape[^2], shape[^1])),
        ("its last two axes swapped: H and W are mixed up", static (i, shape) => shape.Length < 2 ? i : Swap(i, shape[^1], shape[^2])),
    ];

    static int Flip(int i, int plane) => i / plane * plane + plane - 1 - i % plane;

    /// <summary>Maps y·width + x to x·height + y: the transposed element of a square; otherwise the element at exchanged strides.</summary>
    static int Swap(int i, int height, int width)
    {
        int plane = height * width;
        return i / plane * plane + i % width * height + i % plane / width;
    }

    /// <summary>Returns dx when Backward, but not Forward, uses a parameter with permuted elements.</summary>
    static double[] GradientWith<T>(CheckedLayer<T> layer, int parameter, Func<int, int[], int> turn)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        layer.Forward();
        Span<T> values = layer.Values(parameter);
        T[] own = values.ToArray();
        int[] shape = layer.Shape(parameter);
        for (int i = 0; i < own.Length; i++)
            values[i] = own[turn(i, shape)];
        double[] dx = Array.ConvertAll(layer.Backward(), double.CreateTruncating);
        own.CopyTo(values);
        return dx;
    }

    static string? BordersOnly(TensorReport tensor)
    {
        if (tensor.Shape.Count != 4)
            return null;
        (int height, int width) = (tensor.Shape[2], tensor.Shape[3]);
        int[] wrong = [.. tensor.Wrong().Select(k => Depth(tensor.Places[k]))];
        int deepest = wrong.Max(), border = tensor.Places.Count(i => Depth(i) <= deepest);
        return border < tensor.Checked && 6 * wrong.Length >= border
            ? $"only the borders are wrong: {wrong.Length} elements in a border of width {deepest + 1}; "
                + $"the {tensor.Checked - border} inside are correct"
            : null;

        int Depth(int i)
        {
            (int y, int x) = (i / width % height, i % width);
            return Math.Min(Math.Min(y, height - 1 - y), Math.Min(x, width - 1 - x));
        }
    }

    /// <summary>Returns the indices that all wrong elements share, “, all at [1, *, *, 0]”; empty if they share none.</summary>
    static string Where(TensorReport tensor)
    {
        int[][] wrong = [.. tensor.Wrong().Select(k => tensor.Indices(tensor.Places[k]))];
        bool[] shared = [.. Enumerable.Range(0, tensor.Shape.Count).Select(axis => wrong.All(index => index[axis] == wrong[0][axis]))];
        IEnumerable<string> indices = shared.Select((same, axis) => same ? $"{wrong[0][axis]}" : "*");
        return shared.Contains(true) ? $", all at [{string.Join(", ", indices)}]" : "";
    }
}
