using System.Collections.Concurrent;
using System.Numerics;
using MiniCnn.Parity;

namespace MiniCnn.Tests;

/// <summary>Everything that was recorded from TorchSharp, held against this library.</summary>
public sealed class RecordedTests(RecordedTests.Checked isChecked) : IClassFixture<RecordedTests.Checked>
{
    static readonly CaseTable Table = CaseTable.Read(CaseTable.DefaultPath);
    static readonly Recording Recorded = Recording.Read(Recording.DefaultPath, Table);

    /// <summary>What passed, for the line that dotnet test shows at the end.</summary>
    public sealed class Checked : IDisposable
    {
        readonly ConcurrentBag<string> passed = [];

        public void Add(string what) => passed.Add(what);

        public void Dispose() => File.WriteAllText(
            Path.Combine(AppContext.BaseDirectory, "checked.txt"),
            $"Checked against results recorded from {Recorded.RecordedWith}: {string.Join(", ", passed.Order())}. "
            + "A live TorchSharp is asked by: dotnet test -c Release -p:TorchSharp=true\n");
    }

    [Fact]
    public void The_reference_computes_what_TorchSharp_computed()
    {
        var reports = Table.Conv2d.Select(c => c.IsDouble ? Compare<double, double>(c) : Compare<float, float>(c)).ToList();
        Assert.All(reports, r => Assert.True(r.Holds, r.ToString()));
        int integers = reports.Where(r => r.Case.IsInteger).Sum(r => r.Parts.Sum(p => p.Agreement.BitEqual));
        isChecked.Add($"{reports.Count} conv2d cases with their gradients ({integers} integers bit for bit, the rest within rounding)");
    }

    [Fact]
    public void TorchSharp_computed_what_the_reference_computes_in_double() =>
        Assert.All(Table.Conv2d.Where(c => !c.IsDouble).Select(Compare<float, double>), r => Assert.True(r.Holds, r.ToString()));

    static Conv2dReport Compare<T, U>(Conv2dCase c) where T : unmanaged, INumber<T> where U : INumber<U>
    {
        var inputs = Recorded.Inputs<T>(c);
        return Conv2dReport.Compare(
            c, inputs, Recorded.Results<T>(c), Conv2dResults<U>.ByReference(c.Shape, inputs.Select(U.CreateChecked)));
    }

    [Fact]
    public void The_table_has_every_kind_of_case()
    {
        Assert.Equal(262, Table.Conv2d.Count);
        Assert.Equal(
            ["circular padding", "depthwise", "dilation", "double precision", "groups", "padding", "plain",
                "reflect padding", "replicate padding", "stride", "uneven padding"],
            Table.Conv2d.Select(c => c.Group).Distinct().Order());
        Assert.Equal((6, 10, 4, 3), (Table.MaxPool2d.Count, Table.AvgPool2d.Count, Table.Linear.Count, Table.CrossEntropy.Count));
    }

    [Fact]
    public void A_result_that_is_off_by_more_than_rounding_is_found()
    {
        foreach (var c in new[] { Table.Conv2d.First(c => c.IsInteger && c.Bias), Table.Conv2d.First(c => !c.IsInteger && c.Bias) })
        {
            var inputs = Recorded.Inputs<float>(c);
            float wrong = c.IsInteger ? 1 : 1e-4f;
            foreach (var (name, pick) in new (string, Func<Conv2dResults<float>, float[]>)[]
                { ("y", r => r.Y), ("dx", r => r.Dx), ("dweight", r => r.Dweight), ("dbias", r => r.Dbias) })
            {
                foreach (var spoil in new Func<float, float>[] { v => v + wrong, v => v - wrong, _ => float.NaN, _ => float.NegativeInfinity })
                {
                    var theirs = Recorded.Results<float>(c);
                    ref float last = ref pick(theirs)[^1];
                    last = spoil(last);
                    var report = Conv2dReport.Compare(c, inputs, theirs, Conv2dResults<float>.ByReference(c.Shape, inputs));
                    Assert.Equal([name], report.Parts.Where(p => !p.Agreement.Holds).Select(p => p.Name));
                    Assert.Equal(pick(theirs).Length - 1, report.Parts.Single(p => p.Name == name).Agreement.WorstIndex);
                }
            }
        }
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
