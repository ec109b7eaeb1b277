using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.Mnist;

/// <summary>What a trained network reads in a picture of one digit.</summary>
static class DigitReading
{
    const int Zoom = 10;

    /// <summary>Prints the two digits that are likeliest; on request draws what the network saw. Returns the exit code.</summary>
    public static int Print(string path, string modelPath, string? folder)
    {
        Sequential model = Network.Load(modelPath);
        Picture image = Read(path);
        if (folder is not null)
        {
            string seen = Path.Combine(Directory.CreateDirectory(folder).FullName, "seen.png");
            Enlarge(image).Save(seen);
            Console.WriteLine($"saved what the network saw: {seen}");
        }

        LabeledImages one = new(image.Pixels, [0], new ImageShape(1, image.Height, image.Width), classes: 10);     // its label does not matter
        Tensor<float> logits = model.Forward(one.Batches(1).Single().Images);
        float[] probabilities = new float[10];
        Tensor.SoftMax<float>(logits).FlattenTo(probabilities);
        int[] digits = [.. Enumerable.Range(0, 10).OrderByDescending(digit => probabilities[digit])];
        Console.WriteLine($"second guess: {digits[1]} ({100 * probabilities[digits[1]]:F1} %)");
        Console.WriteLine($"digit: {digits[0]} ({100 * probabilities[digits[0]]:F1} %)");
        return 0;
    }

    static Picture Read(string path)
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

    /// <summary>Each pixel as a square.</summary>
    static Picture Enlarge(Picture image)
    {
        Picture large = new(image.Width * Zoom, image.Height * Zoom, image.Channels);
        for (int i = 0; i < large.Pixels.Length; i++)
            large.Pixels[i] = image.Pixels[i / large.Width / Zoom * image.Width + i % large.Width / Zoom];
        return large;
    }
}
