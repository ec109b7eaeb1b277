using System.Numerics.Tensors;
using MiniCnn.Imaging;
using static MiniCnn.Examples.StepByStep.Windows;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>8. Where the documents slip.</summary>
static class Slips
{
    /// <summary>The lecture's loop in PyTorch counts outputs in steps of the stride; it should count pixels so.</summary>
    public static float[,] StrideLoop(float[,] x, float[,] k, int stride)
    {
        (int height, int width) = ((x.GetLength(0) - k.GetLength(0)) / stride + 1, (x.GetLength(1) - k.GetLength(1)) / stride + 1);
        float[,] all = Values.Convolve(x, k), y = new float[height, width];
        for (int i = 0; i < height; i += stride)
            for (int j = 0; j < width; j += stride)
                y[i, j] = all[i, j];                             // the window at (i, j), not at (i·stride, j·stride)
        return y;
    }

    public static Figure Stride(Materials m)
    {
        float[,] right = Values.Convolve(Padded, K, stride: 2), loop = StrideLoop(Padded, K, 2);
        float[,] box = Values.Fill(5, 5, (_, _) => 1 / 25f), large = StrideLoop(Values.Pad(m.Wide, 2), box, 2);
        double zeros = large.List().Count(v => v == 0) / (double)large.Length;
        return new(
            "The PyTorch loop with a stride",
            "The lecture rewrites its function with a loop in PyTorch and finds it equivalent, since the shapes agree. With stride 2 the loop "
            + "visits every second output and fills it with the window at the output's own place; the others stay 0. Of the "
            + $"{large.GetLength(0)}×{large.GetLength(1)} outputs of the photo {zeros:P0} are 0. Compare numbers, not shapes.",
            Draw.Row(
                Draw.Numbers("right", right), Draw.Sign("≠"), Draw.Numbers("by that loop", loop, mark: (r, c) => loop[r, c] != right[r, c] ? "window" : null)),
            Draw.Row(
                Draw.Photo("right, 230×306", Values.Convolve(m.Wide, box, stride: 2, padding: 2).Clip()), Draw.Photo("by that loop, 230×306", large.Clip())));
    }

