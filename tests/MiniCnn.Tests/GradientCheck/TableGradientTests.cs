using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>The gradients of every layer of the case table, in double, equal central differences.</summary>
public sealed class TableGradientTests
{
    public static TheoryData<string> Layers => [.. CaseTable.All.OfType<LayerCase>().Select(c => c.Subject).Distinct()];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Gradients_are_difference_quotients(string subject)
    {
        // The check runs two forward passes for each element, so only small cases take part. It draws its own numbers: cases that differ only in
        // their numbers are the same check.
        LayerCase[] cases = [.. CaseTable.All.OfType<LayerCase>().Where(c => c.Subject == subject && c.Trains && c.Inputs().Values.Sum(n => n.Length) < 1200)];
        Assert.NotEmpty(cases);
        foreach (LayerCase c in cases.DistinctBy(c => (c.Make().ToString(), c.Batch, c.Shape)))
        {
            ImageShape s = c.Shape;
            GradientReport report = GradientCheck.Run(c.Make(), s.IsFlat ? [c.Batch, s.Channels] : [c.Batch, s.Channels, s.Height, s.Width], c.Seed);
            Assert.True(report.Passed && report.Tensors.All(tensor => tensor.Error < 1e-8 && tensor.Kinks == 0), $"{c}: {report}");
        }
    }
}
