using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>Draws the kernels of a convolution before and after training.</summary>
public static class KernelSheet
{
    const int Caption = 24;    // pixels from the top of a title to its kernels

    /// <summary>
    /// Draws the kernels before training above those after training. Each output channel is a column, each input channel a row, each weight a
    /// square. Blue is negative, white is zero, red is positive. All squares have one scale, ± the largest |w| before and after.
    /// </summary>
    /// <param name="before">Weights [out, in/groups, kH, kW], the weight of a Conv2d.</param>
    /// <param name="after">Weights after training, of the same shape.</param>
    /// <param name="titleBefore">Title above the kernels before training.</param>
    /// <param name="titleAfter">Title above the kernels after training.</param>
    /// <exception cref="ArgumentException">The weights are not [out, in/groups, kH, kW], are empty, or differ in shape.</exception>
    public static Picture Draw(Tensor<float> before, Tensor<float> after, string titleBefore = "before", string titleAfter = "after")
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before.Rank != 4 || before.FlattenedLength == 0 || !before.Lengths.SequenceEqual(after.Lengths))
            throw new ArgumentException($"expected two weights of one shape [out, in, kH, kW], got {Shape(before)} and {Shape(after)}");
        (int outs, int ins, int height, int width) = ((int)before.Lengths[0], (int)before.Lengths[1], (int)before.Lengths[2], (int)before.Lengths[3]);
        float[] first = [.. before], second = [.. after];
        float scale = first.Concat(second).Where(w => float.IsFinite(w) && w != 0).Select(Math.Abs).DefaultIfEmpty(1).Max();
        Axis axis = new([-scale, scale]);

        // The largest squares, at most 24 pixels, for which the sheet is at most about 2000 × 2000; from 8 pixels on, with a line between them.
        int cell = Math.Clamp(Math.Min(2000 / outs / (width + 1), 1000 / ins / (height + 1)), 1, 24);
        int line = cell >= 8 ? 1 : 0, gap = Math.Max(cell / 2, 2);
        int kernelWidth = width * cell + 2 - line, kernelHeight = height * cell + 2 - line;
        int groupWidth = outs * (kernelWidth + gap) - gap, groupHeight = Caption + ins * (kernelHeight + gap) - gap;

        int afterTop = Drawing.Margin + groupHeight + Drawing.Margin, bottom = afterTop + groupHeight;
        int titleWidth = Math.Max(Drawing.Width(titleBefore, Drawing.Title), Drawing.Width(titleAfter, Drawing.Title));
        int bar = Drawing.Margin + Math.Max(groupWidth, titleWidth) + Drawing.Gap, barRight = bar + Drawing.ColorBarWidth(axis);
        int barTop = Drawing.Margin + Caption, barHeight = Math.Clamp(bottom - barTop, 96, 320);
        Picture sheet = Drawing.Sheet(barRight + Drawing.Margin, Math.Max(bottom, barTop + barHeight) + Drawing.Margin, canvas =>
        {
            canvas.Write(titleBefore, Drawing.Margin, Drawing.Margin, Drawing.Title, Drawing.Ink);
            canvas.Write(titleAfter, Drawing.Margin, afterTop, Drawing.Title, Drawing.Ink);
            canvas.ColorBar(bar, barTop, barHeight, axis, Color);
        });
        int size = height * width;
        foreach ((int top, float[] weights) in new[] { (barTop, first), (afterTop + Caption, second) })
            for (int i = 0; i < outs * ins; i++)
                sheet.Paste(
                    HeatMap.Tile(weights.AsSpan(i * size, size), width, cell, line, Color),
                    Drawing.Margin + 1 + i / ins * (kernelWidth + gap), top + 1 + i % ins * (kernelHeight + gap));
        return sheet;

        Rgb Color(float weight) => Rgb.BlueWhiteRed(weight / scale);
    }

    static string Shape(Tensor<float> tensor) => $"[{string.Join(", ", tensor.Lengths.ToArray())}]";
}
