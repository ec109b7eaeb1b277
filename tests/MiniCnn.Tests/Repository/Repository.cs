using System.Reflection;

namespace MiniCnn.Tests;

/// <summary>The folder that these tests were built from.</summary>
static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>What the project file says in an AssemblyMetadata.</summary>
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
