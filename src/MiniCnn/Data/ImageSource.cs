using System.Security.Cryptography;

namespace MiniCnn;

/// <summary>
/// Images as bytes, each by its number, for any number of threads at once: in memory, or read again from their files when they are asked for.
/// </summary>
/// <param name="Count">N.</param>
/// <param name="Read">The [C, H, W] bytes of an image.</param>
/// <param name="Summary">What is known of an image, which need not be read again for it.</param>
sealed record ImageSource(int Count, Func<int, ReadOnlyMemory<byte>> Read, Func<int, ImageSummary> Summary)
{
    /// <summary>Images in memory, one after another.</summary>
    public static ImageSource Of(byte[] pixels, int count, ImageShape shape)
    {
        int length = (int)shape.Length;
        return new(count, Image, i => ImageSummary.Of(Image(i).Span, shape.Channels));

        ReadOnlyMemory<byte> Image(int i) => pixels.AsMemory(i * length, length);
    }

    /// <summary>Some of these images, in a new order.</summary>
    public ImageSource Pick(int[] indices) => new(indices.Length, i => Read(indices[i]), i => Summary(indices[i]));
}

/// <summary>What is asked of all images of a set: of each its hash, and the sums of its values and of their squares, for each channel.</summary>
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
