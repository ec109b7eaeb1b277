using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>The programs of README.md and docs, built with the packages only and run. Those that need TorchSharp are run by TorchSharpPackageTests.</summary>
public sealed class DocumentProgramTests(Packed packed) : IClassFixture<Packed>, IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_programs_of_the_documents_run_where_there_is_nothing_but_the_packages()
    {
        packed.Build(
            Documents.Programs.Where(program => !program.Value.Contains("using MiniCnn.Interop", StringComparison.Ordinal)),
            ("MiniCnn.Onnx", Packed.Version), ("MiniCnn.Reports", Packed.Version));

        WriteDigits("train", DrawnDigits.Draw(2_000, seed: 1));
        WriteDigits("t10k", DrawnDigits.Draw(300, seed: 2));
        Assert.InRange(Number(Run("digits"), "test accuracy: (.+) % "), 60, 100);

        SurfacePhotos.Draw(At("photos"), dents: 60, scratches: 120, whole: 300, seed: 1);
        File.WriteAllBytes(At("photos/dent/666.jpg"), []);
        File.WriteAllText(At("photos/dent/IMG_7.HEIC"), "\0\0\0\u0018ftypheic");
        File.WriteAllBytes(At("photos/ok/11702.png"), File.ReadAllBytes(At("photos/ok/1.png"))[..^100]);
        File.WriteAllText(At("photos/labels.csv"), "id,label");
        string trained = Run("photos");
        Documents.IsUpToDate("photos output", $"```\n{Regex.Match(trained, @"train: \d+ images.*\n(?:(?:validation: |test: |not read).*\n)+").Value}```\n");
        Assert.InRange(Number(trained, @"macro average .* (\d+\.\d+)\n"), 60, 100);
        Assert.Contains("Test images", File.ReadAllText(At("report.html")), StringComparison.Ordinal);
        byte[] model = File.ReadAllBytes(At("photos.safetensors"));
        Run("photos");                                                // resumes a run that has ended
        Assert.Equal(model, File.ReadAllBytes(At("photos.safetensors")));

        SurfacePhotos.Draw(At("album"), dents: 2, scratches: 2, whole: 2, seed: 2);
        File.WriteAllText(At("album/note.txt"), "not a picture");
        Run("classify");
        string[] lines = File.ReadAllLines(At("predictions.csv"));
        Assert.Equal(FilePrediction.CsvHeader, lines[0]);
        Assert.Equal(6, lines.Count(line => Regex.IsMatch(line, @"^(dent|ok|scratch)/\d\.png,(dent|ok|scratch),[01]")));
        File.Copy(At("album/ok/0.png"), At("photo.png"));
        string predicted = Run("predict");
        Assert.Matches(@"^(dent|ok|scratch) \(\d+\.\d %\)\n$", predicted);
        Assert.Equal(predicted.Split(' ')[0], Serve("serve", At("photo.png")));

        Assert.Contains("FAILED", Run("gradient-check"), StringComparison.Ordinal);
        Assert.Contains(Documents.Quoted("analytic ="), Run("gradient-check"), StringComparison.Ordinal);

        Documents.IsUpToDate("conv2d output", $"```\n{Run("conv2d-example")}```\n");
        Assert.Contains("61440 outputs are bit-identical", Run("conv2d-one-vector"), StringComparison.Ordinal);

        DrawStreets();
        string segmented = Run("segmentation");
        Assert.InRange(Number(segmented, @"\nmacro average .* (\d+\.\d+)\n"), 60, 100);
        Assert.True(File.Exists(At("overlay.png")));
    }

    string At(string name) => Path.Combine(folder, name);

    string Run(string program) => packed.RunBuilt(program, folder, ("MINICNN_DATASETS", folder));

    static double Number(string output, string pattern)
    {
        Match match = Regex.Match(output, pattern);
        Assert.True(match.Success, $"no {pattern} in:\n{output}");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    void WriteDigits(string part, LabeledImages digits)
    {
        Directory.CreateDirectory(At("mnist"));
        byte[] pixels = [.. Enumerable.Range(0, digits.Count).SelectMany(i => digits.Image(i).ToArray())];
        File.WriteAllBytes(At($"mnist/{part}-images-idx3-ubyte"), Idx.Bytes(pixels, 0x803, (uint)digits.Count, 28, 28));
        File.WriteAllBytes(At($"mnist/{part}-labels-idx1-ubyte"), Idx.Bytes([.. digits.Labels.ToArray().Select(label => (byte)label)], 0x801, (uint)digits.Count));
    }

    /// <summary>Draws photos whose lower part is a road, and their masks.</summary>
    void DrawStreets()
    {
        Directory.CreateDirectory(At("streets/a"));
        Directory.CreateDirectory(At("masks/a"));
        for (int i = 0; i < 60; i++)
        {
            Picture photo = new(40, 30), mask = new(40, 30, channels: 1);
            new Random(i).NextBytes(photo.Pixels);
            for (int pixel = 600 + 9 * i; pixel < 1200; pixel++)
                (mask.Pixels[pixel], photo.Pixels[3 * pixel], photo.Pixels[3 * pixel + 1]) = (1, 0, 0);
            photo.Save(At($"streets/a/{i}.jpg"));
            mask.Save(At($"masks/a/{i}.png"));
        }
    }

    /// <summary>Starts the web service, sends a picture, and returns the class in the answer.</summary>
    string Serve(string program, string picture)
    {
        using Process server = Process.Start(new ProcessStartInfo("dotnet", [packed.Built(program), "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        })!;
        try
        {
            string? line;
            do
                line = server.StandardOutput.ReadLine() ?? throw new IOException("the service ended");
            while (!line.Contains("Now listening on: ", StringComparison.Ordinal));
            using HttpClient client = new();
            using HttpResponseMessage answer = client.PostAsync(
                new Uri(line.Split("Now listening on: ")[1] + "/predict"), new ByteArrayContent(File.ReadAllBytes(picture))).GetAwaiter().GetResult();
            return JsonDocument.Parse(answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync().GetAwaiter().GetResult()).RootElement.GetProperty("className").GetString()!;
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
        }
    }
}
