namespace MiniCnn.Examples.Mnist;

/// <summary>The digits to train on: MNIST, or where it cannot be had, digits that the program draws itself.</summary>
static class Digits
{
    /// <summary>Both sets, and what they are called.</summary>
    public static (LabeledImages Train, LabeledImages Test, string Name) Load(string? folder, CancellationToken cancel)
    {
        try
        {
            string file = "";
            Progress<(string File, long Received, long Total)> progress = new(p =>
            {
                if (p.File != file)
                    Console.WriteLine($"downloading {file = p.File} ({p.Total / 1024} KiB)");
            });
            (LabeledImages train, LabeledImages test) = MnistData.Load(folder, progress, cancel);
            Console.WriteLine($"MNIST: {train.Count} training images, {test.Count} test images");
            return (train, test, "digits of MNIST");
        }
        catch (DownloadException e)
        {
            Console.WriteLine(
                $"MNIST cannot be had ({e.Message}): this run trains and tests on built-in digits, drawn by the program; --data DIR gives it MNIST");
            return (DrawnDigits.Draw(30_000, seed: 1), DrawnDigits.Draw(5_000, seed: 2), "digits that the program drew");
        }
    }
}
