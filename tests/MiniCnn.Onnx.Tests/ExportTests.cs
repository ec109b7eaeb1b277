using System.Numerics.Tensors;
using MiniCnn.Cases;
using MiniCnn.OnnxModels;

namespace MiniCnn.Tests;

/// <summary>What MiniCnn writes, run by ONNX Runtime: every layer and net of the table of cases.</summary>
public sealed class ExportTests : IDisposable
{
    readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    /// <summary>Cases by number: xunit shows each.</summary>
    public static TheoryData<string> Subjects => [.. Cases().Select(c => c.Subject).Distinct()];

    static IEnumerable<LayerCase> Cases() => CaseTable.All.OfType<LayerCase>();

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Layers_compute_in_ONNX_Runtime_what_they_compute_here(string subject)
    {
        List<string> faults = [];
        int compared = 0, refused = 0;
        foreach (LayerCase c in Cases().Where(c => c.Subject == subject))
        {
            (Layer layer, Tensor<float> x) = c.Trained();
            try
            {
                OnnxModel.Save(layer, c.Shape, path);
            }
            catch (NotSupportedException e)
            {
                Assert.Contains(layer.ToString(), e.Message, StringComparison.Ordinal);
                Assert.True(layer is AdaptivePool2d, e.Message);
                refused++;
                continue;
            }
            float[] y = Runtime.Run(path, x);
            double[] exact = InDouble(layer, x, c.Shape);
            // Whole numbers are exact, but where a running statistic comes in; else each of the terms moves a result by a rounding of the largest.
            bool isExact = (c.Whole > 0 || c.Real == Rounding.Exact) && !layer.Stored.Any(stored => stored.Name.Contains("running", StringComparison.Ordinal));
            int terms = layer is Conv2d conv ? conv.Weight.Length / conv.OutputChannels + 1 : c.Terms;
            double most = exact.Select(Math.Abs).DefaultIfEmpty().Max(), bound = isExact ? 0 : 2 * terms * Judgement.Epsilon(isDouble: false) * most;
            Agreement agreement = Agreement.Of("y", exact, Array.ConvertAll(y, value => (double)value), _ => bound);
            compared++;
            if (!agreement.Holds && !(isExact && exact.Zip(y).All(pair => pair.First == pair.Second)))
                faults.Add($"{c}: {agreement}");
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(compared > 0 || refused > 0);
    }

    /// <summary>What a layer computes in evaluation, in double.</summary>
    static double[] InDouble(Layer layer, Tensor<float> x, ImageShape shape)
    {
        foreach (Parameter p in layer.Parameters)
            p.BeginCheck();
        double[] y = new ScalarRun<double>(layer, (int)x.Lengths[0], shape, training: false).Forward([.. x.Select(value => (double)value)]);
        foreach (Parameter p in layer.Parameters)
            p.EndCheck();
        return y;
    }
}
