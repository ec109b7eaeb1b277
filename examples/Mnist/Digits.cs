using System.CommandLine;
using MiniCnn.Reports;

namespace MiniCnn.Examples.Mnist;

/// <summary>The digits of MNIST. If they cannot be downloaded: digits that the program draws.</summary>
static class Digits
{
    public static Option<string?> Folder() => new("--data")
    {
        Description = "Folder with the four IDX files of MNIST [default: $MINICNN_DATASETS/mnist; without this variable datasets/mnist, downloaded if missing "
            + "(11.6 MB)]",
    };

    /// <summary>Returns the training images, the test images, and what a text calls them.</summary>
    public static (LabeledImages Train, LabeledImages Test, string Name) Load(string? folder, CancellationToken cancel)
    {
        try
        {
            (LabeledImages train, LabeledImages test) = MnistData.Load(folder, new ConsoleProgress("downloading MNIST"), cancel);
            Console.WriteLine($"MNIST: {train.Count} training images, {test.Count} test images");
            return (train, test, "digits of MNIST");
        }
        catch (DownloadException e)
        {
            Console.WriteLine($"MNIST is not available ({e.Message}): this run uses digits that the program draws; --data DIR names a folder with MNIST");
            return (DrawnDigits.Draw(30_000, seed: 1), DrawnDigits.Draw(5_000, seed: 2), "digits that the program drew");
        }
    }
}
