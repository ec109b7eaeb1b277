using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Every layer of the table, where it is small: its gradients in double are its difference quotients.</summary>
public sealed class TableGradientTests
{
    public static TheoryData<string> Layers => [.. CaseTable.All.OfType<LayerCase>().Select(c => c.Subject).Distinct()];

    [Theory]
    [MemberData(nameof(Layers))]
    public void Gradients_are_difference_quotients(string subject)
    {
        // A check takes a pass for each element: of the convolutions those that are small.
        LayerCase[] cases = [.. CaseTable.All.OfType<LayerCase>().Where(c => c.Subject == subject && c.Trains && c.Inputs().Values.Sum(n => n.Length) < 1200)];
        Assert.NotEmpty(cases);
        foreach (LayerCase c in cases)
        {
            ImageShape s = c.Shape;
            GradientCheck.Verify(c.Make(), s.IsFlat ? [c.Batch, s.Channels] : [c.Batch, s.Channels, s.Height, s.Width], c.Seed);
        }
    }
}
