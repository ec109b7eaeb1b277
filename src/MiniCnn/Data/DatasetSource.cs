using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn;

/// <summary>One file of a downloadable set, an archive if <paramref name="Archive"/> says what is in it.</summary>
sealed record DatasetFile(string Name, long Size, string Sha256, DatasetArchive? Archive = null)
{
    /// <summary>What stands in the set's folder afterwards: the file, or the folder that the archive holds.</summary>
    public string Gives => Archive?.Folder ?? Name;
}

/// <summary>What is wanted of an archive; the rest is left in it.</summary>
/// <param name="Folder">The folder in the archive that is wanted.</param>
/// <param name="Members">The files that are wanted of that folder: paths with “/”, in which # stands for any number.</param>
/// <param name="Files">How many these are.</param>
/// <param name="MaxBytes">More than this is not unpacked.</param>
sealed record DatasetArchive(string Folder, string[] Members, int Files, long MaxBytes);

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
