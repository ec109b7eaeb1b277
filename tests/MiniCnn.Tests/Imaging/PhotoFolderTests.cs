using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Base class of tests with a folder of pictures.</summary>
public abstract class PhotoFolderTests : FolderTests
{
    private protected string Root => folder;

    /// <summary>The path of a file in the folder. Creates the folder that the file is to be in.</summary>
    private protected string At(string name)
    {
        string path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>Saves a picture of one color, as PNG whatever the extension: the reader looks at the content.</summary>
    private protected void Photo(string name, byte red = 10, byte green = 20, byte blue = 30, int width = 5, int height = 4)
    {
        Picture picture = new(width, height);
        for (int i = 0; i < picture.Pixels.Length; i += 3)
            (picture.Pixels[i], picture.Pixels[i + 1], picture.Pixels[i + 2]) = (red, green, blue);
        Save(name, picture);
    }

    /// <summary>Saves a picture, as PNG whatever the extension.</summary>
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
