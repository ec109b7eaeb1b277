namespace MiniCnn.Tests;

/// <summary>Runs examples/ResNet as a process, on easy images: each class has its own brightness.</summary>
public sealed class ResNetExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void It_learns_records_and_says_so_at_the_end()
    {
        (int code, string output, string error) = Example.Run("ResNet", Records("train.bin", 200, seed: 1), Records("test.bin", 50, seed: 2), "--epochs", "4");
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.TrimEnd().Split('\n');
        Assert.Contains(lines, line => line.StartsWith("  6  Residual(Sequential(5 layers), Sequential(2 layers))", StringComparison.Ordinal) && line.Contains("96×8×8", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("epoch 4/4", StringComparison.Ordinal) && line.EndsWith("0:00 left", StringComparison.Ordinal));
        Assert.Matches(@"^test accuracy: (9\d|100)\.\d\d % \((4[5-9]|50) of 50\)$", lines[^1]);
    }

    [Fact]
    public void Wrong_usage_and_files_that_are_not_there_are_a_line_each()
    {
        Assert.Equal((2, "", "expected two files, one for training and one for testing; got one (--help lists the options)\n"), Run("one.bin"));
        Assert.Equal((2, "", "--epochs must be a whole number of at least 1, not 0 (--help lists the options)\n"), Run("--epochs", "0"));
        (int code, _, string error) = Run(Path.Combine(folder, "none.bin"), "none.bin");
        Assert.Equal((1, 1), (code, error.Count(c => c == '\n')));
        Assert.Contains("none.bin: there is no such file", error, StringComparison.Ordinal);
        (code, _, error) = Run("--data", folder);
        Assert.Equal((1, 1), (code, error.Count(c => c == '\n')));

        static (int, string, string) Run(params string[] arguments)
        {
            (int code, string output, string error) = Example.Run("ResNet", arguments);
            return (code, code == 2 ? output : "", error.ReplaceLineEndings("\n"));
        }
    }

    /// <summary>The program is to be read in one go.</summary>
    [Fact]
    public void It_has_at_most_60_lines() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.Root, "examples", "ResNet", "Program.cs")).Length, 1, 60);

    string Records(string name, int count, int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[count * 3073];
        for (int i = 0; i < count; i++)
        {
            random.NextBytes(bytes.AsSpan(i * 3073, 3073));
            bytes[i * 3073] = (byte)(i % 3);
            foreach (ref byte pixel in bytes.AsSpan(i * 3073 + 1, 3072))
                pixel = (byte)(80 * (i % 3) + pixel / 4);
        }
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
