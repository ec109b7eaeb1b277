using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn;

/// <summary>One file of a downloadable set.</summary>
sealed record DatasetFile(string Name, long Size, string Sha256);

/// <summary>A downloadable set, as datasets/sources.json lists it.</summary>
/// <remarks>The mirrors are base addresses in the order to try; a file's name is appended.</remarks>
sealed record DatasetSource(string Name, string Title, string Home, string Licence, string[] Mirrors, DatasetFile[] Files)
{
    /// <summary>Every set that datasets/sources.json listed when this library was built.</summary>
    public static DatasetSource[] All { get; } = Read();

    static DatasetSource[] Read()
    {
        using Stream json = typeof(DatasetSource).Assembly.GetManifestResourceStream("sources.json")!;
        return JsonSerializer.Deserialize(json, SourcesJson.Default.DatasetSourceArray)!;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(DatasetSource[]))]
sealed partial class SourcesJson : JsonSerializerContext;
