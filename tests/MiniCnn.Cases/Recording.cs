using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace MiniCnn.Cases;

/// <summary>TorchSharp's results of all cases, recorded for machines without TorchSharp.</summary>
static class Recording
{
    /// <summary>Only every nth number of a longer result is recorded, to keep the file small.</summary>
    public const int Most = 8192;

    /// <summary>Path of the recording that the build copies into the output folder.</summary>
    public static string DefaultPath => Path.Combine(AppContext.BaseDirectory, "recorded", "torchsharp.safetensors");

    /// <summary>Hash of the table: cases, options and inputs.</summary>
    public static string TableHash
    {
        get
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (Case c in CaseTable.All)
            {
                string options = c is LayerCase layer ? Architecture.Write(layer.Make()) : c is TrainingCase training ? Architecture.Write(training.Make()) : "";
                string labels = c is CrossEntropyCase loss ? string.Join(',', loss.Labels) : "";
                hash.AppendData(Encoding.UTF8.GetBytes($"{c}{options}{labels}{c.Rounding}{c.Terms}"));
                foreach ((_, double[] numbers) in c.Inputs())
                    hash.AppendData(MemoryMarshal.AsBytes<double>(numbers));
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    /// <summary>Writes the judgements of all cases. The write is atomic.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Judgement> judgements, string recordedWith)
    {
        Dictionary<string, SafeTensors.Entry> tensors = [];
        foreach ((string id, Judgement judgement) in judgements)
            foreach (string name in judgement.Exact.Keys)
            {
                double[] exact = Thin(judgement.Exact[name]), reach = Thin(judgement.Reach[name]);
                tensors.Add($"{id}/{name}", Array.TrueForAll(exact, value => (float)value == value)
                    ? SafeTensors.Entry.From<float>(Array.ConvertAll(exact, value => (float)value), exact.Length)
                    : SafeTensors.Entry.From<double>(exact, exact.Length));
                tensors.Add($"{id}/{name}/reach", SafeTensors.Entry.From<float>(Array.ConvertAll(reach, value => (float)value), reach.Length));
            }
        SafeTensors.Write(path, tensors, new Dictionary<string, string> { ["recorded_with"] = recordedWith, ["table"] = TableHash });
    }

    /// <summary>Reads a recording and checks that it belongs to this table.</summary>
    /// <exception cref="InvalidDataException">The file is incomplete, is not a recording, or belongs to another table.</exception>
    public static (IReadOnlyDictionary<string, Judgement> Judgements, string RecordedWith) Read(string path)
    {
        SafeTensorsFile file = SafeTensors.Read(path);
        if (!file.Metadata.TryGetValue("table", out string? table) || !file.Metadata.TryGetValue("recorded_with", out string? recordedWith))
            throw new InvalidDataException($"{path}: is not a recording: its metadata has no 'table' or no 'recorded_with'");
        if (table != TableHash)
        {
            throw new InvalidDataException(
                $"{path}: was recorded for other cases; record it again: dotnet run -c Release --project examples/CompareWithTorchSharp -- record {path}");
        }
        ILookup<string, string> names = file.Tensors.Keys.Where(key => !key.EndsWith("/reach", StringComparison.Ordinal)).ToLookup(key => key[..key.IndexOf('/')]);
        Dictionary<string, Judgement> judgements = [];
        foreach (Case c in CaseTable.All)
        {
            Numbers exact = [], reach = [];
            foreach (string key in names[c.Id])
            {
                SafeTensors.Entry entry = file.Tensors[key];
                string name = key[(c.Id.Length + 1)..];
                if (entry.Type == "F32")
                    exact.Add(name, entry.As<float>());
                else
                    exact.Add(name, entry.As<double>().ToArray());
                reach.Add(name, file.Tensors[$"{key}/reach"].As<float>());
            }
            judgements.Add(c.Id, new(exact, reach));
        }
        return (judgements, recordedWith);
    }

    /// <summary>Returns the recorded subset of the results.</summary>
    public static Numbers Thin(Numbers results)
    {
        Numbers thin = [];
        foreach ((string name, double[] numbers) in results)
            thin.Add(name, Thin(numbers));
        return thin;
    }

    static double[] Thin(double[] numbers)
    {
        int step = (numbers.Length + Most - 1) / Most;
        return step <= 1 ? numbers : [.. numbers.Where((_, i) => i % step == 0)];
    }
}
