using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>2. The window that slides: padding, stride, dilation, and the sizes they give.</summary>
static class Windows
{
    /// <summary>The lecture's image and kernel.</summary>
    public static readonly float[,] X = Values.Parse("1 2 4 2 1; 4 7 3 2 1; 4 5 2 3 1; 2 1 7 8 4; 3 2 4 7 8"), K = Values.Parse("1 0 1; 0 2 1; 1 0 1");

    /// <summary>The lecture's padded table as it is printed there.</summary>
    public static readonly float[,] Padded = Values.Parse(
        "1 1 5 5 2 4 4; 1 1 5 5 2 4 4; 2 2 4 5 2 2 2; 3 3 1 1 1 1 1; 4 4 4 7 2 3 3; 5 5 0 0 3 1 1; 5 5 0 0 0 1 1");

    public static Figure Slide()
    {
        float[,] y = Values.Convolve(X, K);
        return new(
            "A 3×3 window over 5×5 pixels",
            "Lay the kernel K on a corner of the image X. Multiply each number of K with the pixel under it and add up the nine products: "
            + "this is one number of the output Y. Move the window by one pixel and do it again. There are three places across and three down, "
            + "so Y is 3×3.",
            Draw.Sliding("Sliding", X, K, y));
    }

    public static Figure OverNine()
    {
        float[,] sums = Values.Convolve(X, K), means = Values.Convolve(X, K.Map(w => w / 9));
        return new(
            "With the lecture's 1/k²",
            "The lecture divides each sum by k² = 9. Convolution is linear, so it is the same to divide the kernel once, before it slides. A "
            + "Conv2d does neither: training finds the size of the numbers by itself.",
            Draw.Row(
                Draw.Numbers("sums", sums), Draw.Sign("/ 9 ="), Draw.Numbers("means", means, format: "0.00"), Draw.Sign("= X ⋆"),
                Draw.Kernel("K / 9", K.Map(w => w / 9), "0.00")));
    }

    public static Figure ZeroPadding()
    {
        float[,] padded = Values.Pad(X, 1), y = Values.Convolve(X, K, padding: 1);
        return new(
            "5×5 becomes 7×7 becomes 5×5",
            "Without padding the output loses a border of (k − 1) / 2 pixels. Add as many first, all zero, and the output is as large as the image was. The "
            + "library pads within the layer: Conv2d(1, 1, 3, padding: 1) of X is what the layer without padding makes of the padded X.",
            Draw.Row(
                Draw.Numbers("X with a border of zeros", padded, mark: (r, c) => r % 6 == 0 || c % 6 == 0 ? "window" : null), Draw.Sign("⋆"),
                Draw.Kernel("K", K), Draw.Sign("="), Draw.Numbers("Y", y)));
    }

    public static Figure Stride() => new(
        "Stride 2: every second place",
        "The lecture's 7×7 table. With a stride of 2 the window moves by two pixels, across and down. Each output is one that stride 1 gives "
        + "too; those in between are left out, and Y is 3×3.",
        Draw.Sliding("Stride", Padded, K, Values.Convolve(Padded, K, stride: 2), stride: 2));

    public static Figure Dilation() => new(
        "Dilation 2: a window with gaps",
        "With a dilation of 2 the nine numbers of the kernel lie on every second pixel, so that they span 5×5. The lecture leaves this one to "
        + "its reader; for a Conv2d it is an option, dilation: 2.",
        Draw.Sliding("Dilation", Padded, K, Values.Convolve(Padded, K, dilation: 2), dilation: 2));

    public static Figure Replicate()
    {
        float[,] inside = Values.Fill(5, 5, (r, c) => Padded[r + 1, c + 1]), padded = Values.Pad(inside, 1, PaddingMode.Replicate);
        return new(
            "Padding with the nearest pixel",
            "A border of zeros is a dark frame that was not there. PaddingMode.Replicate repeats the pixel at the edge instead. This is the "
            + "lecture's table, made from the 5×5 pixels inside it; the marked square differs from what is printed there (see the last part).",
            Draw.Row(
                Draw.Numbers("inside", inside), Draw.Sign("→"),
                Draw.Numbers("padded by 1", padded, mark: (r, c) => padded[r, c] != Padded[r, c] ? "window" : null),
                Draw.Sign("⋆ K ="), Draw.Numbers("Y", Values.Convolve(padded, K))));
    }

    public static Figure ZoomIn()
    {
        Picture five = X.Map(v => 30 * v).Clip(), seven = five.Resize(7, 7);
        return new(
            "Or make the image larger first",
            "The lecture's third way to fill the border is to zoom in: resize 5×5 to 7×7, then convolve. Picture.Resize does it, between the "
            + "pixels by straight lines. The size is right again, but every pixel has changed, not the border alone. (X times 30, so that bytes "
            + "show it.)",
            Draw.Row(
                Draw.Numbers("30·X", Values.Of(five), Draw.Grey), Draw.Sign("→"), Draw.Numbers("resized", Values.Of(seven), Draw.Grey),
                Draw.Sign("⋆ K ="), Draw.Numbers("Y", Values.Convolve(Values.Of(seven), K))));
    }

    /// <summary>Sizes three ways: by trying all places, by the formula, by the library.</summary>
    public static Figure Sizes()
    {
        (int Size, int K, int P, int S, int D)[] cases =
            [(5, 3, 0, 1, 1), (224, 3, 0, 1, 1), (224, 5, 0, 1, 1), (224, 3, 1, 1, 1), (7, 3, 0, 2, 1), (7, 3, 0, 1, 2), (459, 5, 2, 2, 1), (612, 5, 2, 2, 1)];
        return new(
            "How many places there are",
            "The article counts: it tries every start and keeps those where the window still fits. The lecture has a formula, ⌊(n + 2p − d·(k "
            + "− 1) − 1) / s⌋ + 1. Both give what Window2d of the library says.",
            Table("Places of a window along one side", ["n", "k", "padding p", "stride s", "dilation d", "counted", "formula", "library"], cases.Select(c =>
            {
                int span = c.D * (c.K - 1) + 1, all = c.Size + 2 * c.P;
                int counted = Enumerable.Range(0, all).Count(start => start % c.S == 0 && start + span <= all);
                int library = new Window2d(c.K, c.S, c.P, c.D).Rows(c.Size).Output;
                return ((int[])[c.Size, c.K, c.P, c.S, c.D, counted, (all - span) / c.S + 1, library]).Select(n => $"{n}");
            })));
    }

    /// <summary>The corner of the padded photo, for two kernels.</summary>
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
            "The article pads by half the kernel, rounded down: 1 pixel for 3×3, 2 for 5×5. So 224×224 pixels become 226×226 and 228×228, and "
            + "the output is 224×224 again. Marked is the border; within it the photo begins.",
            Draw.Row([.. corners]));
    }
}
