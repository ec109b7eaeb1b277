using System.Numerics;
using MiniCnn.Parity;

namespace MiniCnn.Tests;

/// <summary>The convolutions that were recorded from TorchSharp, held against this library.</summary>
[Collection(nameof(Recorded))]
public sealed class RecordedTests(Recorded recorded)
{
    [Fact]
    public void The_table_has_every_kind_of_case()
    {
        var table = recorded.Table;
        Assert.Equal(262, table.Conv2d.Count);
        Assert.Equal(
            ["circular padding", "depthwise", "dilation", "double precision", "groups", "padding", "plain", "reflect padding",
                "replicate padding", "stride", "uneven padding"],
            table.Conv2d.Select(c => c.Group).Distinct().Order());
        Assert.Equal((6, 10, 4, 3), (table.MaxPool2d.Count, table.AvgPool2d.Count, table.Linear.Count, table.CrossEntropy.Count));
        Assert.Equal(262 + 6 + 10 + 4 + 3 + 1, table.Json.GetArrayLength());
    }

    [Fact]
    [Checks("torchsharp-0.106.0", @"conv2d\.\d+", typeof(Conv2dReference))]
    public void The_reference_computes_what_TorchSharp_computed()
    {
        var reports = recorded.Table.Conv2d.Select(
            c => c.IsDouble ? Compare<double, double>(c, ReferenceConv2d.Run) : Compare<float, float>(c, ReferenceConv2d.Run)).ToList();
        Assert.All(reports, r => Assert.True(r.Holds, r.ToString()));
        int integers = reports.Where(r => r.Case.IsInteger).Sum(r => r.Parts.Sum(p => p.Agreement.BitEqual));
        recorded.Passed($"{reports.Count} conv2d cases with their gradients ({integers} integers bit for bit, the rest within rounding)");
    }

    [Fact]
    // those in double are the reference's
    [Checks("torchsharp-0.106.0", @"conv2d\.(?!009[4-9]|010[01])\d+", typeof(Conv2d))]
    public void The_layer_computes_what_TorchSharp_computed() => Assert.All(
        recorded.Table.Conv2d.Where(c => !c.IsDouble).Select(c => Compare<float, float>(c, LayerConv2d.Run)),
        r => Assert.True(r.Holds, r.ToString()));

    [Fact]
    public void TorchSharp_computed_what_the_reference_computes_in_double() => Assert.All(
        recorded.Table.Conv2d.Where(c => !c.IsDouble).Select(c => Compare<float, double>(c, ReferenceConv2d.Run)),
        r => Assert.True(r.Holds, r.ToString()));

    Conv2dReport Compare<T, U>(Conv2dCase c, Func<Conv2dShape, Conv2dInputs<U>, Conv2dResults<U>> run)
        where T : unmanaged, INumber<T> where U : INumber<U>
    {
        var inputs = recorded.Recording.Inputs<T>(c);
        return Conv2dReport.Compare(c, inputs, recorded.Recording.Results<T>(c), run(c.Shape, inputs.Select(U.CreateChecked)));
    }

    [Fact]
    public void A_result_that_is_off_by_more_than_rounding_is_found()
    {
        foreach (bool integer in new[] { true, false })
        {
            var c = recorded.Table.Conv2d.First(c => c.IsInteger == integer && c.Bias);
            var inputs = recorded.Recording.Inputs<float>(c);
            float wrong = c.IsInteger ? 1 : 1e-4f;
            foreach (var (name, pick) in new (string, Func<Conv2dResults<float>, float[]>)[]
                { ("y", r => r.Y), ("dx", r => r.Dx), ("dweight", r => r.Dweight), ("dbias", r => r.Dbias) })
            {
                foreach (var spoil in new Func<float, float>[] { v => v + wrong, v => v - wrong, _ => float.NaN, _ => float.NegativeInfinity })
                {
                    var theirs = recorded.Recording.Results<float>(c);
                    ref float last = ref pick(theirs)[^1];
                    last = spoil(last);
                    var report = Conv2dReport.Compare(c, inputs, theirs, ReferenceConv2d.Run(c.Shape, inputs));
                    Assert.Equal([name], report.Parts.Where(p => !p.Agreement.Holds).Select(p => p.Name));
                    Assert.Equal(pick(theirs).Length - 1, report.Parts.Single(p => p.Name == name).Agreement.WorstIndex);
                }
            }
        }
    }

    [Fact]
    public void Whole_numbers_must_have_the_same_bits()
    {
        Assert.True(Agreement.Of<float, float>([1, 0], [1, 0], _ => 0).Holds);
        Assert.False(Agreement.Of<float, float>([1, 0], [1, -0f], _ => 0).Holds);
        Assert.False(Agreement.Of<float, float>([1, 0], [1, float.Epsilon], _ => 0).Holds);
        Assert.Equal(new Agreement(3, 1, 0.5, 1), Agreement.Of<float, double>([1, 2, 3], [1, 2.5, 3.25], i => i == 1 ? 1 : 2));
        Assert.Throws<ArgumentException>(() => Agreement.Of<float, float>([1, 2], [1], _ => 0));
    }

    [Fact]
    public void A_recording_of_another_table_is_refused()
    {
        string path = Path.GetTempFileName();
        try
        {
            string[] lines = File.ReadAllLines(CaseTable.DefaultPath);
            lines[1] = lines[1].Replace("\"h\": 5", "\"h\": 6", StringComparison.Ordinal);
            File.WriteAllLines(path, lines);
            var fault = Assert.Throws<InvalidDataException>(() => Recording.Read(Recording.DefaultPath, CaseTable.Read(path)));
            Assert.Contains("its cases are not those of the table", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
