using static System.FormattableString;

namespace MiniCnn.Interop;

/// <summary>Describes how two tensors differ that should be equal: by rounding, or by a transformation of one of them.</summary>
static class TensorPatterns
{
    /// <summary>
    /// The largest error that counts as a rounding error. For double, it is 4·2⁻²⁹ times the float bound plus 10⁻¹⁰ times the largest number, because
    /// the formula of GELU is accurate to 10⁻¹¹.
    /// </summary>
    public static double Tolerance(Values theirs, bool isFloat) => isFloat
        ? Math.Max(theirs.Bound, theirs.Bound == 0 ? 1e-5 * theirs.Largest : 0)
        : 4 * Math.ScaleB(theirs.Bound, -29) + 1e-10 * theirs.Largest;

    /// <summary>Describes how two tensors differ by more than rounding. Null if they do not.</summary>
    public static string? Beyond(Values ours, Values theirs, bool isFloat)
    {
        if (!ours.HasShapeOf(theirs))
            return $"it is {ours} in the model, {theirs} in the module";
        double tolerance = Tolerance(theirs, isFloat);
        (double error, int worst) = ours.DifferenceFrom(theirs);
        if (error <= tolerance)
            return null;
        int first = 0, beyond = 0;
        for (int i = ours.Numbers.Length - 1; i >= 0; i--)
        {
            if (!(ours.Numbers[i].Equals(theirs.Numbers[i]) || Math.Abs(ours.Numbers[i] - theirs.Numbers[i]) <= tolerance))
                (first, beyond) = (i, beyond + 1);
        }
        double share = error / Math.Max(theirs.Largest, double.Epsilon);
        return Invariant($"{beyond} of {ours.Numbers.Length} numbers differ, by up to {error:G3}, {share:0.0E+0} of the largest; ")
            + Invariant($"first {theirs.Place(first)}: {ours.Numbers[first]:G9} in the model, {theirs.Numbers[first]:G9} in the module");
    }

    /// <summary>Whether a candidate equals the module's tensor up to rounding, or is 1000 times closer to it than ours.</summary>
    public static bool Explains(Values? candidate, Values theirs, Values? ours)
    {
        if (candidate is null || !candidate.HasShapeOf(theirs))
            return false;
        double near = ours is not null && ours.HasShapeOf(theirs) ? 1e-3 * ours.DifferenceFrom(theirs).Error : 1e-7 * theirs.Largest;
        return candidate.DifferenceFrom(theirs).Error <= Math.Max(8 * Tolerance(theirs, isFloat: false), near);
    }

    /// <summary>Returns why a parameter's shape differs, or an empty text if unknown.</summary>
    public static string OfShape(long[] ours, long[] theirs) => ours switch
    {
        [long a, long b] when theirs.SequenceEqual([b, a]) => "its axes are swapped: the weight of a Linear is [out, in]",
        [long a, long b, long h, long w] when theirs.SequenceEqual([b, a, h, w]) =>
            "in and out are swapped: the weight of a Conv2d is [out, in/groups, kH, kW], that of a ConvTranspose2d [in, out/groups, kH, kW]",
        [long a, long b, long h, long w] when theirs.SequenceEqual([a, b, w, h]) => "H and W of the kernel are swapped",
        _ => "",
    };

    /// <summary>Returns why a gradient differs although its inputs are equal, or an empty text if unknown.</summary>
    public static string OfGradient(Values ours, Values theirs) =>
        !ours.HasShapeOf(theirs) ? ""
        : theirs.Largest == 0 ? "no gradient arrives in the module: detach(), no_grad() or an unused output"
        : ours.Largest == 0 ? "no gradient arrives in the model"
        : OfTurned(ours, theirs) is { Length: > 0 } turned ? $"the module's is the model's {turned}"
        : OfNumbers(ours, theirs);

    /// <summary>Returns how the last two axes were swapped or rotated: “with its last two axes swapped …”. Empty if they were not.</summary>
    public static string OfTurned(Values ours, Values theirs)
    {
        int[] sizes = theirs.Sizes;
        foreach ((string what, Func<int, int[], int> turn) in Diagnosis.Turns)
        {
            if (Explains(theirs.Moved(i => turn(i, sizes)), ours, theirs))
                return $"with {what}";
        }
        return "";
    }

