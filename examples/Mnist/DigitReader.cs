using MiniCnn.Imaging;

namespace MiniCnn.Examples.Mnist;

/// <summary>Reads one digit in a picture with a saved model.</summary>
static class DigitReader
{
    const int Zoom = 10;

    /// <summary>Prints the two most probable digits. With a folder, saves the image that the network got as seen.png.</summary>
    public static void Read(string path, string modelPath, string? folder)
    {
        ImageClassifier model = TrainingOptions.LoadModel(modelPath);
        Picture image = ToMnist(path);
        if (folder is not null)
        {
            string seen = Path.Combine(Directory.CreateDirectory(folder).FullName, "seen.png");
            Enlarge(image).Save(seen);
            Console.WriteLine($"saved the image that the network got: {seen}");
        }
        (int Index, float Probability)[] digits = [.. model.CreatePredictor().Predict(image).Probabilities.Index().OrderByDescending(digit => digit.Item)];
        Console.WriteLine($"second guess: {digits[1].Index} ({100 * digits[1].Probability:F1} %)");
        Console.WriteLine($"digit: {digits[0].Index} ({100 * digits[0].Probability:F1} %)");
    }

    static Picture ToMnist(string path)
    {
        Picture drawn = Picture.Load(path);
        try
        {
            return HandDrawn.AsMnist(drawn);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Draws each pixel as a square of 10×10 pixels.</summary>
    static Picture Enlarge(Picture image)
    {
        Picture large = new(image.Width * Zoom, image.Height * Zoom, image.Channels);
        for (int i = 0; i < large.Pixels.Length; i++)
            large.Pixels[i] = image.Pixels[i / large.Width / Zoom * image.Width + i % large.Width / Zoom];
        return large;
    }
}
