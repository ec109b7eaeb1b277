using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Examples.Mnist;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/Mnist as a process.</summary>
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
            Assert.False(Checkpoint.Exists(Path.Combine(run, "checkpoint.safetensors")));
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
        Fails(1, "NaN or infinity in ", "--data", data, "--learning-rate", "1e6", "--report", "false");
        Fails(1, "the folder does not exist", "--data", Path.Combine(folder, "nowhere"));
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

    [Theory]
    [InlineData("--epochs")]
    [InlineData("--fast", "--epochs")]
    public void Predict_reads_a_drawn_digit_by_the_saved_model(params string[] network)
    {
        (int trained, _, string fault) = Mnist(["--data", WriteDigits(4000), .. network, "6", "--out", folder]);          // enough for all seeds that were tried
        Assert.True(trained == 0, fault);
        LabeledImages digits = DrawnDigits.Draw(10, seed: 3);
        string drawing = Path.Combine(folder, "drawing.png"), model = Path.Combine(folder, "model.safetensors"), seen = Path.Combine(folder, "seen");
        for (int digit = 0; digit < 10; digit += 3)
        {
            HandDrawnTests.Drawing(digits, digit).Save(drawing);
            (int code, string output, string error) = Mnist("predict", drawing, "--model", model, "--out", seen);
            Assert.True(code == 0, error);
            string[] lines = output.TrimEnd().Split('\n');
            Assert.Equal($"saved the image that the network got: {Path.Combine(seen, "seen.png")}", lines[0]);
            Assert.Matches(@"^second guess: \d \(\d+\.\d %\)$", lines[1]);
            Assert.Matches($@"^digit: {digit} \(\d+\.\d %\)$", lines[2]);
            double[] percents = [.. lines[1..].Select(line => double.Parse(line.Split('(', ' ')[^2], CultureInfo.InvariantCulture))];
            Assert.True(percents[1] >= percents[0] && percents[0] + percents[1] is > 20 and < 100.11, string.Join(" and ", percents));

            Picture large = Picture.Load(Path.Combine(seen, "seen.png")), small = HandDrawn.AsMnist(Picture.Load(drawing));
            Assert.Equal((280, 280, 1), (large.Width, large.Height, large.Channels));
            for (int i = 0; i < large.Pixels.Length; i++)
                Assert.Equal(small.Pixels[i / 2800 * 28 + i % 280 / 10], large.Pixels[i]);
        }
    }

    [Fact]
    public void Predict_says_in_one_line_what_is_missing()
    {
        string model = Path.Combine(folder, "model.safetensors"), picture = Path.Combine(folder, "a.png"), blank = Path.Combine(folder, "blank.png");
        Fails(1, $"{Path.Combine("runs", "mnist", "model.safetensors")}: there is no such model; train one first", "predict", picture);
        File.WriteAllText(model, "no weights");
        Fails(1, model, "predict", picture, "--model", model);
        Conv2d other = new(1, 1, 3);
        Weights.Save(other, model);
        Fails(1, $"{model}: ", "predict", picture, "--model", model);
        new ImageClassifier(new Sequential(new Flatten(), new Linear(784, 10)), DrawnDigits.Draw(1, seed: 1)).Save(model);
        Fails(1, picture, "predict", picture, "--model", model);
        File.WriteAllText(picture, "no picture");
        Fails(1, $"{picture}: expected JPEG", "predict", picture, "--model", model);
        new Picture(50, 50, 1).Save(blank);
        Fails(1, $"{blank}: the picture shows no digit", "predict", blank, "--model", model);
        Fails(2, "predict", "predict");
        Fails(2, "--epochs", "predict", picture, "--epochs", "3");

        void Fails(int expected, string start, params string[] options)
        {
            (int code, string output, string error) = Mnist(options);
            Assert.Equal((expected, ""), (code, output));
            Assert.Contains(start, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_interrupt_ends_the_training_and_saves_it()
    {
        if (OperatingSystem.IsWindows())
            return;     // no kill command
        using Process process = Example.Start("Mnist", "--data", WriteDigits(), "--epochs", "3000", "--out", folder);
        string? line;
        do
        {
            line = process.StandardOutput.ReadLine();
        }
        while (line?.StartsWith("epoch ", StringComparison.Ordinal) == false);
        Assert.Contains(" left", line, StringComparison.Ordinal);
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        string[] rest = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n');
        process.WaitForExit();

        string model = Path.Combine(folder, "model.safetensors");
        Assert.Equal(1, process.ExitCode);
        Assert.Matches($@"^stopped in epoch \d+ of 3000; --resume continues; saved in {Regex.Escape(folder)}: model\.safetensors, kernels\.png(, report\.html)?$", rest[^1]);
        Assert.Equal([8L, 1, 5, 5], SafeTensors.Read(model).Tensors["0.weight"].Shape.ToArray());
        Assert.Equal(3, Picture.Load(Path.Combine(folder, "kernels.png")).Channels);

        // A checkpoint that can be resumed is not overwritten.
        string checkpoint = Path.Combine(folder, "checkpoint.safetensors");
        byte[] before = File.ReadAllBytes(checkpoint);
        (int code, _, string error) = Mnist("--data", WriteDigits(), "--out", folder);
        Assert.Equal((2, $"{checkpoint}: this run is unfinished; --resume resumes it, another --out starts a new run (--help lists the options)"), (code, error.TrimEnd()));
        Assert.Equal(before, File.ReadAllBytes(checkpoint));
    }

    /// <summary>
    /// Kills the run at random moments and resumes it. The final weights equal those of an uninterrupted run. MINICNN_KILLS sets the number of kills.
    /// </summary>
    [Fact]
    public async Task A_run_that_is_killed_and_resumed_ends_with_the_same_weights()
    {
        int kills = int.TryParse(Environment.GetEnvironmentVariable("MINICNN_KILLS"), out int asked) ? asked : 5;
        string whole = Path.Combine(folder, "whole"), pieces = Path.Combine(folder, "pieces");
        string[] options = ["--data", WriteDigits(), "--epochs", "60", "--batch-size", "32", "--checkpoint-every", "0.02", "--resume", "--out"];
        long start = Stopwatch.GetTimestamp();
        (int code, _, string error) = Mnist([.. options, whole]);
        Assert.True(code == 0, error);
        int took = (int)Stopwatch.GetElapsedTime(start).TotalMilliseconds, killed = 0, resumed = 0;
        Random random = new(kills);
        while (killed < kills)
        {
            resumed += File.Exists(Path.Combine(pieces, "checkpoint.safetensors")) ? 1 : 0;
            using Process process = Example.Start("Mnist", [.. options, pieces]);
            Task<string> output = process.StandardOutput.ReadToEndAsync(), fault = process.StandardError.ReadToEndAsync();
            if (process.WaitForExit(random.Next(took)))
            {
                await output;
                Assert.Equal((0, ""), (process.ExitCode, await fault));
                IsTheSame();
                Directory.Delete(pieces, recursive: true);
                continue;
            }
            process.Kill();
            process.WaitForExit();
            killed++;
        }
        Assert.True(resumed > 0 || kills < 5, "no run was old enough to be resumed");
        (code, _, error) = Mnist([.. options, pieces]);
        Assert.True(code == 0, error);
        IsTheSame();

        void IsTheSame() =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model.safetensors")), File.ReadAllBytes(Path.Combine(pieces, "model.safetensors")));
    }

    /// <summary>Writes the four IDX files of a small set of drawn digits.</summary>
    string WriteDigits(int train = 400)
    {
        string data = Directory.CreateDirectory(Path.Combine(folder, "digits")).FullName;
        foreach ((string part, int count, int seed) in ((string, int, int)[])[("train", train, 1), ("t10k", 200, 2)])
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

    static (int Code, string Output, string Error) Mnist(params string[] options) => Example.Run("Mnist", options);
}
