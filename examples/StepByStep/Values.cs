using System.Globalization;
using System.Numerics.Tensors;
using MathNet.Numerics;
using MathNet.Numerics.Random;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.StepByStep;

/// <summary>Images and kernels as matrices. The library computes the convolutions.</summary>
static class Values
{
    /// <summary>Parses a matrix such as “1 2; 3 4”.</summary>
    public static float[,] Parse(string text) => Of(ImageFilter.Parse(text));

    public static float[,] Of(ImageFilter filter) => Fill(filter.Size.Height, filter.Size.Width, (y, x) => filter.Kernel[y * filter.Size.Width + x]);

    /// <summary>Returns a channel of a picture, from 0 to 255.</summary>
    public static float[,] Of(Picture picture, int channel = 0) =>
        Fill(picture.Height, picture.Width, (y, x) => picture.Pixels[(y * picture.Width + x) * picture.Channels + channel]);

    /// <summary>Returns a channel of a tensor [1, C, H, W] or [C, 1, H, W].</summary>
    public static float[,] Of(Tensor<float> tensor, int channel = 0)
    {
        (int height, int width) = ((int)tensor.Lengths[2], (int)tensor.Lengths[3]);
        float[] all = [.. tensor];
        return Fill(height, width, (y, x) => all[(channel * height + y) * width + x]);
    }

    public static float[,] Fill(int height, int width, Func<int, int, float> value)
    {
        float[,] values = new float[height, width];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                values[y, x] = value(y, x);
        return values;
    }

    public static float[,] Map(this float[,] values, Func<float, float> map) =>
        Fill(values.GetLength(0), values.GetLength(1), (y, x) => map(values[y, x]));

    public static float[,] Plus(this float[,] a, float[,] b) => Fill(a.GetLength(0), a.GetLength(1), (y, x) => a[y, x] + b[y, x]);

    /// <summary>Rotates a kernel by 180°.</summary>
    public static float[,] Flip(this float[,] k) =>
        Fill(k.GetLength(0), k.GetLength(1), (y, x) => k[k.GetLength(0) - 1 - y, k.GetLength(1) - 1 - x]);

    public static float[] List(this float[,] values) => [.. values.Cast<float>()];

    /// <summary>Shuffles the numbers.</summary>
    public static float[,] Shuffle(this float[,] values, int seed)
    {
        int[] order = Combinatorics.GeneratePermutation(values.Length, new MersenneTwister(seed));
        float[] all = values.List();
        return Fill(values.GetLength(0), values.GetLength(1), (y, x) => all[order[y * values.GetLength(1) + x]]);
    }

    /// <summary>Returns a tensor [1, 1, H, W].</summary>
    public static Tensor<float> ToTensor(this float[,] values) => Tensor.Create(values.List(), [1, 1, values.GetLength(0), values.GetLength(1)]);

    /// <summary>Draws values from 0 (black) to 255 (white). Values outside are clipped.</summary>
    public static Picture Clip(this float[,] values) => Picture.FromTensor(values.Map(v => v / 255).ToTensor());

    /// <summary>Draws the lowest value as black and the highest as white, like a plotting program.</summary>
    public static Picture Rescale(this float[,] values)
    {
        (float low, float high) = (values.List().Min(), values.List().Max());
        return values.Map(v => 255 * (v - low) / Math.Max(high - low, 1e-6f)).Clip();
    }

    /// <summary>Returns a layer with this kernel, one input channel and one output channel.</summary>
    public static Conv2d Layer(float[,] kernel, int stride = 1, int padding = 0, int dilation = 1, float bias = 0)
    {
        Conv2d layer = new(1, 1, (kernel.GetLength(0), kernel.GetLength(1)), stride, padding, dilation);
        kernel.ToTensor().CopyTo(layer.Weight.Value);            // [1, 1, kH, kW]
        layer.Bias!.Value[0] = bias;
        return layer;
    }

    /// <summary>Computes y = x ⋆ k + bias with this layer.</summary>
    public static float[,] Convolve(float[,] x, float[,] k, int stride = 1, int padding = 0, int dilation = 1, float bias = 0) =>
        Of(Layer(k, stride, padding, dilation, bias).Forward(x.ToTensor()));

    public static float[,] Pad(float[,] x, int padding, PaddingMode mode = PaddingMode.Zeros) => Of(new Pad2d(padding, mode).Forward(x.ToTensor()));

    /// <summary>Formats a matrix such as “28 20 13; 28 25 22; 22 39 35”.</summary>
    public static string Text(this float[,] values, string format = "0.####") => string.Join("; ", Enumerable.Range(0, values.GetLength(0))
        .Select(y => string.Join(' ', Enumerable.Range(0, values.GetLength(1)).Select(x => N(values[y, x], format)))));

    /// <summary>Formats a number with a typographic minus sign, without a sign before 0.</summary>
    public static string N(double value, string format = "0.####") =>
        value == 0 ? 0.ToString(format.Split('e')[0], CultureInfo.InvariantCulture)
        : value.ToString(format, CultureInfo.InvariantCulture) is var text && text.Trim('-', '0', '.') is "" ? text.TrimStart('-') : text.Replace('-', '−');
}
