using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn;

/// <summary>The progress of a <see cref="Trainer"/>'s run. Its checkpoint holds this state in addition to weights and moments.</summary>
sealed class TrainingState
{
    const string Key = "minicnn.training";

    Dictionary<string, SafeTensors.Entry> best = [];             // the model after its best epoch, if KeepsBest

    /// <summary>Settings that must be the same when the run resumes, by name.</summary>
    public required Dictionary<string, string> Settings { get; init; }

    /// <summary>Settings that may change when the run resumes, by name.</summary>
    public Dictionary<string, string> Choices { get; set; } = [];

    /// <summary>Number of epochs of the whole run.</summary>
    public int Epochs { get; set; }

    /// <summary>Results of the completed epochs.</summary>
    public List<TrainingEpoch> History { get; init; } = [];

    /// <summary>Number of completed batches in the current epoch.</summary>
    public int Batch { get; set; }

    /// <summary>Sums over these batches.</summary>
    public TrainingSums Sums { get; set; }

    /// <summary>Index of the best epoch, or −1.</summary>
    public int BestEpoch { get; set; } = -1;

    /// <summary>Whether the weights of the best epoch are kept.</summary>
    public bool KeepsBest { get; init; }

    /// <summary>State of the learning rate reduction.</summary>
    public ReduceOnPlateau.State Plateau { get; init; } = new();

    [JsonIgnore]
    public int Epoch => History.Count;

    /// <summary>Ends an epoch. The best epoch has the best monitored value; among equal values, the lowest validation loss.</summary>
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

    /// <summary>
    /// Whether <paramref name="patience"/> epochs in a row were no better than the best one, counted after the epoch <paramref name="since"/>.
    /// </summary>
    public bool IsOutOf(int? patience, int since) => Batch == 0 && Epoch - 1 - int.Max(BestEpoch, since) >= patience;

    /// <summary>Loads the weights of the best epoch into a model, if they are kept.</summary>
    public void GiveBest(Layer model)
    {
        if (KeepsBest && BestEpoch >= 0)
            StoredTensor.LoadAll([.. model.Stored], best);
    }

    /// <summary>Metadata of the checkpoint.</summary>
    [JsonIgnore]
    public IEnumerable<KeyValuePair<string, string>> Metadata => [KeyValuePair.Create(Key, JsonSerializer.Serialize(this, TrainingJson.Default.TrainingState))];

    /// <summary>Loads a checkpoint into model and optimizers, and returns the state of its run. Nothing changes if <paramref name="check"/> throws.</summary>
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
        throw new InvalidDataException($"{path}: a checkpoint, but not one that a Trainer wrote");
    }

    /// <summary>The weights of the best epoch as tensors of a file, “best.0.weight”.</summary>
    public IEnumerable<StoredTensor> BestOf(Layer model) => !KeepsBest || BestEpoch < 0 ? [] : model.Stored.Select(tensor => tensor with
    {
        Name = $"best.{tensor.Name}",
        Save = () => best[tensor.Name],
        Load = entry => best[tensor.Name] = entry,
    });
}

/// <summary>Sums over images.</summary>
/// <param name="Loss">Sum of the losses, each multiplied by the weight of its label.</param>
/// <param name="Weight">Sum of the weights of the labels.</param>
/// <param name="Correct">Number of correctly classified images, or pixels.</param>
/// <param name="Count">Number of images, or pixels, with a label that the loss does not ignore.</param>
/// <param name="Images">Number of images.</param>
readonly record struct TrainingSums(double Loss, double Weight, long Correct, long Count, int Images)
{
    [JsonIgnore]
    public double MeanLoss => Loss / Weight;

    public static TrainingSums operator +(TrainingSums a, TrainingSums b) =>
        new(a.Loss + b.Loss, a.Weight + b.Weight, a.Correct + b.Correct, a.Count + b.Count, a.Images + b.Images);
}

/// <summary>JSON without reflection, for trimmed programs. NaN must be allowed: it is the loss of images with ignored labels only.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(TrainingState))]
sealed partial class TrainingJson : JsonSerializerContext;
