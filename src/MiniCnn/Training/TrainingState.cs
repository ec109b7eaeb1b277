using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn;

/// <summary>Where a <see cref="Trainer"/>'s run is: what its checkpoint holds besides weights and moments.</summary>
sealed class TrainingState
{
    const string Key = "minicnn.training";

    Dictionary<string, SafeTensors.Entry> best = [];             // the model after its best epoch, if that is to be kept

    /// <summary>What must be the same to go on, by name.</summary>
    public required Dictionary<string, string> Settings { get; init; }

    /// <summary>What may be other, by name.</summary>
    public Dictionary<string, string> Choices { get; set; } = [];

    /// <summary>Epochs that the run is to have.</summary>
    public int Epochs { get; set; }

    /// <summary>What the whole epochs came to.</summary>
    public List<TrainingEpoch> History { get; init; } = [];

    /// <summary>Batches done in the epoch after those.</summary>
    public int Batch { get; set; }

    /// <summary>What they come to.</summary>
    public TrainingSums Sums { get; set; }

    /// <summary>The best epoch, or −1.</summary>
    public int BestEpoch { get; set; } = -1;

    /// <summary>Whether the best epoch's weights are kept.</summary>
    public bool KeepsBest { get; init; }

    /// <summary>How far learning rates have been reduced.</summary>
    public ReduceOnPlateau.State Plateau { get; init; } = new();

    [JsonIgnore]
    public int Epoch => History.Count;

    /// <summary>Ends an epoch; the best is that of the best value, among equal ones of the lowest validation loss.</summary>
    public void EndEpoch(Evaluation? validation, Metric monitor, float learningRate, Layer model)
    {
        double? value = validation is null ? null : monitor.Value(validation);
        History.Add(new(Sums.MeanLoss, (double)Sums.Correct / Sums.Count, learningRate, validation?.Loss, validation?.Accuracy, value));
        (Batch, Sums) = (0, default);
        if (value is not double now || double.IsNaN(now))
            return;
        int sign = monitor.HigherIsBetter ? 1 : -1;
        if (BestEpoch < 0 || (sign * now, -validation!.Loss).CompareTo((sign * History[BestEpoch].Monitored!.Value, -History[BestEpoch].ValidationLoss!.Value)) > 0)
        {
            BestEpoch = Epoch - 1;
            if (KeepsBest)
                best = model.Stored.ToDictionary(tensor => tensor.Name, tensor => tensor.Save());
        }
    }

    /// <summary>Whether so many epochs in a row, and since one, were no better than the best one.</summary>
    public bool IsOutOf(int? patience, int since) => Batch == 0 && Epoch - 1 - int.Max(BestEpoch, since) >= patience;

    /// <summary>Gives a model the best epoch's weights, if they are kept.</summary>
    public void GiveBest(Layer model)
    {
        if (KeepsBest && BestEpoch >= 0)
            StoredTensor.LoadAll([.. model.Stored], best);
    }

    /// <summary>What its checkpoint says beside the tensors.</summary>
    [JsonIgnore]
    public IEnumerable<KeyValuePair<string, string>> Metadata => [KeyValuePair.Create(Key, JsonSerializer.Serialize(this, TrainingJson.Default.TrainingState))];

    /// <summary>The run that a checkpoint holds, and its weights and moments in model and optimizers. Nothing changes if the check throws.</summary>
    public static TrainingState Load(string path, Layer model, IEnumerable<Optimizer> optimizers, Action<string, TrainingState> check)
    {
        TrainingState? state = null;
        Checkpoint.Load(model, optimizers, path, (found, metadata) =>
        {
            state = Parse(found, metadata.GetValueOrDefault(Key));
            check(found, state);
            return state.BestOf(model);
        });
        return state!;
    }

    static TrainingState Parse(string path, string? text)
    {
        try
        {
            TrainingState? state = text is null ? null : JsonSerializer.Deserialize(text, TrainingJson.Default.TrainingState);
            if (state is { History: not null, Settings: not null, Choices: not null, Plateau.Reductions: >= 0, Epochs: >= 1, Batch: >= 0, Sums.Count: >= 0 }
                && state.BestEpoch >= -1 && state.BestEpoch < state.Epoch && state.Plateau.Reductions <= state.Epoch
                && state.History.All(e => e is not null && (state.BestEpoch < 0 || e is { Monitored: not null, ValidationLoss: not null })))
            {
                return state;
            }
        }
        catch (JsonException)
        {
        }
        throw new InvalidDataException($"{path}: is a checkpoint, but not one of a Trainer");
    }

    /// <summary>The best epoch's weights as tensors of a file, “best.0.weight”.</summary>
    public IEnumerable<StoredTensor> BestOf(Layer model) => !KeepsBest || BestEpoch < 0 ? [] : model.Stored.Select(tensor => tensor with
    {
        Name = $"best.{tensor.Name}",
        Save = () => best[tensor.Name],
        Load = entry => best[tensor.Name] = entry,
    });
}

/// <summary>Sums over images.</summary>
/// <param name="Loss">Of their losses, each times what its label weighs.</param>
/// <param name="Weight">Of what their labels weigh.</param>
/// <param name="Correct">Correctly classified images, or pixels.</param>
/// <param name="Count">Those whose label is not ignored.</param>
/// <param name="Images">Images.</param>
readonly record struct TrainingSums(double Loss, double Weight, long Correct, long Count, int Images)
{
    [JsonIgnore]
    public double MeanLoss => Loss / Weight;

    public static TrainingSums operator +(TrainingSums a, TrainingSums b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.Count + b.Count, a.Images + b.Images);
}

/// <summary>Reads and writes it without reflection, so that a trimmed program can; NaN is a loss of images that do not count.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(TrainingState))]
sealed partial class TrainingJson : JsonSerializerContext;
