using System.Diagnostics;
using System.Text;

namespace MiniCnn.Tests;

/// <summary>examples/Mnist as a person runs it, as a process.</summary>
public sealed class MnistExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Same_seed_same_file_on_any_number_of_threads()
    {
        string data = WriteDigits();
        byte[][] files = [.. new[] { 1, 2, 3, 2 }.Select((threads, i) =>
        {
            string run = Path.Combine(folder, $"{i}");
            (int code, string output, string error) = Mnist("--data", data, "--limit", "300", "--epochs", "1", "--threads", $"{threads}", "--out", run);
            Assert.True(code == 0, error);
            Assert.Matches(@"^test accuracy: \d+\.\d\d % \(\d+ of 200\)$", output.TrimEnd().Split('\n')[^1]);
            Assert.True(new FileInfo(Path.Combine(run, "kernels.png")).Length > 500);
            return File.ReadAllBytes(Path.Combine(run, "model.safetensors"));
        })];
        Assert.All(files, file => Assert.Equal(files[0], file));
        (_, _, _) = Mnist("--data", data, "--limit", "300", "--epochs", "1", "--seed", "1", "--out", folder);
        Assert.NotEqual(files[0], File.ReadAllBytes(Path.Combine(folder, "model.safetensors")));
    }

    [Fact]
    public void Fast_takes_its_own_network_and_epochs_and_says_when_it_was_done()
    {
        foreach ((string[] options, int epochs, int channels, int features) in
            ((string[], int, int, int)[])[(["--fast"], 2, 32, 512), (["--fast", "--epochs", "1"], 1, 32, 512), ([], 3, 16, 400)])
        {
            (int code, string output, string error) = Mnist(["--data", WriteDigits(), "--limit", "100", "--out", folder, .. options]);
            Assert.True(code == 0, error);
            string[] lines = output.TrimEnd().Split('\n');
            Assert.Contains($"epoch {epochs}/{epochs} ", output, StringComparison.Ordinal);
            string done = Assert.Single(lines, line => line.EndsWith(" s from the start of the process", StringComparison.Ordinal));
            Assert.Matches(@"^\d+\.\d\d % after \d+\.\d\d s", done);
            Assert.StartsWith($"test accuracy: {done.Split(" after")[0]} (", lines[^1], StringComparison.Ordinal);
            string weights = File.ReadAllText(Path.Combine(folder, "model.safetensors"), Encoding.Latin1);
            Assert.Contains($"[{channels},8,5,5]", weights, StringComparison.Ordinal);
            Assert.Contains($"[10,{features}]", weights, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Bad_input_is_one_line_an_exit_code_and_nothing_left_behind()
    {
        string data = WriteDigits(), images = Path.Combine(data, "train-images-idx3-ubyte");
        Fails(2, "--epochs", "--epochs", "0");
        Fails(2, "--epochs", "--epochs", "many");
        Fails(2, "--frobnicate", "--frobnicate");
        Fails(2, "--learning-rate", "--learning-rate", "NaN");
        Fails(1, "there is no such folder", "--data", Path.Combine(folder, "nowhere"));
        File.AppendAllText(images, "x");
        Fails(1, "train-images-idx3-ubyte", "--data", data);
        File.WriteAllBytes(images, File.ReadAllBytes(images)[..5000]);
        Fails(1, "train-images-idx3-ubyte", "--data", data);
        File.Delete(images);
        Fails(1, "train-images-idx3-ubyte", "--data", data);

        void Fails(int expected, string word, params string[] options)
        {
            string run = Path.Combine(folder, "run");
            (int code, _, string error) = Mnist([.. options, "--out", run]);
            Assert.Equal(expected, code);
            Assert.Single(error.TrimEnd().Split('\n'));
            Assert.Contains(word, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(run) && Directory.EnumerateFileSystemEntries(run).Any());
        }
    }

    /// <summary>The four files of a small set, of digits that the program draws.</summary>
    string WriteDigits()
    {
        string data = Directory.CreateDirectory(Path.Combine(folder, "digits")).FullName;
        foreach ((string part, int count, int seed) in ((string, int, int)[])[("train", 400, 1), ("t10k", 200, 2)])
        {
            LabeledImages digits = DrawnDigits.Draw(count, seed);
            byte[] pixels = new byte[count * 784];
            int[] labels = [.. digits.Batches(count).Single().Labels];
            float[] values = digits.Batches(count).Single().Images.AsSpan().ToArray();
            for (int i = 0; i < values.Length; i++)
                pixels[i] = (byte)MathF.Round((values[i] * 0.3081f + 0.1307f) * 255);
            File.WriteAllBytes(Path.Combine(data, $"{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, (byte)(count >> 8), (byte)count, 0, 0, 0, 28, 0, 0, 0, 28, .. pixels]);
            File.WriteAllBytes(Path.Combine(data, $"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, (byte)(count >> 8), (byte)count, .. labels.Select(label => (byte)label)]);
        }
        return data;
    }

    static (int Code, string Output, string Error) Mnist(params string[] options)
    {
        // tests/MiniCnn.Tests/bin/Release/net10.0 → examples/Mnist/bin/Release/net10.0
        string program = AppContext.BaseDirectory.Replace(Path.Combine("tests", "MiniCnn.Tests"), Path.Combine("examples", "Mnist"), StringComparison.Ordinal);
        ProcessStartInfo start = new("dotnet", [Path.Combine(program, "Mnist.dll"), .. options]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
