using System.Text.Json;
using System.Text.Json.Nodes;

namespace MiniCnn.Benchmarks;

/// <summary>Writes the figures as a JSON array with one object per figure. Values that were not measured are null.</summary>
static class JsonFile
{
    static readonly JsonSerializerOptions indented = new() { WriteIndented = true };

    public static void Write(string path, Comparison comparison)
    {
        JsonArray figures = [];
        foreach (Figure f in comparison.Figures)
        {
            JsonObject figure = new() { ["name"] = f.Name, ["pass"] = f.Pass };
            Add(figure, $"mini_{f.Unit}", f.Mini);
            Add(figure, $"peer_{f.Unit}", f.Theirs);
            figure["mini_cpu_us"] = Number(f.Mini.Cpu);
            figure["peer_cpu_us"] = Number(f.Theirs.Cpu);
            figure["peer_layout"] = f.Theirs.Any ? f.Counted.ToString().ToUpperInvariant() : null;
            figure[$"peer_nchw_{f.Unit}"] = Number(f.Peer(Layout.Nchw).Median);
            figure[$"peer_nhwc_{f.Unit}"] = Number(f.Peer(Layout.Nhwc).Median);
            figure["ratio"] = Number(f.Ratio);
            figure["cpu_ratio"] = Number(f.CpuRatio);
            figure["percent_of_peak"] = Number(f.PercentOfPeak(comparison.Peak.Median));
            figures.Add((JsonNode)figure);
        }
        File.WriteAllText(path, figures.ToJsonString(indented) + "\n");
    }

    static void Add(JsonObject figure, string name, Rounds rounds)
    {
        figure[name] = Number(rounds.Median);
        figure[$"{name}_min"] = Number(rounds.Least);
        figure[$"{name}_max"] = Number(rounds.Most);
    }

    static JsonValue? Number(double value) => double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 3)) : null;
}
