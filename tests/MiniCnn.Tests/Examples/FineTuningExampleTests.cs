using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/FineTuning as a process, on easy images: each class has its own color.</summary>
public sealed class FineTuningExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void It_tunes_a_network_that_it_makes_once()
    {
        string model = Path.Combine(folder, "first.safetensors"), records = Records(60);
        foreach ((string part, int count) in ((string, int)[])[("train", 20), ("validation", 6)])
            for (int i = 0; i < 2 * count; i++)
                Photo(part, i % 2 == 0 ? "cat" : "dog", i);
        string[] arguments = ["--data", folder, "--model", model, "--count", "30", "--epochs", "6"];
        string[] lines = Run([records, .. arguments]);
        Assert.Contains($"pretraining {model} on 60 images", lines);
        Assert.Contains("training on 30 photos of cat and dog: fine-tuning, then from scratch", lines);
        Assert.Matches(@"^validation accuracy: fine-tuned \d+\.\d\d % \(\d+ of 12\), from scratch \d+\.\d\d % \(\d+ of 12\)$", lines[^1]);
        Assert.Contains("fine-tuned 100.00 % (12 of 12)", lines[^1], StringComparison.Ordinal);

        ImageClassifier first = ImageClassifier.Load(model);
        Assert.Equal((10, "Linear(128→10)"), (first.ClassNames.Count, $"{((Sequential)first.Network).Layers[^1]}"));
        byte[] bytes = File.ReadAllBytes(model);
        string[] again = Run(arguments);
        Assert.DoesNotContain(again, line => line.StartsWith("pretraining", StringComparison.Ordinal));
        Assert.Equal(lines[^1], again[^1]);
        Assert.Equal(bytes, File.ReadAllBytes(model));
    }

    [Fact]
    public void Bad_input_is_one_line_and_an_exit_code()
    {
        Fails(2, "--epochs must be a whole number of at least 1, not 0", "--epochs", "0");
        Fails(2, "there is no option --frobnicate", "--frobnicate");
        Fails(1, "the folder does not exist", "--data", Path.Combine(folder, "nowhere"));

        static void Fails(int expected, string word, params string[] options)
        {
            (int code, _, string error) = Example.Run("FineTuning", options);
            Assert.Equal(expected, code);
            Assert.Contains(word, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    /// <summary>The program is to be read in one go.</summary>
    [Fact]
    public void It_has_at_most_60_lines() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.Root, "examples", "FineTuning", "Program.cs")).Length, 1, 60);

    static string[] Run(string[] arguments)
    {
        (int code, string output, string error) = Example.Run("FineTuning", arguments);
        Assert.True(code == 0, error);
        return output.TrimEnd().Split('\n');
    }

    void Photo(string part, string name, int seed)
    {
        Picture photo = new(20, 24);
        new Random(seed).NextBytes(photo.Pixels);
        for (int i = 0; i < photo.Pixels.Length; i++)
            photo.Pixels[i] = (byte)(photo.Pixels[i] / 2 + (i % 3 == (name == "cat" ? 0 : 2) ? 127 : 0));
        photo.Save(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, part, name)).FullName, $"{seed}.png"));
    }

    /// <summary>Writes CIFAR-10 records of red, green and blue images: a label, then the three planes.</summary>
    string Records(int count)
    {
        byte[] bytes = new byte[count * 3073];
        new Random(1).NextBytes(bytes);
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = i % 3073 == 0 ? (byte)(i / 3073 % 3) : (byte)(bytes[i] / 2 + ((i % 3073 - 1) / 1024 == i / 3073 % 3 ? 127 : 0));
        string path = Path.Combine(folder, "records.bin");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
