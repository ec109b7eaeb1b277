using System.Numerics.Tensors;
using System.Xml.Linq;
using MiniCnn.Imaging;
using static MiniCnn.Reports.Html;

namespace MiniCnn.Reports;

/// <summary>Converts images of a data set to pictures, and pictures to elements of the page.</summary>
static class Pictures
{
    const int Shown = 96;                                        // maximum length of the longer side of an image on the page, in pixels

    /// <summary>The picture of an image of a data set, [C, H, W] bytes. If it does not have 1 or 3 channels, the first channel is shown in grey.</summary>
    public static Picture Of(ImageDataset images, int index) => Of(images.Shape, images.Image(index), value => value);

    /// <summary>The picture of an image of a batch, with augmentation. The normalization is undone.</summary>
    public static Picture Of(ImageDataset images, Tensor<float> batch, int index)
    {
        int length = (int)images.Shape.Length, plane = images.Shape.Height * images.Shape.Width;
        float[] values = batch.AsSpan().Slice(index * length, length).ToArray();
        for (int i = 0; i < length; i++)
            values[i] = 255 * (values[i] * images.Std[i / plane] + images.Mean[i / plane]);
        return Of<float>(images.Shape, values, value => (byte)float.ClampNative(MathF.Round(value), 0, 255));
    }

    static Picture Of<T>(ImageShape shape, ReadOnlySpan<T> planes, Func<T, byte> toByte)
    {
        int channels = shape.Channels == 3 ? 3 : 1, plane = shape.Height * shape.Width;
        Picture picture = new(shape.Width, shape.Height, channels);
        for (int i = 0; i < picture.Pixels.Length; i++)
            picture.Pixels[i] = toByte(planes[i % channels * plane + i / channels]);
        return picture;
    }

    /// <summary>Images of a data set as a normalized batch, [N, C, H, W].</summary>
    public static Tensor<float> Input(ImageDataset images, params ReadOnlySpan<int> indices)
    {
        ImageShape shape = images.Shape;
        float[] values = new float[indices.Length * shape.Length];
        for (int n = 0, at = 0; n < indices.Length; n++)
        {
            ReadOnlySpan<byte> bytes = images.Image(indices[n]);
            for (int i = 0; i < bytes.Length; i++)
                values[at++] = images.Normalized[256 * (i / (shape.Height * shape.Width)) + bytes[i]];
        }
        return Tensor.Create(values, [indices.Length, shape.Channels, shape.Height, shape.Width]);
    }

    /// <summary>A picture with a caption below it.</summary>
    public static XElement Figure(Picture picture, params object?[] caption) => H("figure.photo", Photo(picture), H("figcaption", caption));

    /// <summary>A picture of at most 96 pixels, without alternative text: its caption describes it.</summary>
    public static XElement Photo(Picture picture)
    {
        double share = (double)Shown / Math.Max(picture.Width, picture.Height);
        if (share < 1)
            picture = picture.Resize(Math.Max(1, (int)(share * picture.Width)), Math.Max(1, (int)(share * picture.Height)));
        return Image(picture, "", share > 1 ? (int)share : 1);
    }

    /// <summary>A picture, each pixel as a square of <paramref name="cell"/> pixels. Photos are JPEGs; drawings and small pictures are PNGs.</summary>
    public static XElement Image(Picture picture, string alternative, int cell = 1) =>
        Html.Image(picture, alternative, cell, photo: picture is { Channels: 3, Width: > 48 } && alternative is "");
}
