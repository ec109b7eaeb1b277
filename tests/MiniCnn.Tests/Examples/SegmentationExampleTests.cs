using System.Globalization;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>Runs examples/Segmentation as a process, on few photos.</summary>
public sealed class SegmentationExampleTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("minicnn-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void It_draws_learns_saves_and_says_how_well_each_class_is_found()
    {
        (int code, string output, string error) = Example.Run("Segmentation", "--out", folder, "--count", "48", "--epochs", "3");
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.TrimEnd().Split('\n')[^7..];
        Assert.Equal("IoU, %      with skips     without", lines[0]);
        Assert.Equal(["ground", "disk", "square", "triangle", "cross", "mean"], lines[1..].Select(line => line.Split(' ')[0]));
        Assert.All(lines[1..], line => Assert.Matches(@"^\w+ +\d+\.\d +\d+\.\d$", line));
        Assert.Equal((48, 48), (Files("train-0-48/photos"), Files("train-0-48/masks")));

        // The test photos, loaded again, give the printed IoU with the saved model.
        MaskedImages held = new MaskedImageFolder(InFolder("held-out-0/photos"), InFolder("held-out-0/masks"), ["ground", "disk", "square", "triangle", "cross"])
            .Load(48, 64, channels: 1, strict: true).Images;
        Assert.Equal(200, held.Count);
        Assert.All(held.CountLabels(), pixels => Assert.InRange(pixels, 5_000, 600_000));
        Assert.Equal(double.Parse(lines[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture),
            100 * Evaluation.Of(ImageSegmenter.Load(InFolder("model.safetensors")), held).MeanIoU, 0.051);
        Picture overlays = Picture.Load(InFolder("overlays.png"));
        Assert.True(overlays.Width > 3 * 256 && overlays.Height > 2 * 192);
    }

    [Fact]
    public void Wrong_usage_is_a_line()
    {
        (int code, _, string error) = Example.Run("Segmentation", "--epochs", "0");
        Assert.Equal((2, "--epochs must be a whole number of at least 1, not 0 (--help lists the options)\n"), (code, error.ReplaceLineEndings("\n")));
    }

    /// <summary>The program is to be read in one go.</summary>
    [Fact]
    public void It_has_at_most_60_lines() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.Root, "examples", "Segmentation", "Program.cs")).Length, 1, 60);

    int Files(string name) => Directory.GetFiles(InFolder(name), "*.png").Length;

    string InFolder(string name) => Path.Combine(folder, name);
}
