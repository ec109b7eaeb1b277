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

    /// <summary>What the whole epochs came to.</summary>
    public List<TrainingEpoch> History { get; init; } = [];

    /// <summary>Batches done in the epoch after those.</summary>
    public int Batch { get; set; }

    /// <summary>Sums over these batches' images.</summary>
    public double LossSum { get; set; }

    public int Correct { get; set; }

    public int Count { get; set; }

    /// <summary>The best epoch, or −1.</summary>
    public int BestEpoch { get; set; } = -1;

    /// <summary>Whether the best epoch's weights are kept.</summary>
    public bool KeepsBest { get; init; }

    [JsonIgnore]
    public int Epoch => History.Count;

    public void Add(float loss, int correct, int count)
    {
        Batch++;
        (LossSum, Correct, Count) = (LossSum + loss * (double)count, Correct + correct, Count + count);
    }

    public void EndEpoch(Evaluation? validation, Layer model)
    {
        TrainingEpoch epoch = new(LossSum / Count, (double)Correct / Count, validation?.Loss, validation?.Accuracy);
        if (validation is not null && (BestEpoch < 0 || Quality(epoch).CompareTo(Quality(History[BestEpoch])) > 0))
        {
            BestEpoch = Epoch;
            if (KeepsBest)
                best = model.Stored.ToDictionary(tensor => tensor.Name, tensor => tensor.Save());
        }
        History.Add(epoch);
        (Batch, LossSum, Correct, Count) = (0, 0, 0, 0);

        static (double, double) Quality(TrainingEpoch epoch) => (epoch.ValidationAccuracy!.Value, -epoch.ValidationLoss!.Value);
    }

    /// <summary>Whether so many epochs in a row were no better than the best one.</summary>
    public bool IsOutOf(int? patience) => Batch == 0 && BestEpoch >= 0 && Epoch - 1 - BestEpoch >= patience;

    /// <summary>Gives a model the best epoch's weights, if they are kept.</summary>
    public void GiveBest(Layer model)
    {
        if (KeepsBest && BestEpoch >= 0)
            StoredTensor.LoadAll([.. model.Stored], best);
    }

    /// <summary>What its checkpoint says beside the tensors.</summary>
    [JsonIgnore]
    public IEnumerable<KeyValuePair<string, string>> Metadata => [KeyValuePair.Create(Key, JsonSerializer.Serialize(this, TrainingJson.Default.TrainingState))];

    /// <summary>The run that a checkpoint holds, and its weights and moments in model and optimizers. Nothing changes if it is another run.</summary>
    public static TrainingState Load(string path, Layer model, IEnumerable<Optimizer> optimizers, TrainingState begun, int epochBatches)
    {
        TrainingState? state = null;
        Checkpoint.Load(model, optimizers, path, (found, metadata) =>
        {
            state = Parse(found, metadata.GetValueOrDefault(Key));
            foreach ((string name, string here) in begun.Settings)
            {
                if (state.Settings.GetValueOrDefault(name, "?") is var there && there != here)
                {
                    throw new InvalidDataException(
                        $"{found}: is of another run, its {name} {there} and here {here}; train without Resume, or with the same settings");
                }
            }
            if (state.Batch >= epochBatches)
                throw new InvalidDataException($"{found}: is at batch {state.Batch} of an epoch of {epochBatches}");
            return state.BestOf(model);
        });
        return state!;
    }

    static TrainingState Parse(string path, string? text)
    {
        try
        {
            TrainingState? state = text is null ? null : JsonSerializer.Deserialize(text, TrainingJson.Default.TrainingState);
            if (state is { History: not null, Settings: not null, Batch: >= 0, Count: >= 0, BestEpoch: >= -1 } && state.BestEpoch < state.Epoch
                && state.History.All(e => e is not null && (state.BestEpoch < 0 || e is { ValidationAccuracy: not null, ValidationLoss: not null })))
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

/// <summary>Reads and writes it without reflection, so that a trimmed program can.</summary>
[JsonSerializable(typeof(TrainingState))]
sealed partial class TrainingJson : JsonSerializerContext;
