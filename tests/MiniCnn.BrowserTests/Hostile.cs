using MiniCnn.Imaging;

namespace MiniCnn.BrowserTests;

/// <summary>Names that a page must show as they are, and photos that bear them.</summary>
static class Hostile
{
    public const string Script = "<script>document.title='hit'</script>";

    /// <summary>Of classes. The third from the end turns what follows it around.</summary>
    public static readonly string[] Classes =
    [
        Script, "\"><img src=x onerror=\"document.title='hit'\">", "a&b &lt; ' `", "</pre></table><h1>", "abc\u202Egnp.exe", "🐈‍⬛ cat", new('w', 200),
    ];

    /// <summary>Of photos: the digit is the class.</summary>
    static readonly string[] photos = Possible(
        "0 <img src=x onerror=document.title='hit'>.png", "1 \"><b onclick='x'>.png", "2 a&amp;b #%41?.png", "3 \u202Egnp.exe.png", "4 🐕.png",
        $"5 {new string('w', 180)}.png");

    /// <summary>Of files that are not read.</summary>
    static readonly string[] others = Possible("<i>notes<i>.txt", "list & more.txt", "of no class.png");

    /// <summary>All that a page about these photos has to name.</summary>
    public static IEnumerable<string> Shown => [.. Classes, .. others, "5 broken.png"];

    /// <summary>Writes photos, wider than high, of which each class has a bright column elsewhere, and what is no photo.</summary>
    public static LoadedSplits Draw(string folder, int ofEach)
    {
        Directory.CreateDirectory(folder);
        Random random = new(3);
        for (int i = 0; i < ofEach * Classes.Length; i++)
        {
            int label = i % Classes.Length;
            string name = photos.FirstOrDefault(name => name[0] - '0' == i) ?? $"{label} {i}.png";
            Picture picture = new(38, 23);
            for (int p = 0; p < picture.Pixels.Length; p++)
                picture.Pixels[p] = (byte)(random.Next(120) + (p / 3 % 38 / 5 == label ? 120 : 0));
            picture.Save(Path.Combine(folder, name));
        }
        foreach (string name in others)
            File.WriteAllText(Path.Combine(folder, name), "no picture");
        File.WriteAllText(Path.Combine(folder, "5 broken.png"), "no picture either");
        ImageFolder all = ImageFolder.FromNames(folder, name => char.IsDigit(name[0]) ? Classes[name[0] - '0'] : null);
        return new ImageSplits(all, validation: 0.2, test: 0.2).Load(24, 36);
    }

    // Windows has no < in a name.
    static string[] Possible(params string[] names) => [.. names.Where(name => !name.AsSpan().ContainsAny(Path.GetInvalidFileNameChars()))];
}
