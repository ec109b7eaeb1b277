using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>A convolution's kernels as a picture, to see what training made of them.</summary>
public static class KernelSheet
{
    const int Caption = 24;    // pixels from a title's capitals to its kernels

    /// <summary>
    /// Draws kernels before and after training: a column for each output channel, its input channels below each other, each weight a
    /// square. Blue is negative, white zero, red positive, on one scale for all: ± the largest |w| before or after.
    /// </summary>
    /// <param name="before">Weights [out, in/groups, kH, kW], as Conv2d has them.</param>
    /// <param name="after">Weights of the same shape.</param>
    /// <param name="titleBefore">What stands above the first kernels.</param>
    /// <param name="titleAfter">What stands above the second kernels.</param>
    /// <exception cref="ArgumentException">The weights are not [out, in, kH, kW], are none, or differ in shape.</exception>
    public static Picture Draw(Tensor<float> before, Tensor<float> after, string titleBefore = "before", string titleAfter = "after")
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before.Rank != 4 || before.FlattenedLength == 0 || !before.Lengths.SequenceEqual(after.Lengths))
            throw new ArgumentException($"expected weights [out, in, kH, kW] twice in one shape, got {Shape(before)} and {Shape(after)}");
        (int outs, int ins, int height, int width) = ((int)before.Lengths[0], (int)before.Lengths[1], (int)before.Lengths[2], (int)before.Lengths[3]);
        float[] first = [.. before], second = [.. after];
        float scale = first.Concat(second).Where(w => float.IsFinite(w) && w != 0).Select(Math.Abs).DefaultIfEmpty(1).Max();
        Axis axis = new([-scale, scale]);

        // The largest squares, up to 24 pixels, that keep the sheet within about 2000 × 2000; from 8 pixels on with a line between them.
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
