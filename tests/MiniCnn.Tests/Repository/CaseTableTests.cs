using System.Reflection;
using MiniCnn.Cases;

namespace MiniCnn.Tests;

/// <summary>Compares the case table with results recorded from TorchSharp. tests/MiniCnn.TorchSharp.Tests compares it with TorchSharp itself.</summary>
public sealed class CaseTableTests
{
    static readonly Lazy<(IReadOnlyDictionary<string, Judgement> Judgements, string RecordedWith)> recording = new(() => Recording.Read(Recording.DefaultPath));

    /// <summary>The comparison with the recording, case by case; computed once.</summary>
    internal static Lazy<IReadOnlyList<Verdict>> Verdicts { get; } =
        new(() => [.. CaseTable.All.Select(c => Verdict.Of(c, recording.Value.Judgements[c.Id], Recording.Thin))]);

    [Fact]
    public void MiniCnn_computes_what_TorchSharp_computed()
    {
        Assert.Empty(Verdicts.Value.SelectMany(verdict => verdict.Faults));
        Checked.Says($"Checked against results recorded from {recording.Value.RecordedWith}: {Verdict.Summary(Verdicts.Value)}; of results longer than {Recording.Most} numbers every nth.");
    }

    /// <summary>The table has cases for all public layers, losses, optimizers, schedules and initializations.</summary>
    [Fact]
    public void All_that_TorchSharp_has_too_is_in_the_table()
    {
        IEnumerable<Type> types = typeof(Layer).Assembly.GetExportedTypes().Where(type => type.IsClass && !type.IsAbstract
            && (type.IsAssignableTo(typeof(Layer)) || type.IsAssignableTo(typeof(Optimizer)) || type.GetMethods().Any(m => m.Name == "Forward" && m.ReturnType == typeof(float))));
        IEnumerable<string> methods = new[] { typeof(LearningRate), typeof(GradientClipping), typeof(Init) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)).Select(method => $"{method.DeclaringType!.Name}.{method.Name}");
        string[] constant = [$"{nameof(Init)}.{nameof(Init.Constant)}"];                  // nothing to compute
        Assert.Empty(types.Select(type => type.Name).Concat(methods).Except(CaseTable.All.Select(c => c.Subject)).Except(constant));
        Assert.True(CaseTable.All.OfType<Conv2dCase>().Count() >= 262);
        Assert.Equal(
            ["circular padding", "depthwise", "dilation", "groups", "padding", "plain", "reflect padding", "replicate padding", "stride", "uneven padding"],
            CaseTable.All.OfType<Conv2dCase>().Select(c => c.Kind).Distinct().Order());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_result_that_is_off_by_more_than_rounding_is_found(int whole)
    {
        Conv2dCase c = CaseTable.All.OfType<Conv2dCase>().First(c => c.Whole == whole && c.Bias && c.Shape.Channels > 1);
        (Numbers inputs, Judgement judgement) = (c.Inputs(), recording.Value.Judgements[c.Id]);
        float wrong = whole > 0 ? 1 : 1e-4f;
        foreach (string name in (string[])["y", "dx", "dweight", "dbias"])
            foreach (Func<double, double> spoil in (Func<double, double>[])[v => v + wrong, v => v - wrong, _ => double.NaN, _ => double.NegativeInfinity])
            {
                Numbers results = c.Float(inputs);
                results[name][^1] = spoil(results[name][^1]);
                Agreement fault = Assert.Single(judgement.Of(results, isDouble: false), agreement => !agreement.Holds);
                Assert.Equal(name, fault.Name);
                Assert.StartsWith($"[{results[name].Length - 1}] is ", fault.Worst, StringComparison.Ordinal);
            }
    }

    [Fact]
    public void Whole_numbers_must_have_the_same_bits()
    {
        Assert.True(Agreement.Of("y", [1, 0], [1, 0], _ => 0).Holds);
        Assert.False(Agreement.Of("y", [1, 0], [1, -0.0], _ => 0).Holds);
        Assert.False(Agreement.Of("y", [1, 0], [1, double.Epsilon], _ => 0).Holds);
        Assert.False(Agreement.Of("y", [1, 2], [1], _ => 0).Holds);
        Assert.True(Agreement.Of("y", [1, double.NaN], [1, double.NaN], _ => 0).Holds);
        Assert.Equal((1, 0.5), Agreement.Of("y", [1, 2, 3], [1, 2.5, 3.25], i => i == 1 ? 1 : 2) is var a ? (a.BitEqual, a.WorstShare) : default);
    }

    [Fact]
    public void A_recording_of_another_table_is_refused()
    {
        string path = Path.GetTempFileName();
        SafeTensorsFile file = SafeTensors.Read(Recording.DefaultPath);
        SafeTensors.Write(path, file.Tensors, new Dictionary<string, string>(file.Metadata) { ["table"] = new string('0', 64) });
        string fault = Assert.Throws<InvalidDataException>(() => Recording.Read(path)).Message;
        File.Delete(path);
        Assert.Contains("was recorded for other cases; record it again: ", fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
    }
}
