using System.Globalization;
using System.Numerics.Tensors;
using MiniCnn.Imaging;

namespace MiniCnn.Examples.ImageFilters;

/// <summary>How a kernel slides over an image. Each channel is filtered separately.</summary>
/// <param name="Padding">“valid”, “same” or a number of pixels.</param>
/// <param name="PaddingMode">The values of the padding.</param>
/// <param name="Stride">Pixels between two outputs.</param>
/// <param name="Dilation">Pixels between two weights of the kernel.</param>
/// <param name="Bias">Added to each output, in pixel values from 0 to 255.</param>
/// <param name="Repeat">Number of passes over the image.</param>
sealed record Convolution(string Padding, PaddingMode PaddingMode, int Stride, int Dilation, float Bias, int Repeat)
{
    /// <summary>A Conv2d with this kernel for each channel.</summary>
    public Conv2d Layer(ImageFilter filter, int channels)
    {
        Conv2d layer = new(channels, channels, filter.Size, Stride, PaddingOf(filter), Dilation, groups: channels, paddingMode: PaddingMode);
        for (int c = 0; c < channels; c++)
        {
            filter.CopyTo(layer.Weight, c);
            layer.Bias!.Value[c] = Bias / 255;
        }
        return layer;
    }

    /// <summary>Filters an image, [1, C, H, W], and explains the output size of each pass.</summary>
    public Tensor<float> Apply(ImageFilter filter, Tensor<float> x, Action<string>? explain = null)
    {
        Padding p = PaddingOf(filter);
        for (int pass = 0; pass < Repeat; pass++)
        {
            Tensor<float> y = Layer(filter, (int)x.Lengths[1]).Forward(x);
            explain?.Invoke($"height: {Formula(x.Lengths[2], p.Top, p.Bottom, filter.Size.Height)} = {y.Lengths[2]}");
            explain?.Invoke($"width:  {Formula(x.Lengths[3], p.Left, p.Right, filter.Size.Width)} = {y.Lengths[3]}");
            x = y;
        }
        return x;
    }

    /// <summary>The image with its padding.</summary>
    public Picture Pad(ImageFilter filter, Picture image) => Picture.FromTensor(new Pad2d(PaddingOf(filter), PaddingMode).Forward(image.ToTensor()));

    Padding PaddingOf(ImageFilter filter) => Padding switch
    {
        "valid" => MiniCnn.Padding.Valid,
        "same" => MiniCnn.Padding.Same(filter.Size, Dilation, Stride),
        _ when int.TryParse(Padding, NumberStyles.None, CultureInfo.InvariantCulture, out int pixels) => pixels,
        _ => throw new ArgumentException($"--padding must be valid, same or a number of pixels, not {Padding}"),
    };

    string Formula(nint pixels, int before, int after, int weights) =>
        $"⌊({pixels} + {(before == after ? $"2·{before}" : $"{before} + {after}")} − {Dilation}·({weights}−1) − 1)/{Stride}⌋ + 1";
}
