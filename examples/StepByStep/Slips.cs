using System.Numerics.Tensors;
using MiniCnn.Imaging;
using static MiniCnn.Examples.StepByStep.Windows;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Examples.StepByStep;

/// <summary>8. Mistakes in the documents.</summary>
static class Slips
{
    /// <summary>The lecture's PyTorch loop steps over the outputs by the stride. It should step over the pixels.</summary>
    public static float[,] StrideLoop(float[,] x, float[,] k, int stride)
    {
        (int height, int width) = ((x.GetLength(0) - k.GetLength(0)) / stride + 1, (x.GetLength(1) - k.GetLength(1)) / stride + 1);
        float[,] all = Values.Convolve(x, k), y = new float[height, width];
        for (int i = 0; i < height; i += stride)
            for (int j = 0; j < width; j += stride)
                y[i, j] = all[i, j];                             // uses the window at (i, j) instead of (i·stride, j·stride)
        return y;
    }

    public static Figure Stride(Materials m)
    {
        float[,] correct = Values.Convolve(Padded, K, stride: 2), loop = StrideLoop(Padded, K, 2);
        float[,] box = Values.Fill(5, 5, (_, _) => 1 / 25f), large = StrideLoop(Values.Pad(m.Wide, 2), box, 2);
        double zeros = large.List().Count(v => v == 0) / (double)large.Length;
        return new(
            "The PyTorch loop with a stride",
            "The lecture rewrites its function with a PyTorch loop and calls it equivalent, because the shapes are equal. With stride 2 the loop "
            + "visits every second output and fills it from the window at the position of the output. The other outputs stay 0. Of the "
            + $"{large.GetLength(0)}×{large.GetLength(1)} outputs of the photo {zeros:P0} are 0. Compare numbers, not only shapes.",
            Draw.Row(
                Draw.Numbers("correct", correct), Draw.Sign("≠"),
                Draw.Numbers("by that loop", loop, mark: (r, c) => loop[r, c] != correct[r, c] ? "window" : null)),
            Draw.Row(
                Draw.Photo("correct, 230×306", Values.Convolve(m.Wide, box, stride: 2, padding: 2).Clip()),
                Draw.Photo("by that loop, 230×306", large.Clip())));
    }

