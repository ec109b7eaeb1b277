using System.Text.Json;
using System.Text.Json.Serialization;

namespace MiniCnn;

/// <summary>One file of a data set to download; an archive if <paramref name="Archive"/> is not null.</summary>
sealed record DatasetFile(string Name, long Size, string Sha256, DatasetArchive? Archive = null)
{
    /// <summary>Name of the file, or of the folder unpacked from the archive, in the folder of the data set.</summary>
    public string Gives => Archive?.Folder ?? Name;
}

/// <summary>The files to unpack from an archive; other members are skipped.</summary>
/// <param name="Folder">Folder in the archive.</param>
/// <param name="Members">Files in this folder: paths with “/”, in which # is any number of 1 to 9 digits.</param>
/// <param name="Files">Expected number of these files.</param>
/// <param name="MaxBytes">Maximum total size of the unpacked files.</param>
sealed record DatasetArchive(string Folder, string[] Members, int Files, long MaxBytes);

/// <summary>A data set to download, an entry of datasets/sources.json.</summary>
/// <remarks>The mirrors are base addresses, tried in this order; the name of the file is appended.</remarks>
sealed record DatasetSource(string Name, string Title, string Home, string Licence, string[] Mirrors, DatasetFile[] Files)
{
    /// <summary>All entries of datasets/sources.json, which is embedded in the library.</summary>
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
