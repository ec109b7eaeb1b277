using System.Text.Json;

namespace MiniCnn;

/// <summary>
/// The arguments of one layer in a model file. Every argument must occur once and have the correct type, and unknown arguments are refused. Newer arguments may
/// be missing.
/// </summary>
sealed class LayerArguments
{
    readonly JsonElement json;
    readonly string place;
    readonly IReadOnlyDictionary<string, SafeTensors.Entry> tensors;
    readonly List<string> taken = [];

    /// <param name="json">The JSON of the layer.</param>
    /// <param name="place">Path of the layer in the network, “3.1”.</param>
    /// <param name="tensors">Tensors of the file.</param>
    public LayerArguments(JsonElement json, string place, IReadOnlyDictionary<string, SafeTensors.Entry> tensors)
    {
        (this.json, this.place, this.tensors) = (json, place, tensors);
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad("is not a layer, expected a JSON object");
        Type = Text("type");
    }

    /// <summary>Class name of the layer.</summary>
    public string Type { get; } = "";

    public InvalidDataException Bad(string fault) => new($"layer {place}{(place is "" || Type is "" ? "" : ", ")}{Type}: {fault}");

    public int Int(string name) => Int(Of(name), name);

    public double Double(string name) =>
        Of(name, JsonValueKind.Number, "a number").TryGetDouble(out double number) && double.IsFinite(number) ? number : throw Bad($"'{name}' is not a finite number");

    /// <param name="name">Name of the argument.</param>
    /// <param name="absent">Value in older files without the argument; if null, the argument is required.</param>
    public bool Bool(string name, bool? absent = null) => absent is { } before && !json.TryGetProperty(name, out _) ? before : Of(name).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Bad($"'{name}' is not true or false"),
    };

    public int[] Ints(string name) => [.. Of(name, JsonValueKind.Array, "a list").EnumerateArray().Take(5).Select(item => Int(item, name))];

    public Size2d Size(string name) => Ints(name) is [int height, int width] ? new(height, width) : throw Bad($"'{name}' is not [height, width]");

    public Padding Padding(string name) =>
        Ints(name) is [int top, int left, int bottom, int right] ? new(top, left, bottom, right) : throw Bad($"'{name}' is not [top, left, bottom, right]");

    public T Value<T>(string name) where T : struct, Enum
    {
        string text = Text(name);
        return Enum.TryParse(text, out T value) && value.ToString() == text ? value : throw Bad($"there is no {typeof(T).Name} '{text}'");
    }

    /// <summary>Returns the layers inside, by <paramref name="names"/>, or by index if there are no names.</summary>
    public IEnumerable<LayerArguments> Children(string name, string[] names)
    {
        JsonElement layers = Of(name, JsonValueKind.Array, "a list");
        if (names.Length > 0 && layers.GetArrayLength() > names.Length)
            throw Bad($"has {layers.GetArrayLength()} layers, not {string.Join(", ", names)}");
        return layers.EnumerateArray().Select((child, i) =>
            new LayerArguments(child, $"{(place is "" ? "" : $"{place}.")}{(names.Length > 0 ? names[i] : $"{i}")}", tensors));
    }

    /// <summary>Throws unless the file has a floating-point tensor of this shape for the layer.</summary>
    /// <returns>The first size of the shape.</returns>
    public int Holds(string name, params ReadOnlySpan<int> shape)
    {
        string full = place is "" ? name : $"{place}.{name}", wanted = $"[{string.Join(", ", shape.ToArray())}]";
        if (!tensors.TryGetValue(full, out SafeTensors.Entry? entry) || !entry.IsFloatingPoint || entry.ShapeText != wanted)
            throw Bad($"needs {full} F32 {wanted}, but the file has {entry?.ToString() ?? "none"}");
        return shape[0];
    }

    /// <summary>Throws if the file has arguments that were not read.</summary>
    public void AreAllTaken()
    {
        foreach (JsonProperty property in json.EnumerateObject())
            if (!taken.Contains(property.Name))
                throw Bad($"has no argument '{property.Name}'");
    }

    string Text(string name) => Of(name, JsonValueKind.String, "text").GetString()!;

    int Int(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Bad($"'{name}' must be whole numbers up to {int.MaxValue}");

    JsonElement Of(string name)
    {
        taken.Add(name);
        return json.TryGetProperty(name, out JsonElement value) ? value : throw Bad($"'{name}' is missing");
    }

    JsonElement Of(string name, JsonValueKind kind, string what) =>
        Of(name) is var value && value.ValueKind == kind ? value : throw Bad($"'{name}' is not {what}");
}