    /// <summary>An output that is created like the input has the size and the type of the input.</summary>
    public static Figure ZerosLike()
    {
        float[,] outline = Values.Of(ImageFilters.Outline), y = Values.Convolve(X, outline);
        byte[,] like = new byte[5, 5];
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 3; c++)
                like[r, c] = unchecked((byte)(int)y[r, c]);
        float[,] bytes = Values.Fill(5, 5, (r, c) => like[r, c]);
        return new(
            "An output created like the input",
            "In a comment, the lecture calls another loop equivalent. This loop creates its output with zeros_like(image). The output then has "
            + "the size of the image, so two rows and two columns of zeros remain. It also has the type of the image, byte. A byte has no "
            + "fractions, and −3 becomes 253. The figure uses the outline kernel, because its outputs are whole numbers.",
            Draw.Row(
                Draw.Kernel("correct", y), Draw.Sign("≠"),
                Draw.Numbers("in bytes, in the input’s size", bytes, mark: (r, c) => r > 2 || c > 2 || bytes[r, c] != y[r, c] ? "window" : null)));
    }

    /// <summary>The length of Python's slice [start:stop] of n elements.</summary>
    public static int PythonSlice(int start, int stop, int n) => Math.Max((stop < 0 ? stop + n : stop) - start, 0);

    public static Figure PaddingOfZero() => new(
        "Padding 0 gives an empty slice",
        "The article copies the image into its padded array from p to −p. With p = 0 this is [0:−0], and −0 is 0: the slice is empty and the "
        + "assignment fails. C# counts from the end with ^p, and ^0 is the end, so x[p..^p] is correct for 0 too. MiniCnn's Pad2d(0) does not "
        + $"change the image: {Values.Pad(X, 0).GetLength(0)}×{Values.Pad(X, 0).GetLength(1)}.",
        Table("Length of a slice of a padded row of 224 pixels", ["p", "padded row", "[p:−p] in Python", "[p..^p] in C#", "needed"],
            from p in new[] { 2, 1, 0 }
            let row = 224 + 2 * p
            select ((int[])[p, row, PythonSlice(p, -p, row), (p..^p).GetOffsetAndLength(row).Length, 224]).Select(n => $"{n}")));

    /// <summary>Padding by half the kernel keeps the size only for odd kernels.</summary>
    public static Figure EvenKernels() => new(
        "k // 2 is not “same” for even kernels",
        "An even kernel removes an odd number of pixels, k − 1. Padding by k // 2 on both sides adds one too many. “Same” padding in TensorFlow "
        + "and PyTorch adds (k − 1) / 2, rounded down, before the image and the rest after it. The lecture's p = (k − 1) / 2 is not a whole number "
        + "in this case.",
        Table("Output size for 224 pixels", ["k", "padded by k // 2", "Padding.Same: before, after", "padded by that"], new[] { 2, 3, 4, 5, 6 }.Select(k =>
        {
            Padding same = Padding.Same(k);
            int Size(Padding padding) => new Window2d(k, padding: padding).Rows(224).Output;
            return (string[])[$"{k}", $"{Size(k / 2)}", $"{same.Top}, {same.Bottom}", $"{Size(same)}"];
        })));

    /// <summary>A filter on each channel, and a Conv2d over all channels.</summary>
    public static Figure ChannelsKept(Materials m)
    {
        Picture photo = m.Photo.Resize(224, 224, Fit.CenterCrop);
        Conv2d each = new(3, 3, 5, groups: 3, bias: false), conv = new(3, 1, 5, bias: false);
        for (int c = 0; c < 3; c++)
            ImageFilters.BoxBlur5.CopyTo(each.Weight, c);
        ImageFilters.BoxBlur5.CopyTo(conv.Weight, 0);
        Tensor<float> x = photo.ToTensor(), y = each.Forward(x), z = conv.Forward(x);
        return new(
            "h′ × w′ × c is correct for separate channels",
            "The lecture's formula keeps the number of channels. This is correct if one kernel filters each channel separately, as photo filters "
            + "do: groups: 3 in a Conv2d. A Conv2d in a network sums over the input channels, and its number of output channels is independent, "
            + "here 1.",
            Table("Shapes", ["layer", "x", "weight", "y"], [Shapes("each channel separately, groups: 3", each, y), Shapes("Conv2d(3, 1, 5)", conv, z)]),
            Draw.Row(
                Draw.Photo("photo", photo), Draw.Photo("each channel separately", Picture.FromTensor(y)),
                Draw.Photo("Conv2d(3, 1, 5)", Picture.FromTensor(z))));

        string[] Shapes(string name, Conv2d layer, Tensor<float> output) => [name, Text(x), Text(layer.Weight.Value), Text(output)];
        static string Text(Tensor<float> t) => $"[{string.Join(", ", t.Lengths.ToArray())}]";
    }

    public static Figure LastRow()
    {
        float[,] made = Values.Pad(Values.Fill(5, 5, (r, c) => Padded[r + 1, c + 1]), 1, PaddingMode.Replicate);
        string? Differs(int r, int c) => made[r, c] != Padded[r, c] ? "window" : null;
        return new(
            "The last row of the padded table",
            $"The border repeats the nearest pixel, so the last row must be equal to the row above it. The table has {Values.N(Padded[6, 4])} "
            + $"where {Values.N(made[6, 4])} is correct. The lecture uses the table with this mistake for stride and dilation too. This page does "
            + "the same, to get the same numbers.",
            Draw.Row(Draw.Numbers("as printed", Padded, mark: Differs), Draw.Sign("≠"), Draw.Numbers("PaddingMode.Replicate", made, mark: Differs)));
    }

    public static Figure Flipping()
    {
        float[,] layer = Values.Convolve(X, K), turned = Values.Convolve(X, K.Flip());
        return new(
            "Networks do not flip",
            "The lecture calls flipping a common practice in deep learning. It is common in signal processing. The Conv2d of PyTorch, "
            + "TensorFlow, ONNX and MiniCnn does not flip the kernel (cross-correlation). For a learned kernel it makes no difference. The "
            + $"lecture's example, with 28 as the first output, is not flipped. Its code flips, and would give {Values.N(turned[0, 0])}.",
            Draw.Row(
                Draw.Kernel("K", K), Draw.Sign("→"), Draw.Numbers("Y, as in the lecture’s figure", layer),
                Draw.Kernel("K flipped", K.Flip()), Draw.Sign("→"),
                Draw.Numbers("Y, by the lecture’s code", turned, mark: (r, c) => turned[r, c] != layer[r, c] ? "window" : null)));
    }

    public static Figure Floor() => new(
        "When rounding down matters",
        "The note below the formula says that ⌊ ⌋ is for divisions with a whole result. It is for the other case: 612 columns with k = 5, p = 2 "
        + $"and s = 2 give 306.5, and {new Window2d(5, 2, 2).Rows(612).Output} windows fit. No window covers the last column of the padding.",
        Table("(n + 2·2 − 5) / 2 + 1", ["n", "before rounding", "windows"],
            new[] { 459, 612 }.Select(n => (string[])[$"{n}", Values.N((n + 4 - 5) / 2.0 + 1), $"{new Window2d(5, 2, 2).Rows(n).Output}"])));

    /// <summary>The effect of a border of zeros on an even image.</summary>
    public static Figure BlackBorder()
    {
        float[,] even = Values.Fill(6, 8, (_, _) => 90), box = Values.Fill(3, 3, (_, _) => 1 / 9f), y = Values.Convolve(even, box, padding: 1);
        return new(
            "A black border has side effects",
            "The article says that zeros at the border change nothing, because they add nothing. But a mean over a window with zeros is too "
            + "small. Here an even image of 90 is blurred: its edge gets darker. With PaddingMode.Replicate it stays 90.",
            Draw.Row(
                Draw.Numbers("even", even, Draw.Grey), Draw.Sign("→"),
                Draw.Numbers("blurred, padded with zeros", y, Draw.Grey, (r, c) => MathF.Round(y[r, c]) != 90 ? "window" : null, format: "0")));
    }
}
