using System.Text.Json;

namespace MiniCnn;

/// <summary>What a file says of one layer: each argument is to be there once, of its type, and no other; newer ones may be missing.</summary>
sealed class LayerArguments
{
    readonly JsonElement json;
    readonly string place;
    readonly IReadOnlyDictionary<string, SafeTensors.Entry> tensors;
    readonly List<string> taken = [];

    /// <param name="json">What stands there.</param>
    /// <param name="place">Where the layer will stand, “3.1”.</param>
    /// <param name="tensors">The file's tensors.</param>
    public LayerArguments(JsonElement json, string place, IReadOnlyDictionary<string, SafeTensors.Entry> tensors)
    {
        (this.json, this.place, this.tensors) = (json, place, tensors);
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad("is no layer");
        Type = Text("type");
    }

    /// <summary>The layer's class.</summary>
    public string Type { get; } = "";

    public InvalidDataException Bad(string fault) => new($"layer {place}{(place is "" || Type is "" ? "" : ", ")}{Type}: {fault}");

    public int Int(string name) => Int(Of(name), name);

    public double Double(string name) =>
        Of(name, JsonValueKind.Number, "a number").TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Bad($"'{name}' is no number");

    /// <param name="name">The argument.</param>
    /// <param name="absent">What it is in files from before the layer had it; if null, it must be there.</param>
    public bool Bool(string name, bool? absent = null) => absent is { } before && !json.TryGetProperty(name, out _) ? before : Of(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad($"'{name}' is not true or false"),
    };

    public int[] Ints(string name) => [.. Of(name, JsonValueKind.Array, "a list").EnumerateArray().Take(5).Select(item => Int(item, name))];

    public Size2d Size(string name) => Ints(name) is [int height, int width] ? new(height, width) : throw Bad($"'{name}' is not height and width");

    public Padding Padding(string name) =>
        Ints(name) is [int top, int left, int bottom, int right] ? new(top, left, bottom, right) : throw Bad($"'{name}' is not top, left, bottom, right");

    public T Value<T>(string name) where T : struct, Enum
    {
        string text = Text(name);
        return Enum.TryParse(text, out T value) && value.ToString() == text ? value : throw Bad($"there is no {typeof(T).Name} '{text}'");
    }

    /// <summary>The layers inside, by their names; by number if none are given.</summary>
    public IEnumerable<LayerArguments> Children(string name, string[] names)
    {
        JsonElement layers = Of(name, JsonValueKind.Array, "a list");
        if (names.Length > 0 && layers.GetArrayLength() > names.Length)
            throw Bad($"has {layers.GetArrayLength()} layers, not {string.Join(", ", names)}");
        return layers.EnumerateArray().Select((child, i) =>
            new LayerArguments(child, $"{(place is "" ? "" : $"{place}.")}{(names.Length > 0 ? names[i] : $"{i}")}", tensors));
    }

    /// <summary>Refuses to go on unless the file has a tensor of a shape for the layer.</summary>
    /// <returns>The first number.</returns>
    public int Holds(string name, params ReadOnlySpan<int> shape)
    {
        string full = place is "" ? name : $"{place}.{name}", wanted = $"[{string.Join(", ", shape.ToArray())}]";
        if (!tensors.TryGetValue(full, out SafeTensors.Entry? entry) || !entry.IsFloatingPoint || entry.ShapeText != wanted)
            throw Bad($"takes {full} F32 {wanted}, but the file has {entry?.ToString() ?? "none"}");
        return shape[0];
    }

    /// <summary>Refuses arguments that nobody asked for.</summary>
    public void AreAllTaken()
    {
        foreach (JsonProperty property in json.EnumerateObject())
            if (!taken.Contains(property.Name))
                throw Bad($"takes no '{property.Name}'");
    }

    string Text(string name) => Of(name, JsonValueKind.String, "text").GetString()!;

    int Int(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Bad($"'{name}' takes whole numbers up to {int.MaxValue}");

    JsonElement Of(string name)
    {
        taken.Add(name);
        return json.TryGetProperty(name, out JsonElement value) ? value : throw Bad($"'{name}' is missing");
    }

    JsonElement Of(string name, JsonValueKind kind, string what) =>
        Of(name) is var value && value.ValueKind == kind ? value : throw Bad($"'{name}' is not {what}");
}
