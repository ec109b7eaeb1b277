using System.Globalization;
using System.Numerics.Tensors;

namespace MiniCnn.Imaging;

/// <summary>A convolution's kernels as a picture, to see what training made of them.</summary>
public static class KernelSheet
{
    const int Margin = 24, Text = 2, Caption = 26, LegendWidth = 161;    // pixels; Text: of a letter's pixel
    static readonly Rgb Paper = new(255, 255, 255), Ink = new(64, 64, 64), Border = new(144, 144, 144), Grid = new(216, 216, 216);

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
        float[] first = new float[before.FlattenedLength], second = new float[before.FlattenedLength];
        before.FlattenTo(first);
        after.FlattenTo(second);
        float scale = first.Concat(second).Where(float.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        if (scale == 0) scale = 1;

        // The largest squares, up to 24 pixels, that keep the sheet within about 2000 × 2000; from 8 pixels on with a line between them.
        int cell = Math.Clamp(Math.Min(2000 / outs / (width + 1), 1000 / ins / (height + 1)), 1, 24);
        int line = cell >= 8 ? 1 : 0, gap = Math.Max(cell / 2, 2);
        int kernelWidth = width * cell + 2 - line, kernelHeight = height * cell + 2 - line;
        int groupWidth = outs * (kernelWidth + gap) - gap, groupHeight = Caption + ins * (kernelHeight + gap) - gap;

        string[] legend = [(-scale).ToString("G3", CultureInfo.InvariantCulture), scale.ToString("G3", CultureInfo.InvariantCulture)];
        int legendWidth = Font.Width($"{legend[0]}  {legend[1]}", Text) + LegendWidth;
        int titleWidth = Math.Max(Font.Width(titleBefore, Text), Font.Width(titleAfter, Text));
        int widest = Math.Max(groupWidth, Math.Max(titleWidth, legendWidth));
        Picture sheet = new(widest + 2 * Margin, 2 * groupHeight + Font.Height(Text) + 4 * Margin);
        sheet.Fill(0, 0, sheet.Width, sheet.Height, Paper);
        DrawGroup(Margin, titleBefore, first);
        DrawGroup(Margin + groupHeight + Margin, titleAfter, second);
        DrawLegend(sheet, sheet.Height - Margin - Font.Height(Text), legend);
        return sheet;

        void DrawGroup(int top, string title, ReadOnlySpan<float> weights)
        {
            Font.Draw(sheet, Margin, top, title, Text, Ink);
            for (int o = 0; o < outs; o++)
                for (int i = 0; i < ins; i++)
                    DrawKernel(
                        Margin + o * (kernelWidth + gap), top + Caption + i * (kernelHeight + gap),
                        weights.Slice((o * ins + i) * height * width, height * width));
        }

        void DrawKernel(int left, int top, ReadOnlySpan<float> weights)
        {
            sheet.Fill(left, top, kernelWidth, kernelHeight, Border);
            sheet.Fill(left + 1, top + 1, kernelWidth - 2, kernelHeight - 2, Grid);
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                {
                    Rgb color = Rgb.BlueWhiteRed(weights[y * width + x] / scale);
                    sheet.Fill(left + 1 + x * cell, top + 1 + y * cell, cell - line, cell - line, color);
                }
        }
    }

    // The colours from −scale to scale, between their numbers.
    static void DrawLegend(Picture sheet, int top, string[] numbers)
    {
        int left = Margin + Font.Width(numbers[0] + " ", Text);
        Font.Draw(sheet, Margin, top, numbers[0], Text, Ink);
        sheet.Fill(left - 1, top - 1, LegendWidth + 2, Font.Height(Text) + 2, Border);
        for (int x = 0; x < LegendWidth; x++)
            sheet.Fill(left + x, top, 1, Font.Height(Text), Rgb.BlueWhiteRed(2f * x / (LegendWidth - 1) - 1));
        Font.Draw(sheet, left + LegendWidth + 12, top, numbers[1], Text, Ink);
    }

    static string Shape(Tensor<float> tensor) => $"[{string.Join(", ", tensor.Lengths.ToArray())}]";
}
