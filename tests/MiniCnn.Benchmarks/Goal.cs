namespace MiniCnn.Benchmarks;

/// <summary>A performance goal: the measured and the required value.</summary>
sealed record Goal(string What, string Pass, string Value, string Required, double WorstPercentOfPeak, bool Reached)
{
    /// <summary>Percentage of the FMA peak at which a class reaches its goal regardless of the ratio.</summary>
    public const double NearPeak = 85;

    // Above this percentage of the peak, it is Winograd, which has a higher goal. A direct sum can have 101 %, because the peak is measured.
    const double NoLonger = 110;

    /// <summary>Returns the goals of the measured figures. A class of shapes includes only its measured shapes.</summary>
    public static IEnumerable<Goal> Of(IReadOnlyList<Figure> figures, double peakFlops) =>
        [.. Classes(figures, peakFlops), .. FromNchw(figures), .. Nets(figures), .. FirstSteps(figures)];

    static IEnumerable<Goal> Classes(IReadOnlyList<Figure> figures, double peakFlops)
    {
        foreach (ConvClass c in ConvClass.All)
        {
            foreach (string pass in (string[])[ConvWork.Forward, ConvWork.BackwardData, ConvWork.BackwardWeights])
            {
                Figure[] measured = [.. figures.Where(f => f.Pass == pass && c.Contains(f))];
                double required = c.Required(pass);
                if (measured.Length == 0 || double.IsNaN(required))
                    continue;
                double ratio = Measure.GeometricMean(measured.Select(f => f.Ratio)), worst = measured.Min(f => f.PercentOfPeak(peakFlops));
                string part = measured.Length == c.Shapes.Length ? "" : $" ({measured.Length} of {c.Shapes.Length} shapes)";
                yield return new(c.Name + part, pass, $"{ratio:F2}", $"≥ {required}", worst, ratio >= required || worst is >= NearPeak and <= NoLonger);
            }
        }
    }

    static IEnumerable<Goal> FromNchw(IReadOnlyList<Figure> figures)
    {
        foreach (string pass in (string[])[ConvWork.FromForward, ConvWork.FromBackward])
        {
            Figure? worst = figures.Where(f => f.Pass == pass).MinBy(f => f.Ratio);
            if (worst is null)
                continue;
            double ratio = Measure.GeometricMean(figures.Where(f => f.Pass == pass).Select(f => f.Ratio));
            yield return new(
                "all shapes", pass, $"{ratio:F2}, worst {worst.Ratio:F2}", "≥ 1, worst ≥ 0.9", double.NaN, ratio >= 1 && worst.Ratio >= 0.9);
        }
    }

    static IEnumerable<Goal> Nets(IReadOnlyList<Figure> figures)
    {
        foreach (Net net in Net.All)
        {
            foreach (Figure figure in figures.Where(f => f.Name == net.Name))
            {
                if (figure.Pass == Net.TrainingStep)
                    yield return new(net.Name, "training", $"{figure.Ratio:F2}", $"≥ {net.Required}", double.NaN, figure.Ratio >= net.Required);
                if (figure.Pass == Net.OneImage)
                    yield return new(net.Name, figure.Pass, $"{figure.Ratio:F2}", "> 1", double.NaN, figure.Ratio > 1);
                double onnx = figure.Pass switch { Net.OneImage => 1, Net.ManyImages => net == Net.LeNet5 ? 4 : 1.3, _ => double.NaN };
                if (!double.IsNaN(onnx) && !double.IsNaN(figure.OnnxRatio))
                    yield return new(net.Name, $"{figure.Pass}, ONNX Runtime", $"{figure.OnnxRatio:F2}", $"≥ {onnx}", double.NaN, figure.OnnxRatio >= onnx);
            }
        }
    }

    static IEnumerable<Goal> FirstSteps(IReadOnlyList<Figure> figures)
    {
        foreach (Figure figure in figures)
        {
            if (figure.Pass == FirstStep.Time)
                yield return new(figure.Name, figure.Pass, $"{figure.Ratio:F2}", "> 2", double.NaN, figure.Ratio > 2);
            if (figure.Pass == FirstStep.Memory)
                yield return new(figure.Name, figure.Pass, $"{figure.Ratio:F2}", "≥ 1", double.NaN, figure.Ratio >= 1);
        }
    }
}
