using System.Numerics.Tensors;
using MiniCnn.Cases;
using MiniCnn.OnnxModels;

namespace MiniCnn.Tests;

/// <summary>What MiniCnn writes, read again.</summary>
public sealed class ImportTests : IDisposable
{
    readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    public static TheoryData<string> Subjects => ExportTests.Subjects;

    [Theory]
    [MemberData(nameof(Subjects))]
    public void What_is_written_is_read_again(string subject)
    {
        List<string> faults = [];
        foreach (LayerCase c in CaseTable.All.OfType<LayerCase>().Where(c => c.Subject == subject))
        {
            (Layer layer, Tensor<float> x) = c.Trained();
            try
            {
                OnnxModel.Save(layer, c.Shape, path);
            }
            catch (NotSupportedException)
            {
                continue;
            }
            try
            {
                OnnxModel read = OnnxModel.Load(path);
                Assert.Equal(c.Shape, read.Input);
                Layer same = read.Network;
                same.ConvolutionAlgorithm = ConvolutionAlgorithm.Direct;
                float[] theirs = [.. layer.Forward(x)], ours = [.. same.Forward(x)];
                float most = theirs.Select(Math.Abs).DefaultIfEmpty().Max();
                if (theirs.Length != ours.Length || theirs.Zip(ours).Any(pair => !(Math.Abs(pair.First - pair.Second) <= 4e-6f * most || pair.First.Equals(pair.Second))))
                    faults.Add($"{c}: {same.Summary(c.Shape)} {theirs.Zip(ours).Max(pair => Math.Abs(pair.First - pair.Second))} of {most}");
            }
            catch (OnnxFormatException e)
            {
                faults.Add($"{c}: {e.Message}");
            }
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    public static TheoryData<string> Recorded => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "onnx"), "*.onnx").Select(file => Path.GetFileNameWithoutExtension(file)).Order()];

    /// <summary>tests/scripts/record_onnx.py writes them, by PyTorch.</summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    public void What_PyTorch_writes_computes_what_ONNX_Runtime_does(string name)
    {
        string file = Path.Combine(AppContext.BaseDirectory, "onnx", $"{name}.onnx");
        OnnxModel model = OnnxModel.Load(file);
        Tensor<float> x = new Random(1).Tensor(LayerSession.Lengths(2, model.Input));
        float[] theirs = Runtime.Run(file, x), ours = [.. model.Network.Forward(x)];
        Assert.Equal(theirs.Length, ours.Length);
        float most = theirs.Max(Math.Abs);
        Assert.All(theirs.Zip(ours), pair => Assert.Equal(pair.First, pair.Second, 1e-5 * most));
    }
}
