namespace MiniCnn.Examples.Mnist;

/// <summary>The digits to train on: MNIST, or where it cannot be had, digits that the program draws itself.</summary>
static class Digits
{
    public static (LabeledImages Train, LabeledImages Test) Load(string? folder, CancellationToken cancel)
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
            return (train, test);
        }
        catch (DownloadException e)
        {
            Console.WriteLine(
                $"MNIST cannot be had ({e.Message}): this run trains and tests on built-in digits, drawn by the program; --data DIR gives it MNIST");
            return (DrawnDigits.Draw(30_000, seed: 1), DrawnDigits.Draw(5_000, seed: 2));
        }
    }
}
