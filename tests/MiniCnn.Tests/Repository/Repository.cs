using System.Reflection;

namespace MiniCnn.Tests;

/// <summary>The root folder of the repository.</summary>
static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The value of an AssemblyMetadata item of the project file.</summary>
    public static string Says(string key) =>
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == key).Value!;

    static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MiniCnn.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
