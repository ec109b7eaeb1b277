using System.Diagnostics;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/CatsVsDogs as a process.</summary>
public sealed class CatsVsDogsExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    string Model => Path.Combine(folder, "run", "model.safetensors");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void It_learns_from_folders_of_photos_and_tells_what_another_photo_shows_from_the_model_alone()
    {
        // “Cats” are orange and get darker downwards, “dogs” are blue and get brighter: four epochs suffice.
        foreach ((string part, int count) in ((string, int)[])[("train", 40), ("validation", 10)])
            for (int i = 0; i < 2 * count; i++)
                Photo(i % 2 == 0, i).Save(PathOf(part, i % 2 == 0 ? "cat" : "dog", $"{i}.png"));
        File.WriteAllBytes(PathOf("train", "cat", "666.jpg"), []);
        string[] learning = ["--data", Path.Combine(folder, "photos"), "--size", "16", "--epochs", "4", "--batch-size", "8"];
        byte[][] files = [.. new[] { 1, 2 }.Select(threads =>
        {
            string[] lines = Run([.. learning, "--out", Path.Combine(folder, "run"), "--threads", $"{threads}"]);
            Assert.Contains("not read, cat: 1 of 41 files: cat/666.jpg (empty)", lines);
            Assert.Equal("validation accuracy: 100.00 % (20 of 20)", lines[^1]);
            Assert.Contains("cat: 10 of 10 correct", lines);
            return File.ReadAllBytes(Model);
        })];
        Assert.Equal(files[0], files[1]);
        File.Delete(Model);
        Run([.. learning, "--out", Path.Combine(folder, "run"), "--resume"]);                     // no epochs are left
        Assert.Equal(files[0], File.ReadAllBytes(Model));
        string page = File.ReadAllText(Path.Combine(folder, "run", "report.html"));
        Assert.Contains("All 4 epochs done", page, StringComparison.Ordinal);
        Assert.Contains("cat/666.jpg", page, StringComparison.Ordinal);

        string photo = Path.Combine(folder, "new.webp"), where = Path.Combine(folder, "where.png");
        Photo(cat: true, 999, width: 50, height: 31).Save(photo);
        Assert.Matches($@"^{Regex.Escape(photo)}: cat \(\d+\.\d %\)$", Run(["predict", photo, "--model", Model, "--out", where])[^1]);
        Picture drawn = Picture.Load(where);
        Assert.True(drawn is { Channels: 3, Width: > 100, Height: > 31 }, $"{drawn.Width}×{drawn.Height}");
        Photo(cat: false, 998, width: 20, height: 41).Save(photo);
        Assert.Matches($@"^{Regex.Escape(photo)}: dog \(\d+\.\d %\)$", Run(["predict", photo, "--model", Model, "--out", where])[^1]);
        string album = Directory.CreateDirectory(Path.Combine(folder, "album")).FullName;
        Photo(cat: true, 997).Save(Path.Combine(album, "1, a cat.png"));
        Photo(cat: false, 996).Save(Path.Combine(album, "2.png"));
        File.WriteAllText(Path.Combine(album, "3.png"), "");
        string[] csv = Run(["predict", album, "--model", Model]);
        Assert.Equal("file,class,probability,reason", csv[0]);
        Assert.Matches(@"^""1, a cat.png"",cat,[01](\.\d+)?,\n2.png,dog,[01](\.\d+)?,\n3.png,,,empty$", string.Join('\n', csv[1..]));
    }

    [Fact]
    public void Without_photos_it_says_how_to_get_them_and_takes_drawn_ones()
    {
        string[] lines = Run(["--limit", "32", "--size", "16", "--epochs", "1", "--out", Path.Combine(folder, "run")]);
        Assert.Matches("^no photos in .*: this run uses cats and dogs that the program draws; --download .*, --data DIR ", lines[0]);
        Assert.Matches(@"^validation accuracy: \d+\.\d\d % \(\d+ of 32\)$", lines[^1]);
    }

    [Fact]
    public void Bad_input_is_one_line_and_an_exit_code()
    {
        string text = Path.Combine(folder, "a.jpg"), other = Path.Combine(folder, "other.safetensors");
        File.WriteAllText(text, "no picture");
        Fails(2, "--size", "--size", "8");
        Fails(2, "--epochs", "--epochs", "0");
        Fails(2, "--learning-rate", "--learning-rate", "-1");
        Fails(2, "--frobnicate", "--frobnicate");
        Fails(1, "the folder does not exist", "--data", Path.Combine(folder, "nowhere"));
        Fails(1, "no classes", "--data", Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName);
        Fails(1, "there is no such model", "predict", text, "--model", Model);
        Fails(2, "--mdoel", "predict", text, "--mdoel");
        Fails(2, "there is no option --mdoel", "predict", "--mdoel");
        Fails(2, "--out must end in .png", "predict", text, "--out", "a.jpg");
        SafeTensors.Write(text, []);
        Fails(1, "has no 'architecture'", "predict", text, "--model", text);
        new ImageClassifier(new Sequential(new Flatten(), new Linear(12, 2)), new(3, 2, 2), [0, 0, 0], [1, 1, 1], ["a", "b"]).Save(other);
        Photo(cat: true, 1).Save(Path.Combine(folder, "a.png"));
        Fails(1, "not saved by this program", "predict", Path.Combine(folder, "a.png"), "--model", other);
        Fails(1, "do not fit an array", "--limit", "3000", "--size", "512", "--epochs", "1");

        void Fails(int expected, string word, params string[] options)
        {
            (int code, _, string error) = Example.Run("CatsVsDogs", options);
            Assert.Equal(expected, code);
            Assert.Single(error.TrimEnd().Split('\n'));
            Assert.Contains(word, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_interrupt_ends_the_training_and_saves_it()
    {
        if (OperatingSystem.IsWindows())
            return;     // no kill command
        using Process process = Example.Start("CatsVsDogs", "--limit", "64", "--size", "16", "--epochs", "1000", "--out", folder);
        while (process.StandardOutput.ReadLine()?.StartsWith("epoch ", StringComparison.Ordinal) == false)
        {
        }
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        string[] rest = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n');
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Matches($@"^stopped in epoch \d+ of 1000; --resume continues; saved in {Regex.Escape(folder)}: model.safetensors, report.html$", rest[^1]);
        Assert.Equal([16L, 3, 3, 3], SafeTensors.Read(Path.Combine(folder, "model.safetensors")).Tensors["0.weight"].Shape.ToArray());
        Assert.Contains("Ended on request after", File.ReadAllText(Path.Combine(folder, "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void Splits_are_found_in_a_folder_around_them()
    {
        foreach (string part in (string[])["train", "validation"])
            for (int i = 0; i < 8; i++)
                Photo(i % 2 == 0, i).Save(PathOf(Path.Combine("cats_and_dogs_filtered", part), i % 2 == 0 ? "cats" : "dogs", $"{i}.png"));
        string[] lines = Run(["--data", Path.Combine(folder, "photos"), "--size", "16", "--epochs", "1", "--out", folder]);
        Assert.Contains("reading 8 photos to train on, 8 to validate", lines);
        Assert.Contains(lines, line => line.StartsWith("cats: ", StringComparison.Ordinal));
        Assert.EndsWith(" of 8)", lines[^1], StringComparison.Ordinal);
    }

    static string[] Run(string[] options)
    {
        (int code, string output, string error) = Example.Run("CatsVsDogs", options);
        Assert.True(code == 0, error);
        return output.TrimEnd().Split('\n');
    }

    string PathOf(string part, string label, string name) =>
        Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "photos", part, label)).FullName, name);

    static Picture Photo(bool cat, int seed, int width = 24, int height = 20)
    {
        Picture picture = new(width, height);
        Random random = new(seed);
        for (int i = 0; i < width * height; i++)
        {
            int shade = 40 + 150 * (i / width) / height + random.Next(40);
            if (cat)
                shade = 255 - shade;
            (byte red, byte blue) = cat ? ((byte)shade, (byte)30) : ((byte)30, (byte)shade);
            (picture.Pixels[3 * i], picture.Pixels[3 * i + 1], picture.Pixels[3 * i + 2]) = (red, (byte)(shade / 2), blue);
        }
        return picture;
    }
}
