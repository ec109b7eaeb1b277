using System.Security.Cryptography;

namespace MiniCnn;

/// <summary>
/// Bytes of images by index, in memory or read again from their files on each access. Thread-safe.
/// </summary>
/// <param name="Count">Number of images.</param>
/// <param name="Read">Returns the bytes of an image, [C, H, W].</param>
/// <param name="Summary">Returns the summary of an image. It need not read the file again.</param>
sealed record ImageSource(int Count, Func<int, ReadOnlyMemory<byte>> Read, Func<int, ImageSummary> Summary)
{
    /// <summary>Returns a source of images in one array, [N, C, H, W].</summary>
    public static ImageSource Of(byte[] pixels, int count, ImageShape shape)
    {
        int length = (int)shape.Length;
        return new(count, Image, i => ImageSummary.Of(Image(i).Span, shape.Channels));

        ReadOnlyMemory<byte> Image(int i) => pixels.AsMemory(i * length, length);
    }

    /// <summary>Returns a source of the images with these indices, in this order.</summary>
    public ImageSource Pick(int[] indices) => new(indices.Length, i => Read(indices[i]), i => Summary(indices[i]));
}

/// <summary>The SHA-256 of an image, and for each channel the sum of its values and of their squares.</summary>
readonly record struct ImageSummary(byte[] Hash, (long Sum, long Squares)[] Channels)
{
    public static ImageSummary Of(ReadOnlySpan<byte> image, int channels)
    {
        (long, long)[] sums = new (long, long)[channels];
        int plane = image.Length / channels;
        for (int c = 0; c < channels; c++)
        {
            long sum = 0, squares = 0;
            foreach (byte x in image.Slice(c * plane, plane))
            {
                sum += x;
                squares += x * x;
            }
            sums[c] = (sum, squares);
        }
        return new(SHA256.HashData(image), sums);
    }
}
