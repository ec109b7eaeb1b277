using System.Xml.Linq;
using MathNet.Numerics.Statistics;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>1. What an image is.</summary>
static class Pixels
{
    /// <summary>A part of the photo and its numbers.</summary>
    public static Figure Grey(Materials m)
    {
        Picture patch = m.Around(6, 8).ToGrey();
        float[,] bytes = Values.Of(patch), shares = Values.Of(patch.ToTensor());
        return new(
            "A gray image is a matrix",
            "Six rows of eight pixels from the photo. Each pixel is one byte: 0 is black, 255 is white. A network works better with numbers near "
            + "1, so the tensor holds the same numbers divided by 255.",
            Draw.Row(
                Draw.Photo("the pixels", patch, cell: 24), Draw.Sign("="), Draw.Numbers("0 to 255", bytes, Draw.Grey), Draw.Sign("/ 255 ="),
                Draw.Numbers("0 to 1", shares, v => Draw.Grey(255 * v), format: "0.00")));
    }

    /// <summary>The same part of the photo, split into its channels.</summary>
    public static Figure Channels(Materials m)
    {
        Picture patch = m.Around(6, 8);
        XElement[] channels = [.. new[] { "red", "green", "blue" }.Select((name, c) =>
            Draw.Numbers(name, Values.Of(patch, c), v => Draw.Tint(v, c)))];
        return new(
            "A color image is three matrices",
            "The same pixels in color. Each pixel has three numbers, its amounts of red, green and blue light. Separated, they are three "
            + "matrices of the same size, the channels.",
            Draw.Row(Draw.Photo("the pixels", patch, cell: 24)), Draw.Row([.. channels]));
    }

    /// <summary>The lecture's color.</summary>
    public static Figure OneColour()
    {
        Picture pixel = new(1, 1);
        ((byte[])[250, 128, 178]).CopyTo(pixel.Pixels, 0);
        float[,] bytes = Values.Fill(1, 3, (_, c) => pixel.Pixels[c]), shares = Values.Fill(1, 3, (_, c) => pixel.ToTensor()[0, c, 0, 0]);
        return new(
            "Red 250, green 128, blue 178",
            "The lecture asks to try this mixture: much red, half as much green, and more blue than green. It is a warm pink. Web pages write it "
            + $"in hexadecimal: #{Convert.ToHexString(pixel.Pixels)}.",
            Draw.Row(
                Draw.Photo("one pixel", pixel, cell: 120), Draw.Numbers("0 to 255", bytes, v => Draw.Grey(v)),
                Draw.Numbers("0 to 1", shares, v => Draw.Grey(255 * v), format: "0.###")));
    }

    /// <summary>The order of rows, columns and channels in memory.</summary>
    public static Figure Layouts(Materials m)
    {
        Picture patch = m.Around(2, 3);
        float[] nchw = [.. patch.ToTensor()];                    // [1, 3, 2, 3]
        float[,] file = Values.Fill(1, 18, (_, i) => patch.Pixels[i]), tensor = Values.Fill(1, 18, (_, i) => MathF.Round(255 * nchw[i]));
        return new(
            "Height × width × channels, or channels first",
            "Two rows of three pixels, in memory order. A picture file stores the three numbers of a pixel together: H×W×C, as the lecture "
            + "writes shapes. PyTorch and MiniCnn store each channel separately: N×C×H×W, where N is the number of images in a batch. A window "
            + "over one channel then reads adjacent memory. The numbers are the same.",
            Draw.Row(Draw.Photo("the pixels", patch, cell: 32)),
            Draw.Row(Draw.Numbers("H×W×C in memory", file, Coloured(i => i % 3, file))),
            Draw.Row(Draw.Numbers("N×C×H×W in memory", tensor, Coloured(i => i / 6, tensor))));
    }

    static Func<float, Rgb> Coloured(Func<int, int> channel, float[,] values)
    {
        int at = 0;                                              // Draw.Numbers calls this in memory order
        return v => Draw.Tint(v, channel(at++ % values.Length));
    }

    /// <summary>The same spot with growing surroundings.</summary>
    public static Figure GuessThisPixel(Materials m)
    {
        int[] sides = [1, 12, 48, 192];
        return new(
            "What does this pixel show?",
            "The first pixel alone is a color and could be part of anything. Twelve pixels across show little more, but larger parts are "
            + "recognizable. The meaning of a pixel depends on the pixels around it. The lecture calls this spatial dependence.",
            Draw.Row([.. sides.Select(side => Draw.Photo($"{side}×{side}", m.Around(side, side), cell: 192 / side))]));
    }

    /// <summary>The correlation of pixels with pixels to their right (Pearson's r), for the photo and for its shuffled pixels.</summary>
    public static Figure Neighbours(Materials m)
    {
        float[,] shuffled = m.Square.Shuffle(seed: 1);
        int[] distances = [1, 2, 4, 8, 16, 32, 64];
        return new(
            "Neighbors are similar",
            "Compare each pixel with a pixel to its right. If both tend to be bright together and dark together, their correlation is near 1. In "
            + "a photo it is high for neighbors and decreases with the distance. The lecture calls this homophily. For shuffled pixels the "
            + "correlation is near 0, although all numbers are still there.",
            Draw.Row(Draw.Photo("the photo, 224×224", m.Square.Clip()), Draw.Photo("the same pixels, shuffled", shuffled.Clip())),
            Table("Correlation", ["pixels apart", "photo", "shuffled"],
                distances.Select(d => (string[])[$"{d}", Values.N(R(m.Square, d), "0.000"), Values.N(R(shuffled, d), "0.000")])));

        static double R(float[,] x, int distance)
        {
            int height = x.GetLength(0), width = x.GetLength(1) - distance;
            return Correlation.Pearson(
                Values.Fill(height, width, (r, c) => x[r, c]).List().Select(v => (double)v),
                Values.Fill(height, width, (r, c) => x[r, c + distance]).List().Select(v => (double)v));
        }
    }
}
