using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>2. The sliding window: padding, stride, dilation and output sizes.</summary>
static class Windows
{
    /// <summary>The lecture's image and kernel.</summary>
    public static readonly float[,] X = Values.Parse("1 2 4 2 1; 4 7 3 2 1; 4 5 2 3 1; 2 1 7 8 4; 3 2 4 7 8"), K = Values.Parse("1 0 1; 0 2 1; 1 0 1");

    /// <summary>The lecture's padded table, with its mistake.</summary>
    public static readonly float[,] Padded = Values.Parse(
        "1 1 5 5 2 4 4; 1 1 5 5 2 4 4; 2 2 4 5 2 2 2; 3 3 1 1 1 1 1; 4 4 4 7 2 3 3; 5 5 0 0 3 1 1; 5 5 0 0 0 1 1");

    public static Figure Slide()
    {
        float[,] y = Values.Convolve(X, K);
        return new(
            "A 3×3 window over 5×5 pixels",
            "Place the kernel K on a corner of the image X. Multiply each number of K by the pixel below it and add the nine products. The sum "
            + "is one number of the output Y. Move the window by one pixel and repeat. There are three positions horizontally and three "
            + "vertically, so Y is 3×3.",
            Draw.Sliding("Sliding", X, K, y));
    }

    public static Figure OverNine()
    {
        float[,] sums = Values.Convolve(X, K), means = Values.Convolve(X, K.Map(w => w / 9));
        return new(
            "With the lecture's 1/k²",
            "The lecture divides each sum by k² = 9. Convolution is linear, so dividing the kernel once gives the same result. A Conv2d does not "
            + "divide: training finds the size of the weights.",
            Draw.Row(
                Draw.Numbers("sums", sums), Draw.Sign("/ 9 ="), Draw.Numbers("means", means, format: "0.00"), Draw.Sign("= X ⋆"),
                Draw.Kernel("K / 9", K.Map(w => w / 9), "0.00")));
    }

    public static Figure ZeroPadding()
    {
        float[,] padded = Values.Pad(X, 1), y = Values.Convolve(X, K, padding: 1);
        return new(
            "5×5 becomes 7×7 becomes 5×5",
            "Without padding the output loses a border of (k − 1) / 2 pixels. With a border of this many zeros around the image, the output has "
            + "the size of the image. The library pads inside the layer: Conv2d(1, 1, 3, padding: 1) of X equals the layer without padding of the "
            + "padded X.",
            Draw.Row(
                Draw.Numbers("X with a border of zeros", padded, mark: (r, c) => r % 6 == 0 || c % 6 == 0 ? "window" : null), Draw.Sign("⋆"),
                Draw.Kernel("K", K), Draw.Sign("="), Draw.Numbers("Y", y)));
    }

    public static Figure Stride() => new(
        "Stride 2: every second position",
        "The lecture's 7×7 table. With stride 2 the window moves by two pixels horizontally and vertically. The outputs are every second output "
        + "of stride 1, and Y is 3×3.",
        Draw.Sliding("Stride", Padded, K, Values.Convolve(Padded, K, stride: 2), stride: 2));

    public static Figure Dilation() => new(
        "Dilation 2: a window with gaps",
        "With dilation 2 the nine weights of the kernel are applied to every second pixel, so that they span 5×5 pixels. The lecture leaves this "
        + "as an exercise. For a Conv2d it is an option, dilation: 2.",
        Draw.Sliding("Dilation", Padded, K, Values.Convolve(Padded, K, dilation: 2), dilation: 2));

    public static Figure Replicate()
    {
        float[,] inside = Values.Fill(5, 5, (r, c) => Padded[r + 1, c + 1]), padded = Values.Pad(inside, 1, PaddingMode.Replicate);
        return new(
            "Padding with the nearest pixel",
            "A border of zeros adds a dark frame to the image. PaddingMode.Replicate repeats the pixel at the edge instead. This is the "
            + "lecture's table, computed from its inner 5×5 pixels. The marked square differs from the printed table (see the last part).",
            Draw.Row(
                Draw.Numbers("inside", inside), Draw.Sign("→"),
                Draw.Numbers("padded by 1", padded, mark: (r, c) => padded[r, c] != Padded[r, c] ? "window" : null),
                Draw.Sign("⋆ K ="), Draw.Numbers("Y", Values.Convolve(padded, K))));
    }

    public static Figure ZoomIn()
    {
        Picture five = X.Map(v => 30 * v).Clip(), seven = five.Resize(7, 7);
        return new(
            "Or enlarge the image first",
            "The lecture's third way to fill the border is to enlarge the image: resize 5×5 to 7×7, then convolve. Picture.Resize does this by "
            + "linear interpolation. The output size is 5×5 again, but all pixels have changed, not only the border. (X is multiplied by 30 "
            + "because pixels are bytes.)",
            Draw.Row(
                Draw.Numbers("30·X", Values.Of(five), Draw.Grey), Draw.Sign("→"), Draw.Numbers("resized", Values.Of(seven), Draw.Grey),
                Draw.Sign("⋆ K ="), Draw.Numbers("Y", Values.Convolve(Values.Of(seven), K))));
    }

    /// <summary>Output sizes in three ways: by counting positions, by the formula, by the library.</summary>
    public static Figure Sizes()
    {
        (int Size, int K, int P, int S, int D)[] cases =
            [(5, 3, 0, 1, 1), (224, 3, 0, 1, 1), (224, 5, 0, 1, 1), (224, 3, 1, 1, 1), (7, 3, 0, 2, 1), (7, 3, 0, 1, 2), (459, 5, 2, 2, 1), (612, 5, 2, 2, 1)];
        return new(
            "The number of positions",
            "The article counts: it tries each start position and keeps those where the window fits. The lecture uses a formula, ⌊(n + 2p − d·(k "
            + "− 1) − 1) / s⌋ + 1. Both agree with Window2d of the library.",
            Table("Positions of a window along one side", ["n", "k", "padding p", "stride s", "dilation d", "counted", "formula", "library"], cases.Select(c =>
            {
                int span = c.D * (c.K - 1) + 1, all = c.Size + 2 * c.P;
                int counted = Enumerable.Range(0, all).Count(start => start % c.S == 0 && start + span <= all);
                int library = new Window2d(c.K, c.S, c.P, c.D).Rows(c.Size).Output;
                return ((int[])[c.Size, c.K, c.P, c.S, c.D, counted, (all - span) / c.S + 1, library]).Select(n => $"{n}");
            })));
    }

    /// <summary>The corner of the padded photo for two kernel sizes.</summary>
    public static Figure HalfTheKernel(Materials m)
    {
        XElement[] corners = [.. new[] { 3, 5 }.Select(k =>
        {
            float[,] padded = Values.Pad(m.Square, k / 2);
            return Draw.Numbers($"k = {k}, padding {k / 2}: {padded.GetLength(0)}×{padded.GetLength(1)}, its first corner",
                Values.Fill(6, 6, (r, c) => padded[r, c]), Draw.Grey, (r, c) => r < k / 2 || c < k / 2 ? "window" : null);
        })];
        return new(
            "k // 2 pixels on each side",
            "The article pads by half the kernel size, rounded down: 1 pixel for 3×3, 2 for 5×5. 224×224 pixels become 226×226 and 228×228, and "
            + "the output is 224×224 again. The border is marked; the photo begins inside it.",
            Draw.Row([.. corners]));
    }
}
