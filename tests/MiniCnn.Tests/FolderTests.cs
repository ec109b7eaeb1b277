namespace MiniCnn.Tests;

/// <summary>Base class of tests that need a temporary folder. The folder is deleted after each test.</summary>
public abstract class FolderTests : IDisposable
{
    private protected readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose()
    {
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The path of a file or folder in the temporary folder.</summary>
    private protected string PathOf(string name) => Path.Combine(folder, name);
}
