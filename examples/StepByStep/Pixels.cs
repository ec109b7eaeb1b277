using System.Xml.Linq;
using MathNet.Numerics.Statistics;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>1. What an image is.</summary>
static class Pixels
{
    /// <summary>A patch of the photo, and the numbers that it is.</summary>
    public static Figure Grey(Materials m)
    {
        Picture patch = m.Around(6, 8).ToGrey();
        float[,] bytes = Values.Of(patch), shares = Values.Of(patch.ToTensor());
        return new(
            "A grey image is a matrix",
            "Six rows of eight pixels from the photo. One number a pixel: 0 is black, 255 is white, one byte each. A network likes numbers "
            + "near 1 better, so the tensor holds the same divided by 255.",
            Draw.Row(
                Draw.Photo("the pixels", patch, cell: 24), Draw.Sign("="), Draw.Numbers("0 to 255", bytes, Draw.Grey), Draw.Sign("/ 255 ="),
                Draw.Numbers("0 to 1", shares, v => Draw.Grey(255 * v), format: "0.00")));
    }

    /// <summary>The same patch in colour, taken apart.</summary>
    public static Figure Channels(Materials m)
    {
        Picture patch = m.Around(6, 8);
        XElement[] channels = [.. new[] { "red", "green", "blue" }.Select((name, c) =>
            Draw.Numbers(name, Values.Of(patch, c), v => Draw.Tint(v, c)))];
        return new(
            "A colour image is three matrices",
            "The same patch in colour. Each pixel has three numbers now, how much red, green and blue light it sends. Taken apart they are "
            + "three matrices of one size, the channels.",
            Draw.Row(Draw.Photo("the pixels", patch, cell: 24)), Draw.Row([.. channels]));
    }

    /// <summary>The lecture's colour.</summary>
    public static Figure OneColour()
    {
        Picture pixel = new(1, 1);
        ((byte[])[250, 128, 178]).CopyTo(pixel.Pixels, 0);
        float[,] bytes = Values.Fill(1, 3, (_, c) => pixel.Pixels[c]), shares = Values.Fill(1, 3, (_, c) => pixel.ToTensor()[0, c, 0, 0]);
        return new(
            "Red 250, green 128, blue 178",
            "The lecture asks to try this mixture. Much red, half as much green and some more blue than green is a warm pink. Web pages write "
            + $"it in hexadecimal: #{Convert.ToHexString(pixel.Pixels)}.",
            Draw.Row(
                Draw.Photo("one pixel", pixel, cell: 120), Draw.Numbers("0 to 255", bytes, v => Draw.Grey(v)),
                Draw.Numbers("0 to 1", shares, v => Draw.Grey(255 * v), format: "0.###")));
    }

    /// <summary>Where the number of a row, a column and a channel stands in memory.</summary>
    public static Figure Layouts(Materials m)
    {
        Picture patch = m.Around(2, 3);
        float[] nchw = [.. patch.ToTensor()];                    // [1, 3, 2, 3]
        float[,] file = Values.Fill(1, 18, (_, i) => patch.Pixels[i]), tensor = Values.Fill(1, 18, (_, i) => MathF.Round(255 * nchw[i]));
        return new(
            "Height × width × channels, or channels first",
            "Two rows of three pixels, in the order of memory. A picture file keeps the three numbers of a pixel together, H×W×C, as the "
            + "lecture writes shapes. PyTorch and MiniCnn keep each channel together, N×C×H×W, where N counts the images of a batch: a window "
            + "over one channel then reads neighbours. The numbers are the same.",
            Draw.Row(Draw.Photo("the pixels", patch, cell: 32)),
            Draw.Row(Draw.Numbers("H×W×C in memory", file, Coloured(i => i % 3, file))),
            Draw.Row(Draw.Numbers("N×C×H×W in memory", tensor, Coloured(i => i / 6, tensor))));
    }

    static Func<float, Rgb> Coloured(Func<int, int> channel, float[,] values)
    {
        int at = 0;                                              // Draw.Numbers asks in the order of memory
        return v => Draw.Tint(v, channel(at++ % values.Length));
    }

    /// <summary>The same spot with more and more around it.</summary>
    public static Figure GuessThisPixel(Materials m)
    {
        int[] sides = [1, 12, 48, 192];
        return new(
            "What does this pixel show?",
            "By itself the first pixel is a colour and could be part of anything. Twelve pixels across hardly tell more; with more around "
            + "them they do. What a pixel means depends on the pixels around it. The lecture calls this spatial dependence.",
            Draw.Row([.. sides.Select(side => Draw.Photo($"{side}×{side}", m.Around(side, side), cell: 192 / side))]));
    }

    /// <summary>How much a pixel says about one to the right of it: Pearson's r, before and after the pixels are shuffled.</summary>
    public static Figure Neighbours(Materials m)
    {
        float[,] shuffled = m.Square.Shuffle(seed: 1);
        int[] distances = [1, 2, 4, 8, 16, 32, 64];
        return new(
            "Neighbours are alike",
            "Take a pixel and another one to its right: if the two tend to be bright together and dark together, their correlation is near 1. "
            + "In a photo it is high for neighbours and falls with the distance. This is what the lecture calls homophily. Put the same pixels "
            + "in another order and nothing is left of it, though every number is still there.",
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
