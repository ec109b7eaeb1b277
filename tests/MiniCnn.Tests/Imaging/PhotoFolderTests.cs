using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Tests with a folder of their own, and what is put into it.</summary>
public abstract class PhotoFolderTests : IDisposable
{
    private protected readonly string root = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose()
    {
        Directory.Delete(root, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected string At(string name)
    {
        string path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    // A plain picture of one colour; what the extension says is of no account to the reader.
    private protected void Photo(string name, byte red = 10, byte green = 20, byte blue = 30, int width = 5, int height = 4)
    {
        Picture picture = new(width, height);
        for (int i = 0; i < picture.Pixels.Length; i += 3)
            (picture.Pixels[i], picture.Pixels[i + 1], picture.Pixels[i + 2]) = (red, green, blue);
        Save(name, picture);
    }

    // PNG whatever the name's extension.
    private protected void Save(string name, Picture picture)
    {
        using FileStream file = File.Create(At(name));
        picture.Save(file, ".png");
    }

    private protected void Photos(params string[] names) => Array.ForEach(names, name => Photo(name));

    private protected void Other(string name, string content = "no picture") => File.WriteAllText(At(name), content);

    private protected sealed class Reports(Action? then = null) : IProgress<(int Done, int Total)>
    {
        public List<(int, int)> All { get; } = [];

        public void Report((int Done, int Total) value)
        {
            All.Add(value);
            then?.Invoke();
        }
    }
}
