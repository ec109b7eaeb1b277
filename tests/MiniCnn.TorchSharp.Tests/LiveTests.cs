using MiniCnn.Cases;
using MiniCnn.Judge;
using TorchSharp;
using static TorchSharp.torch;

[assembly: CollectionBehavior(DisableTestParallelization = true)]    // one seed of TorchSharp's, one thread of its own

namespace MiniCnn.Tests;

/// <summary>The table of cases, judged by TorchSharp here and now.</summary>
public sealed class LiveTests
{
    static readonly Lazy<Dictionary<string, Judgement>> judgements = new(() => CaseTable.All.ToDictionary(c => c.Id, TorchJudge.Of));

    [Fact]
    public void MiniCnn_computes_what_TorchSharp_computes()
    {
        Verdict[] verdicts = [.. CaseTable.All.Select(c => Verdict.Of(c, judgements.Value[c.Id]))];
        Assert.Empty(verdicts.SelectMany(verdict => verdict.Faults));
        Checked.Says($"Checked against a live {TorchJudge.Version}: {Verdict.Summary(verdicts)}.");
    }

    /// <summary>
    /// TorchSharp is asked in double, where it multiplies and adds as written. In float it is fast, by oneDNN; oneDNN 3.7.1 of libtorch 2.10 has
    /// wrong gradients of convolutions on some processors (seen: AMD family 26, channels that are no multiple of 16). Nothing else may be wrong.
    /// </summary>
    [Fact]
    public void TorchSharp_in_float_computes_what_it_computes_in_double_but_for_oneDNN()
    {
        List<string> wrong = [];
        foreach (Case c in CaseTable.All.Where(c => c is not PermutationCase))
        {
            if (judgements.Value[c.Id].Of(TorchJudge.Float(c), isDouble: false).Any(agreement => !agreement.Holds))
                wrong.Add(c.Id);
        }
        string[] convolutions = [nameof(Conv2d), nameof(ConvTranspose2d), nameof(Residual), nameof(Concat), nameof(Sequential), "Ten training steps"];
        Assert.All(wrong, id => Assert.Contains(id.Split('.')[0], convolutions));
        if (wrong.Count > 0)
            Checked.Says($"TorchSharp itself is wrong in float in {wrong.Count} cases with convolutions on this processor, by its oneDNN: {string.Join(", ", wrong.Take(5))} …");
    }

    [Fact]
    public void A_loss_near_0_has_more_digits_than_TorchSharps_in_float()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (int distance in (int[])[6, 9, 12, 15, 60])
        {
            double exact = Math.Exp(-distance) - Math.Exp(-2 * distance) / 2 + Math.Exp(-3 * distance) / 3;
            double ours = Math.Abs(new CrossEntropyLoss().Forward(System.Numerics.Tensors.Tensor.Create<float>([distance, 0], [1, 2]), [0]) - exact) / exact;
            double theirs = Math.Abs(nn.functional.cross_entropy(tensor([distance, 0f], 1, 2), tensor([0L])).item<float>() - exact) / exact;
            Assert.True(ours < 2e-7 && ours < theirs, $"{distance} apart: ours is off by {ours}, theirs by {theirs}");
        }
    }

    [Fact]
    public void The_recording_in_the_source_is_of_this_table_and_says_the_same()
    {
        (IReadOnlyDictionary<string, Judgement> recorded, _) = Recording.Read(Recording.DefaultPath);
        foreach (Case c in CaseTable.All)
        {
            Judgement live = judgements.Value[c.Id];
            Assert.Equal(live.Exact.Keys.Order(), recorded[c.Id].Exact.Keys.Order());
            // Another processor may add in another order.
            foreach ((string name, double[] reach) in Recording.Thin(live.Reach))
                foreach ((double here, double there) in reach.Zip(recorded[c.Id].Reach[name]))
                    Assert.InRange(there, here * (c is TrainingCase ? 0.5 : 0.99), here * (c is TrainingCase ? 2 : 1.01));
            Judgement thin = new(recorded[c.Id].Exact, Recording.Thin(live.Reach));
            Assert.All(thin.Of(Recording.Thin(live.Exact), isDouble: c is not InitCase), agreement => Assert.True(agreement.WorstShare <= 2, $"{c}: {agreement}"));
        }
    }

    [Fact]
    public void A_new_recording_is_one_of_the_table_and_holds()
    {
        string path = Path.GetTempFileName();
        Recording.Write(path, judgements.Value, TorchJudge.Version);
        (IReadOnlyDictionary<string, Judgement> read, string recordedWith) = Recording.Read(path);
        File.Delete(path);
        Assert.Equal(TorchJudge.Version, recordedWith);
        Assert.Empty(CaseTable.All.SelectMany(c => Verdict.Of(c, read[c.Id], Recording.Thin).Faults));
    }
}