    /// <summary>An output made like the input keeps the input's size, and bytes.</summary>
    public static Figure ZerosLike()
    {
        float[,] outline = Values.Of(ImageFilters.Outline), y = Values.Convolve(X, outline);
        byte[,] like = new byte[5, 5];
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++)
                like[r, c] = unchecked((byte)(int)y[r, c]);
        float[,] bytes = Values.Fill(5, 5, (r, c) => like[r, c]);
        return new(
            "An output made like the input",
            "The loop that the lecture gives as equivalent, in a comment, makes its output with zeros_like(image). That keeps the image's "
            + "size, so two rows and two columns of zeros stay at the end; and it keeps the image's type, a byte. A byte has no fractions, and "
            + "−3 becomes 253. The figure uses the outline kernel, whose outputs are whole numbers.",
            Draw.Row(
                Draw.Kernel("right", y), Draw.Sign("≠"),
                Draw.Numbers("in bytes, of the input’s size", bytes, mark: (r, c) => r > 2 || c > 2 || bytes[r, c] != y[r, c] ? "window" : null)));
    }

    /// <summary>Python's slice [start:stop] of n elements, and C#'s range.</summary>
    public static int PythonSlice(int start, int stop, int n) => Math.Max((stop < 0 ? stop + n : stop) - start, 0);

    public static Figure PaddingOfZero() => new(
        "Padding 0 cuts everything away",
        "The article writes the image into the middle of its padded array, from p to −p. With p = 0 this is [0:−0], and −0 is 0: the slice "
        + "ends before it begins, and the assignment fails. C# counts from the end by ^p, and ^0 is the end, so x[p..^p] is right for 0 too. "
        + $"MiniCnn's Pad2d(0) leaves the image as it is: {Values.Pad(X, 0).GetLength(0)}×{Values.Pad(X, 0).GetLength(1)}.",
        Table("Elements that are left of a padded row of 224 pixels", ["p", "padded row", "[p:−p] in Python", "[p..^p] in C#", "needed"],
            from p in new[] { 2, 1, 0 }
            let row = 224 + 2 * p
            select ((int[])[p, row, PythonSlice(p, -p, row), (p..^p).GetOffsetAndLength(row).Length, 224]).Select(n => $"{n}")));

    /// <summary>Half the kernel on each side is “same” for odd kernels alone.</summary>
    public static Figure EvenKernels() => new(
        "k // 2 is not “same” for even kernels",
        "An even kernel loses an odd number of pixels, k − 1, and k // 2 on both sides gives back one too many. “Same” padding in TensorFlow "
        + "and PyTorch adds (k − 1) / 2, rounded down, before, and the rest after. The lecture's p = (k − 1) / 2 is no whole number then.",
        Table("What becomes of 224 pixels", ["k", "padded by k // 2", "Padding.Same: before, after", "padded by that"], new[] { 2, 3, 4, 5, 6 }.Select(k =>
        {
            Padding same = Padding.Same(k);
            int Size(Padding padding) => new Window2d(k, padding: padding).Rows(224).Output;
            return (string[])[$"{k}", $"{Size(k / 2)}", $"{same.Top}, {same.Bottom}", $"{Size(same)}"];
        })));

    /// <summary>One kernel on each channel, and a Conv2d.</summary>
    public static Figure ChannelsKept(Materials m)
    {
        Picture photo = m.Photo.Resize(224, 224, Fit.CenterCrop);
        Conv2d each = new(3, 3, 5, groups: 3, bias: false), conv = new(3, 1, 5, bias: false);
        for (int c = 0; c < 3; c++)
            ImageFilters.BoxBlur5.CopyTo(each.Weight, c);
        ImageFilters.BoxBlur5.CopyTo(conv.Weight, 0);
        Tensor<float> x = photo.ToTensor(), y = each.Forward(x), z = conv.Forward(x);
        return new(
            "h′ × w′ × c holds channel by channel",
            "The lecture's formula keeps the number of channels. That is so when one kernel goes over each channel by itself, as filters of "
            + "photos do: groups: 3 in a Conv2d. A Conv2d as networks use it sums over the channels, and how many come out is its own number, "
            + "here 1.",
            Table("Shapes", ["layer", "x", "weight", "y"], [Shapes("each channel by itself, groups: 3", each, y), Shapes("Conv2d(3, 1, 5)", conv, z)]),
            Draw.Row(
                Draw.Photo("photo", photo), Draw.Photo("each channel by itself", Picture.FromTensor(y)), Draw.Photo("Conv2d(3, 1, 5)", Picture.FromTensor(z))));

        string[] Shapes(string name, Conv2d layer, Tensor<float> output) => [name, Text(x), Text(layer.Weight.Value), Text(output)];
        static string Text(Tensor<float> t) => $"[{string.Join(", ", t.Lengths.ToArray())}]";
    }

    public static Figure LastRow()
    {
        float[,] made = Values.Pad(Values.Fill(5, 5, (r, c) => Padded[r + 1, c + 1]), 1, PaddingMode.Replicate);
        string? Differs(int r, int c) => made[r, c] != Padded[r, c] ? "window" : null;
        return new(
            "The last row of the padded table",
            $"The border repeats the nearest pixel, so the last row repeats the one above it. Printed is a {Values.N(Padded[6, 4])} where a "
            + $"{Values.N(made[6, 4])} belongs. The lecture uses the table with its slip for stride and dilation too; so does this page, to give "
            + "the same numbers.",
            Draw.Row(Draw.Numbers("as printed", Padded, mark: Differs), Draw.Sign("≠"), Draw.Numbers("PaddingMode.Replicate", made, mark: Differs)));
    }

    public static Figure Flipping()
    {
        float[,] layer = Values.Convolve(X, K), turned = Values.Convolve(X, K.Flip());
        return new(
            "Networks do not flip",
            "The lecture calls flipping a common practice in deep learning. It is one in signal processing. Conv2d of PyTorch, TensorFlow, "
            + "ONNX and MiniCnn lays the kernel down as it is (cross-correlation). For a learnt kernel it would not matter. The lecture's own "
            + $"example, 28 at the first place, is not flipped; its code is, and would give {Values.N(turned[0, 0])} there.",
            Draw.Row(
                Draw.Kernel("K", K), Draw.Sign("→"), Draw.Numbers("Y, as in the lecture’s figure", layer), Draw.Kernel("K flipped", K.Flip()), Draw.Sign("→"),
                Draw.Numbers("Y, by the lecture’s code", turned, mark: (r, c) => turned[r, c] != layer[r, c] ? "window" : null)));
    }

    public static Figure Floor() => new(
        "When rounding down matters",
        "The note under the formula says that ⌊ ⌋ is for the case that the division gives a whole number. It is for the other case: 612 "
        + $"columns with k = 5, p = 2 and s = 2 give 306.5, and {new Window2d(5, 2, 2).Rows(612).Output} windows fit. The last column of the "
        + "padding is under none.",
        Table("(n + 2·2 − 5) / 2 + 1", ["n", "before rounding", "windows"],
            new[] { 459, 612 }.Select(n => (string[])[$"{n}", Values.N((n + 4 - 5) / 2.0 + 1), $"{new Window2d(5, 2, 2).Rows(n).Output}"])));

    /// <summary>What a border of zeros does to a photo that is the same everywhere.</summary>
    public static Figure BlackBorder()
    {
        float[,] even = Values.Fill(6, 8, (_, _) => 90), box = Values.Fill(3, 3, (_, _) => 1 / 9f), y = Values.Convolve(even, box, padding: 1);
        return new(
            "A black border has side effects",
            "The article says that zeros at the border change nothing, for nothing is added. But a mean over a window that is partly zeros is "
            + "too small. Here an even surface of 90 is blurred: its rim gets darker. With PaddingMode.Replicate it stays 90.",
            Draw.Row(
                Draw.Numbers("even", even, Draw.Grey), Draw.Sign("→"),
                Draw.Numbers("blurred, padded with zeros", y, Draw.Grey, (r, c) => MathF.Round(y[r, c]) != 90 ? "window" : null, format: "0")));
    }
}