    /// <summary>Returns how the whole tensor was transformed (scaled, normalized, rearranged), or an empty text if unknown.</summary>
    public static string OfNumbers(Values ours, Values theirs)
    {
        foreach ((string what, Values moved) in Moved(ours, theirs.Shape))
        {
            if (Explains(moved, theirs, ours))
                return $"the module's is the model's with {what}";
        }
        if (!ours.HasShapeOf(theirs))
            return "";
        (double scale, double offset) = Line([.. ours.Numbers.Zip(theirs.Numbers)]);
        double ratio = ours.Numbers.Zip(theirs.Numbers, (o, t) => o * t).Sum() / ours.Numbers.Sum(o => o * o);
        if (ratio != 0 && Explains(ours.Map(o => ratio * o), theirs, ours))
            return Invariant($"the module's is {ratio:G6} × the model's{Meaning(ratio, ours.Shape[0])}");
        if (Explains(ours.Map(o => scale * o + offset), theirs, ours))
            return Normalized(scale, offset);
        if (ours.Shape is [_, > 1 and <= 4 and long channels, _, _])
        {
            int[] all = [.. Enumerable.Range(0, (int)channels)];
            (double Scale, double Offset)[] lines = [.. all.Select(c => Line([.. ours.Channels(c, 1).Numbers.Zip(theirs.Channels(c, 1).Numbers)]))];
            if (Explains(Values.Cat([.. all.Select(c => ours.Channels(c, 1).Map(o => lines[c].Scale * o + lines[c].Offset))]), theirs, ours))
                return string.Join("; ", all.Select(c => $"channel {c}: {Normalized(lines[c].Scale, lines[c].Offset)}"));
        }
        double[] ratios = Ratios(ours, theirs);
        bool isDropout = ratios.Length > 0 && theirs.Numbers.Zip(ours.Numbers).Any(pair => pair.First == 0 && pair.Second != 0)
            && ratios.All(r => Math.Abs(r - ratios[0]) < 1e-9 * Math.Abs(ratios[0])) && ratios[0] > 1;
        return !isDropout ? "" : Invariant($"the module drops some numbers and multiplies the others by {ratios[0]:G4}, as dropout does; ")
            + "use nn.Dropout, so that its masks can be copied, or evaluation mode";

        static string Normalized(double scale, double offset) => Math.Abs(scale - 1) < 1e-9
            ? Invariant($"the module's is the model's + {offset:G6}")
            : Invariant($"the module's is (x − {-offset / scale:G6}) / {1 / scale:G6} of the model's x: it is normalized in the module");
    }

    /// <summary>Returns the rearrangements of x that have a given shape.</summary>
    public static IEnumerable<(string What, Values Moved)> Moved(Values x, long[] shape)
    {
        if (x.Shape.Length == 4)
        {
            if (Transposed(x) is var transposed && transposed.Shape.SequenceEqual(shape))
                yield return ("H and W swapped", transposed);
            if (LastChannels(x) is var last && last.Shape.SequenceEqual(shape))
                yield return ("its axes as [N, H, W, C]", last);
            if (!x.Shape.SequenceEqual(shape))
                yield break;
            yield return ("its numbers read as [N, H, W, C]", Permuted(x, shape[1], shape[2] * shape[3], shape));
            int[] sizes = x.Sizes;
            (int c, int h, int w, int plane) = (sizes[1], sizes[2], sizes[3], sizes[2] * sizes[3]);
            if (c > 1)
            {
                yield return (
                    $"its channels in reverse order{(c == 3 ? ": RGB and BGR" : "")}",
                    x.Moved(i => (i / plane / c * c + c - 1 - i / plane % c) * plane + i % plane));
            }
            yield return ("left and right swapped", x.Moved(i => i / w * w + w - 1 - i % w));
            yield return ("top and bottom swapped", x.Moved(i => i / plane * plane + (h - 1 - i / w % h) * w + i % w));
            yield return ("both axes reversed", x.Moved(i => i / plane * plane + plane - 1 - i % plane));
            yield return ("H and W swapped", x.Moved(i => Diagnosis.Turns[1].Turn(i, sizes)));
            yield return ("H and W swapped", x.Moved(i => Diagnosis.Turns[2].Turn(i, sizes)));
        }
    }

    public static Values Transposed(Values x) => Permuted(x, x.Shape[3], x.Shape[2], [x.Shape[0], x.Shape[1], x.Shape[3], x.Shape[2]]);

    public static Values LastChannels(Values x) => Permuted(x, x.Shape[2] * x.Shape[3], x.Shape[1], [x.Shape[0], x.Shape[2], x.Shape[3], x.Shape[1]]);

    /// <summary>Transposes every block of rows × columns numbers.</summary>
    static Values Permuted(Values x, long columns, long rows, long[] shape)
    {
        long block = rows * columns;
        return new(x.Moved(i => (int)(i / block * block + i % rows * columns + i % block / rows)).Numbers, shape);
    }

    /// <summary>Returns theirs / ours for each pair of nonzero numbers.</summary>
    public static double[] Ratios(Values ours, Values theirs) =>
        [.. ours.Numbers.Zip(theirs.Numbers).Where(pair => pair.First != 0 && pair.Second != 0).Select(pair => pair.Second / pair.First)];

    /// <summary>Fits theirs = scale · ours + offset by least squares.</summary>
    static (double Scale, double Offset) Line((double Ours, double Theirs)[] pairs)
    {
        (double x, double y) = (pairs.Average(pair => pair.Ours), pairs.Average(pair => pair.Theirs));
        double scale = pairs.Sum(pair => (pair.Ours - x) * (pair.Theirs - y)) / pairs.Sum(pair => (pair.Ours - x) * (pair.Ours - x));
        return (scale, y - scale * x);
    }

    static string Meaning(double ratio, long batch) =>
        Near(ratio, -1) ? ": the sign is reversed"
        : Near(ratio, 1 / 255.0) ? ", 1/255: pixels from 0 to 1 in the module, from 0 to 255 in the model"
        : Near(ratio, 255) ? ": pixels from 0 to 255 in the module, from 0 to 1 in the model"
        : Near(ratio, 1 / 256.0) ? ", 1/256"
        : batch > 2 && Near(ratio, 1.0 / batch) ? ": divided by the batch size"
        : batch > 2 && Near(ratio, batch) ? ": times the batch size"
        : "";

    static bool Near(double ratio, double value) => Math.Abs(ratio - value) <= 1e-6 * Math.Abs(value);
}
