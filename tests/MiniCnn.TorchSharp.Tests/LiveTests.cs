using System.Numerics;
using MiniCnn.Parity;

namespace MiniCnn.Tests;

/// <summary>The table of cases, computed by TorchSharp here and now.</summary>
public sealed class LiveTests
{
    static readonly CaseTable Table = CaseTable.Read(CaseTable.DefaultPath);

    [Fact]
    public void The_reference_computes_what_TorchSharp_computes()
    {
        var reports = Table.Conv2d.Select((c, seed) =>
            c.IsDouble ? Compare<double, double>(c, seed, ReferenceConv2d.Run) : Compare<float, float>(c, seed, ReferenceConv2d.Run)).ToList();
        Assert.All(reports, r => Assert.True(r.Holds, r.ToString()));
        int integers = reports.Where(r => r.Case.IsInteger).Sum(r => r.Parts.Sum(p => p.Agreement.BitEqual));
        File.WriteAllText(
            Path.Combine(AppContext.BaseDirectory, "checked.txt"),
            $"Checked against a live {TorchSharpConv2d.Version}: {reports.Count} conv2d cases with their gradients "
            + $"({integers} integers bit for bit, the rest within rounding).\n");
    }

    [Fact]
    public void The_layer_computes_what_TorchSharp_computes() => Assert.All(
        Table.Conv2d.Where(c => !c.IsDouble).Select((c, seed) => Compare<float, float>(c, 1000 + seed, LayerConv2d.Run)),
        r => Assert.True(r.Holds, r.ToString()));

    [Fact]
    public void TorchSharp_computes_what_the_reference_computes_in_double() => Assert.All(
        Table.Conv2d.Where(c => !c.IsDouble).Select((c, seed) => Compare<float, double>(c, 2000 + seed, ReferenceConv2d.Run)),
        r => Assert.True(r.Holds, r.ToString()));

    static Conv2dReport Compare<T, U>(Conv2dCase c, int seed, Func<Conv2dShape, Conv2dInputs<U>, Conv2dResults<U>> run)
        where T : unmanaged, INumber<T> where U : INumber<U>
    {
        var inputs = Conv2dInputs<T>.Random(c, seed);
        return Conv2dReport.Compare(c, inputs, TorchSharpConv2d.Run(c.Shape, inputs), run(c.Shape, inputs.Select(U.CreateChecked)));
    }

    [Fact]
    public void A_new_recording_is_one_of_the_table_and_holds_what_the_committed_one_holds()
    {
        string path = Path.GetTempFileName();
        try
        {
            TorchSharpRecorder.Record(path, Table, seed: 7, command: "a test");
            var (anew, committed) = (SafeTensors.Read(path), SafeTensors.Read(Recording.DefaultPath));
            Assert.Equal(committed.Tensors.Keys.Order(), anew.Tensors.Keys.Order());
            Assert.All(committed.Tensors, t => Assert.Equal(t.Value.ToString(), anew.Tensors[t.Key].ToString()));
            Assert.Equal(Table.Sha256, anew.Metadata["cases_sha256"]);

            var recording = Recording.Read(path, Table);
            Assert.StartsWith("TorchSharp ", recording.RecordedWith, StringComparison.Ordinal);
            foreach (var c in Table.Conv2d.Where(c => !c.IsDouble))
            {
                var inputs = recording.Inputs<float>(c);
                var report = Conv2dReport.Compare(
                    c, inputs, recording.Results<float>(c), ReferenceConv2d.Run(c.Shape, inputs));
                Assert.True(report.Holds, report.ToString());
            }
        }
        finally
        {
            File.Delete(path);
        }
    }
}
