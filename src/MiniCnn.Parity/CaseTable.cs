using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace MiniCnn.Parity;

/// <summary>A pool of the table.</summary>
/// <param name="Id">max_pool2d.03, or avg_pool2d.02b.</param>
/// <param name="Batch">N, images.</param>
/// <param name="Image">Channels, height and width of an image.</param>
/// <param name="Window">Kernel, stride, padding, dilation.</param>
/// <param name="CountIncludePad">For an average: whether it divides by the whole window or by the part inside the image.</param>
public sealed record PoolCase(string Id, int Batch, ImageShape Image, Window2d Window, bool CountIncludePad);

/// <summary>A linear layer, [N, In] → [N, Out].</summary>
public sealed record LinearCase(string Id, int Batch, int In, int Out);

/// <summary>A cross-entropy of logits [N, Classes].</summary>
public sealed record CrossEntropyCase(string Id, int Batch, int Classes);

/// <summary>
/// The one table of cases (tests/recorded/cases.json): the convolution tests walk through it, the recording holds what TorchSharp
/// computed for it, and a live TorchSharp is asked for it.
/// </summary>
public sealed class CaseTable
{
    CaseTable(byte[] file)
    {
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
        Json = JsonDocument.Parse(file).RootElement;
        ILookup<string, JsonElement> kinds = Json.EnumerateArray().ToLookup(c => Id(c).Split('.')[0]);
        Conv2d = [.. kinds["conv2d"].Select(Conv2dCase.Parse)];
        MaxPool2d = [.. kinds["max_pool2d"].Select(MaxPool)];
        AvgPool2d = [.. kinds["avg_pool2d"].Select(AvgPool)];
        Linear = [.. kinds["linear"].Select(Id).Select(id => new LinearCase(id, Sizes(id)[0], Sizes(id)[1], Sizes(id)[2]))];
        CrossEntropy = [.. kinds["cross_entropy"].Select(Id).Select(id => new CrossEntropyCase(id, Sizes(id)[0], Sizes(id)[1]))];
    }

    /// <summary>The table that is copied beside every program of this solution that uses it.</summary>
    public static string DefaultPath => Path.Combine(AppContext.BaseDirectory, "recorded", "cases.json");

    /// <summary>Reads a table.</summary>
    public static CaseTable Read(string path) => new(File.ReadAllBytes(path));

    /// <summary>The SHA-256 of the file, by which a recording says what table it is of.</summary>
    public string Sha256 { get; }

    /// <summary>The table as it stands in the file; its last case, a training, is in words.</summary>
    public JsonElement Json { get; }

    /// <summary>The convolutions.</summary>
    public IReadOnlyList<Conv2dCase> Conv2d { get; }

    /// <summary>The max pools.</summary>
    public IReadOnlyList<PoolCase> MaxPool2d { get; }

    /// <summary>The average pools; avg_pool2d.02b has images of max_pool2d.02's size.</summary>
    public IReadOnlyList<PoolCase> AvgPool2d { get; }

    /// <summary>The linear layers.</summary>
    public IReadOnlyList<LinearCase> Linear { get; }

    /// <summary>The cross-entropies.</summary>
    public IReadOnlyList<CrossEntropyCase> CrossEntropy { get; }

    internal static Size2d Pair(JsonElement json, string name) =>
        (json.GetProperty(name)[0].GetInt32(), json.GetProperty(name)[1].GetInt32());

    static PoolCase MaxPool(JsonElement json)
    {
        int Number(string name) => json.GetProperty(name).GetInt32();
        Window2d window = new(Pair(json, "kernel"), Pair(json, "stride"), Padding(json), Pair(json, "dilation"));
        return new(Id(json), Number("n"), new(Number("c"), Number("h"), Number("w")), window, CountIncludePad: false);
    }

    PoolCase AvgPool(JsonElement json)
    {
        string id = Id(json), maxPool = id.Replace("avg", "max", StringComparison.Ordinal).TrimEnd('a', 'b');
        PoolCase images = MaxPool2d.Single(p => p.Id == maxPool);
        Window2d window = new(Pair(json, "kernel"), Pair(json, "stride"), Padding(json));
        return new(id, images.Batch, images.Image, window, json.GetProperty("count_include_pad").GetBoolean());
    }

    static Padding Padding(JsonElement json)
    {
        (int vertical, int horizontal) = Pair(json, "padding");
        return (vertical, horizontal);
    }

    static string Id(JsonElement json) => json.GetProperty("id").GetString()!;

    // “linear.17x33x10” → 17, 33, 10
    static int[] Sizes(string id) => [.. id.Split('.')[1].Split('x').Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
}
